output "replication_group_id" {
  description = "Name of the replication group, as metrics have it."
  value       = aws_elasticache_replication_group.this.replication_group_id
}

output "url" {
  description = "SECMON_REDIS_URL; the password is in the secret."
  value       = "rediss://secmon@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379"
}

output "password_secret_name" {
  description = "Secret with the password."
  value       = aws_secretsmanager_secret.password.name
}

output "password_secret_arn" {
  description = "ARN of the secret with the password."
  value       = aws_secretsmanager_secret.password.arn
}
