output "ids" {
  description = "The groups by name: alb, cluster, nodes, rds, redis, and syslog where it is sent."
  value       = { for name, group in aws_security_group.this : name => group.id }
}
