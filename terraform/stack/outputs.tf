output "cluster" {
  description = "The cluster's name and region, for aws eks update-kubeconfig, and its network."
  value       = { name = module.eks.name, region = data.aws_region.current.region, vpc_id = module.network.vpc_id, vpc_cidr = module.network.cidr }
}

output "deploy_role_arn" {
  description = "AWS_DEPLOY_ROLE of the GitHub environment."
  value       = module.deploy_role.role_arn
}

output "url" {
  description = "Address that people use."
  value       = module.cdn.url
}

output "database_address" {
  description = "The database's host name."
  value       = module.database.address
}

output "secret_names" {
  description = "Secrets of the program in Secrets Manager, by the key that the chart knows them by."
  value       = local.secret_keys
}

output "parameter_names" {
  description = "Parameters of the program in Parameter Store, by what they hold."
  value       = module.parameters.names
}

output "log_group_names" {
  description = "CloudWatch log groups by component."
  value       = module.logs.group_names
}

output "role_arns" {
  description = "Roles for service accounts (eks.amazonaws.com/role-arn)."
  value = {
    backend                  = module.role_backend.role_arn
    cluster-autoscaler       = module.eks.autoscaler_role_arn
    external-secrets         = module.role_external_secrets.role_arn
    fluent-bit               = module.role_fluent_bit.role_arn
    load-balancer-controller = module.role_load_balancer_controller.role_arn
  }
}

output "ingress" {
  description = "Target group of the ingress controller's pods, and their port."
  value       = { target_group_arn = module.load_balancer.target_group_arn, port = local.ingress_port }
}

output "syslog" {
  description = "Target group of the program's pods for syslog over TLS. Null: nobody sends it."
  value       = one([for way in module.syslog : { target_group_arn = way.target_group_arn }])
}

output "archive_path" {
  description = "Where events are archived, for secmon archive --archive."
  value       = local.archive_path
}

output "alarm_topic_arn" {
  description = "Topic that alarms go to."
  value       = module.alarms.topic_arn
}
