# ElastiCache has no write-only argument for a user's password: the state has this
# one, sensitive, in a bucket that is encrypted and closed (terraform/bootstrap).
ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "password" {
  name        = "${var.name}/backend/redis-password"
  description = "SECMON_REDIS_PASSWORD_FILE"
  kms_key_id  = var.key_arn

  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = aws_secretsmanager_secret.password.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  secret_string_wo_version = var.password_version
}

data "aws_secretsmanager_secret_version" "password" {
  secret_id  = aws_secretsmanager_secret_version.password.secret_id
  version_id = aws_secretsmanager_secret_version.password.version_id
}
