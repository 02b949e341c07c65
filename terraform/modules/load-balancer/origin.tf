# CloudFront proves itself by a header. Its value stands in the listener's rule and
# in the distribution, so the state has it too, sensitive.
ephemeral "aws_secretsmanager_random_password" "origin" {
  password_length     = 48
  exclude_punctuation = true # "*" and "?" are wildcards in a rule
}

resource "aws_secretsmanager_secret" "origin" {
  name        = "${var.name}/origin-secret"
  description = "Header by which CloudFront proves itself to the load balancer"
  kms_key_id  = var.secrets_key_arn

  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "origin" {
  secret_id                = aws_secretsmanager_secret.origin.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.origin.random_password
  secret_string_wo_version = var.origin_secret_version
}

data "aws_secretsmanager_secret_version" "origin" {
  secret_id  = aws_secretsmanager_secret_version.origin.secret_id
  version_id = aws_secretsmanager_secret_version.origin.version_id
}

locals {
  origin_header = "X-Origin-Verify"
  origin_secret = data.aws_secretsmanager_secret_version.origin.secret_string
}
