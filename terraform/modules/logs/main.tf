# Fluent Bit writes a component's lines into its group (the chart's fluentbit).
locals {
  components = toset(["frontend", "backend", "ingress"])
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.components

  name              = "${var.prefix}/${each.value}"
  retention_in_days = var.retention_days
  kms_key_id        = var.key_arn
  skip_destroy      = var.deletion_protection
}

# The program logs JSON (slog): {"time":...,"level":"ERROR","msg":...}.
resource "aws_cloudwatch_log_metric_filter" "backend_errors" {
  name           = "security-monitor-backend-errors"
  log_group_name = aws_cloudwatch_log_group.this["backend"].name
  pattern        = "{ $.level = \"ERROR\" }"

  metric_transformation {
    name          = "BackendErrors"
    namespace     = "SecurityMonitor"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_query_definition" "backend_errors" {
  name            = "security-monitor/errors"
  log_group_names = [aws_cloudwatch_log_group.this["backend"].name]
  query_string    = <<-EOT
    fields @timestamp, msg, error
    | filter level = "ERROR"
    | sort @timestamp desc
    | limit 100
  EOT
}
