output "group_names" {
  description = "The groups by component: frontend, backend, ingress."
  value       = { for component, group in aws_cloudwatch_log_group.this : component => group.name }
}

output "group_arns" {
  description = "ARN of each group."
  value       = { for component, group in aws_cloudwatch_log_group.this : component => group.arn }
}

output "errors_metric" {
  description = "Metric that counts the backend's errors."
  value       = { namespace = "SecurityMonitor", name = "BackendErrors" }
}

output "prefix" {
  description = "What the groups' names begin with."
  value       = var.prefix
}
