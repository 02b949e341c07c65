data "aws_region" "current" {}

locals {
  widgets = [
    { title = "Requests", stat = "Sum", metrics = [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.load_balancer.arn_suffix], [".", "HTTPCode_Target_5XX_Count", ".", "."]] },
    { title = "Response time (p99, s)", stat = "p99", metrics = [["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.load_balancer.arn_suffix]] },
    { title = "Database: CPU (%)", stat = "Average", metrics = [["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.database.identifier]] },
    { title = "Database: free storage (bytes)", stat = "Minimum", metrics = [["AWS/RDS", "FreeStorageSpace", "DBInstanceIdentifier", var.database.identifier]] },
    { title = "Redis: CPU (%)", stat = "Average", metrics = [for node in local.redis : ["AWS/ElastiCache", "EngineCPUUtilization", "CacheClusterId", node]] },
    { title = "Errors in the backend's log", stat = "Sum", metrics = [[var.errors_metric.namespace, var.errors_metric.name]] },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for i, w in local.widgets : {
      type   = "metric"
      x      = 12 * (i % 2)
      y      = 6 * floor(i / 2)
      width  = 12
      height = 6
      properties = {
        title   = w.title
        region  = data.aws_region.current.region
        stat    = w.stat
        period  = 60
        metrics = w.metrics
      }
    }]
  })
}
