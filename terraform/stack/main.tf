# One environment: every concern is a module, this file is how they hang together.
locals {
  name = "security-monitor-${var.environment}"
  # Where the chart puts things: the program, Fluent Bit (its namespace admits pods
  # that read the node's files), dashboards for Grafana.
  namespaces = { program = "security-monitor", logging = "logging", monitoring = "monitoring" }
  # What is not protected can be destroyed and made again under the same names.
  recovery_window_days = var.protected ? 30 : 0
  # The ingress controller's pods; it does not run as root.
  ingress_port = 8080
  # Ports of the program's pods: syslog over TLS, and the API, which says whether it is ready.
  syslog_ports = { events = 6514, health = 8000 }
}

data "aws_region" "current" {}

data "aws_route53_zone" "this" {
  name = var.zone_name
}

module "kms" {
  source = "../modules/kms"

  name                 = local.name
  deletion_window_days = var.protected ? 30 : 7
}

module "network" {
  source = "../modules/network"

  name                    = local.name
  cluster_name            = local.name
  nat_per_zone            = var.network.nat_per_zone
  interface_endpoints     = var.network.interface_endpoints
  flow_log_retention_days = var.log_retention_days
  logs_key_arn            = module.kms.arns.logs
}

module "security_groups" {
  source = "../modules/security-groups"

  name         = local.name
  vpc_id       = module.network.vpc_id
  ingress_port = local.ingress_port

  syslog_cidrs       = var.syslog.cidrs
  syslog_port        = local.syslog_ports.events
  syslog_health_port = local.syslog_ports.health
}

module "eks" {
  source = "../modules/eks"

  name                      = local.name
  kubernetes_version        = var.kubernetes_version
  subnet_ids                = module.network.private_subnet_ids
  cluster_security_group_id = module.security_groups.ids.cluster
  nodes_security_group_id   = module.security_groups.ids.nodes
  secrets_key_arn           = module.kms.arns.cluster
  volumes_key_arn           = module.kms.arns.data
  logs_key_arn              = module.kms.arns.logs
  log_retention_days        = var.log_retention_days
  public_access_cidrs       = var.kubernetes_public_cidrs
  admin_role_arns           = var.admin_role_arns
  instance_types            = var.nodes.types
  capacity_type             = var.nodes.capacity
  nodes                     = { min = var.nodes.min, desired = var.nodes.desired, max = var.nodes.max }
  deletion_protection       = var.protected
}

module "database" {
  source = "../modules/database"

  name                  = local.name
  subnet_ids            = module.network.database_subnet_ids
  security_group_id     = module.security_groups.ids.rds
  key_arn               = module.kms.arns.data
  logs_key_arn          = module.kms.arns.logs
  log_retention_days    = var.log_retention_days
  instance_class        = var.database.instance_class
  allocated_storage_gib = var.database.storage_gib
  max_storage_gib       = var.database.max_storage_gib
  multi_az              = var.database.multi_az
  backup_retention_days = var.database.backup_days
  backup_region         = var.backup_region
  deletion_protection   = var.protected
  apply_immediately     = !var.protected
  password_version      = var.credentials_version
}

module "cache" {
  source = "../modules/cache"

  name              = local.name
  subnet_ids        = module.network.database_subnet_ids
  security_group_id = module.security_groups.ids.redis
  key_arn           = module.kms.arns.data
  node_type         = var.cache.node_type
  replicas          = var.cache.replicas
  apply_immediately = !var.protected
  password_version  = var.credentials_version

  recovery_window_days = local.recovery_window_days
}

module "secrets" {
  source = "../modules/secrets"

  name                 = local.name
  key_arn              = module.kms.arns.data
  recovery_window_days = local.recovery_window_days
}

module "certificate" {
  source = "../modules/certificate"

  zone_id       = data.aws_route53_zone.this.zone_id
  domain        = var.domain
  origin_domain = local.origin_domain
}

locals {
  origin_domain = "origin.${var.domain}"
}

module "load_balancer" {
  source = "../modules/load-balancer"

  name                = local.name
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.public_subnet_ids
  security_group_id   = module.security_groups.ids.alb
  certificate_arn     = module.certificate.regional_arn
  ingress_port        = local.ingress_port
  deletion_protection = var.protected
  log_retention_days  = var.log_retention_days
  secrets_key_arn     = module.kms.arns.data
}

module "cdn" {
  source = "../modules/cdn"

  name            = local.name
  zone_id         = data.aws_route53_zone.this.zone_id
  domain          = var.domain
  origin_domain   = local.origin_domain
  origin_header   = module.load_balancer.origin_header
  load_balancer   = { dns_name = module.load_balancer.dns_name, zone_id = module.load_balancer.zone_id }
  certificate_arn = module.certificate.cloudfront_arn
  price_class     = var.price_class
}

module "logs" {
  source = "../modules/logs"

  key_arn             = module.kms.arns.logs
  retention_days      = var.log_retention_days
  deletion_protection = var.protected
}

# Where `secmon backup` writes (docs/recovery.md), beside RDS's own snapshots: these can
# be read without AWS. They are encrypted before they leave the pod, for keys that are
# not in AWS; the bucket has to see to it that they are still there when the program's
# own credentials are in wrong hands: its role writes and does nothing else, versions
# keep what is written over, and age alone takes them away.
module "backups" {
  source = "../modules/bucket"

  name_prefix         = "${local.name}-backup-"
  versioned           = true
  retention_days      = var.database.backup_days
  deletion_protection = var.protected
}

# Where the program writes events before it deletes them (docs/archive.md). They are as
# they came in, so they have our key; versions keep what is written over or deleted,
# which the program's role cannot do; old ones lie in Glacier, in the class that is read
# at once.
module "archive" {
  source = "../modules/bucket"

  name_prefix         = "${local.name}-archive-"
  versioned           = true
  encrypted_by_key    = true
  key_arn             = module.kms.arns.data
  retention_days      = var.archive.days
  noncurrent_days     = 90
  glacier_after_days  = var.archive.glacier_after_days
  deletion_protection = var.protected
}

# Where networks send syslog, the way in for it.
module "syslog" {
  source = "../modules/syslog"
  count  = length(var.syslog.cidrs) > 0 ? 1 : 0

  name                = local.name
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.private_subnet_ids
  security_group_id   = module.security_groups.ids.syslog
  port                = local.syslog_ports.events
  health_port         = local.syslog_ports.health
  zone_id             = data.aws_route53_zone.this.zone_id
  domain              = "syslog.${var.domain}"
  deletion_protection = var.protected
}

module "alarms" {
  source = "../modules/alarms"

  name        = local.name
  emails      = var.alarm_emails
  key_arn     = module.kms.arns.logs
  cache_id    = module.cache.replication_group_id
  cache_nodes = 1 + var.cache.replicas

  database = {
    identifier  = module.database.identifier
    storage_gib = var.database.storage_gib
    connections = var.database.max_connections
  }

  load_balancer = {
    arn_suffix              = module.load_balancer.arn_suffix
    target_group_arn_suffix = module.load_balancer.target_group_arn_suffix
  }

  errors_metric = module.logs.errors_metric
}

module "parameters" {
  source = "../modules/parameters"

  prefix = "/security-monitor/${var.environment}"
  values = {
    public-url = module.cdn.url
    redis-url  = module.cache.url
  }
}

module "deploy_role" {
  source = "../modules/deploy-role"

  name               = "${local.name}-deploy"
  github_repository  = var.github_repository
  github_environment = var.github_environment
  cluster            = { name = module.eks.name, arn = module.eks.arn }
  namespaces         = values(local.namespaces)
  group              = "security-monitor-deployers"

  registry_account_id = var.registry_account_id
  parameter_arns      = [aws_ssm_parameter.helm_values.arn]
}
