# Shaped like production, in small: what passes here has met a standby, a
# failover and two zones.
module "stack" {
  source = "../../stack"

  environment             = "staging"
  github_environment      = "staging"
  protected               = false
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

  nodes              = { min = 2, desired = 2, max = 4 }
  network            = { nat_per_zone = false }
  database           = { instance_class = "db.t3.medium", backup_days = 7 }
  archive            = { days = 90 }
  log_retention_days = 30
}
