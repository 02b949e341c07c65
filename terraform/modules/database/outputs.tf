output "identifier" {
  description = "The instance's name, as metrics have it."
  value       = aws_db_instance.this.identifier
}

output "address" {
  description = "The instance's host name."
  value       = aws_db_instance.this.address
}

output "dsn_secret_name" {
  description = "Secret with SECMON_DATABASE_DSN."
  value       = aws_secretsmanager_secret.dsn.name
}

output "dsn_secret_arn" {
  description = "ARN of the secret with SECMON_DATABASE_DSN."
  value       = aws_secretsmanager_secret.dsn.arn
}
