# The password is made by Secrets Manager and goes to RDS and into the program's
# secret as write-only arguments: neither the state nor a plan has it. The secret
# is written first and is what the instance is set to, so that an apply that fails
# half-way is mended by the next one.
ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = 40
  exclude_punctuation = true # the DSN needs no escapes
}

resource "aws_secretsmanager_secret" "password" {
  name        = "${var.name}/database/password"
  description = "Password of ${local.username} at the database"
  kms_key_id  = var.key_arn

  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = aws_secretsmanager_secret.password.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  secret_string_wo_version = var.password_version
}

ephemeral "aws_secretsmanager_secret_version" "password" {
  secret_id  = aws_secretsmanager_secret_version.password.secret_id
  version_id = aws_secretsmanager_secret_version.password.version_id
}

locals {
  password = ephemeral.aws_secretsmanager_secret_version.password.secret_string
}

# What the program is configured with (SECMON_DATABASE_DSN). tls=true checks the
# server's certificate against RDS's authority, which the chart mounts.
resource "aws_secretsmanager_secret" "dsn" {
  name        = "${var.name}/backend/database-dsn"
  description = "SECMON_DATABASE_DSN"
  kms_key_id  = var.key_arn

  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "dsn" {
  secret_id                = aws_secretsmanager_secret.dsn.id
  secret_string_wo         = "${local.username}:${local.password}@tcp(${aws_db_instance.this.endpoint})/${local.database}?tls=true"
  secret_string_wo_version = var.password_version
}
