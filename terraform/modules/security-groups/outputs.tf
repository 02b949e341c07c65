output "ids" {
  description = "The groups by name: alb, cluster, nodes, rds, redis."
  value       = { for name, group in aws_security_group.this : name => group.id }
}
