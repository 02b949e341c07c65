module "stack" {
  source = "../../stack"

  environment             = "prod"
  github_environment      = "production"
  protected               = true
  backup_region           = var.backup_region
  domain                  = var.domain
  zone_name               = var.zone_name
  github_repository       = var.github_repository
  registry_account_id     = var.registry_account_id
  alarm_emails            = var.alarm_emails
  admin_role_arns         = var.admin_role_arns
  kubernetes_public_cidrs = var.kubernetes_public_cidrs
  credentials_version     = var.credentials_version
  operators               = var.operators
  backup_recipients       = var.backup_recipients
  syslog                  = var.syslog

  nodes = { min = 3, desired = 3, max = 12 }
  network = {
    nat_per_zone        = true
    interface_endpoints = ["ecr.api", "ecr.dkr", "sts", "logs", "secretsmanager", "ssm", "kms"]
  }
  database = {
    instance_class  = "db.m7g.large"
    storage_gib     = 100
    max_storage_gib = 1000
    backup_days     = 35
    max_connections = 250
  }
  cache              = { node_type = "cache.m7g.large", replicas = 1 }
  archive            = { glacier_after_days = 30 } # and kept until somebody decides otherwise
  log_retention_days = 365
  price_class        = "PriceClass_All"
}
