output "helm_values" {
  description = "Values of the chart for this environment: terraform output -raw helm_values."
  value       = module.stack.helm_values
}

output "platform" {
  description = "What scripts/platform.sh installs the cluster's controllers with."
  value = {
    cluster   = module.stack.cluster
    role_arns = module.stack.role_arns
    ingress   = module.stack.ingress
    syslog    = module.stack.syslog
    operators = var.operators
  }
}

output "archive_path" {
  description = "Where events are archived: secmon archive --archive."
  value       = module.stack.archive_path
}

output "deploy_role_arn" {
  description = "AWS_DEPLOY_ROLE of the GitHub environment."
  value       = module.stack.deploy_role_arn
}

output "url" {
  description = "Address that people use."
  value       = module.stack.url
}

output "alarm_topic_arn" {
  description = "Topic that alarms go to."
  value       = module.stack.alarm_topic_arn
}
