# For trying changes out: small, cheap, and gone when it is destroyed.
module "stack" {
  source = "../../stack"

  environment             = "dev"
  github_environment      = "dev"
  protected               = false
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

  nodes              = { capacity = "SPOT", min = 1, desired = 2, max = 4 }
  network            = { nat_per_zone = false }
  database           = { multi_az = false, backup_days = 7 }
  cache              = { node_type = "cache.t4g.micro", replicas = 0 }
  archive            = { days = 30 }
  log_retention_days = 14
}
