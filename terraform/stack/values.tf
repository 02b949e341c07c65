# What the chart has to know of this environment, as a values file. The pipeline
# reads it from Parameter Store, people by `terraform output -raw helm_values`.
# Images are not in it: the pipeline names them by digest.
locals {
  secret_keys = merge(module.secrets.names, {
    database-dsn   = module.database.dsn_secret_name
    redis-password = module.cache.password_secret_name
  })

  archive_path = "s3://${module.archive.bucket}/secmon/"

  helm_values = {
    config = {
      public-url = module.cdn.url
    }
    ingress = {
      enabled   = true
      className = "nginx"
      host      = var.domain
    }
    mysql    = { enabled = false }
    database = { external = { host = "", dsnInSecret = true } } # not the example's host
    redis = {
      enabled  = false
      external = { url = module.cache.url, auth = true }
    }
    # The ConfigMap with RDS's authorities is scripts/platform.sh's.
    trustedCAs = { configMap = "rds-ca" }
    secrets = {
      existingSecret = "" # not the example's
      externalSecrets = {
        enabled = true
        store   = { name = "aws-secrets-manager", kind = "ClusterSecretStore" }
        data    = [for key, name in local.secret_keys : { secretKey = key, remoteRef = { key = name } }]
      }
    }
    networkPolicy = {
      database = { cidrs = module.network.database_cidrs }
      redis    = { cidrs = module.network.database_cidrs }
      syslog   = { healthCheckCidrs = length(module.syslog) > 0 ? module.network.private_cidrs : [] }
    }
    archive = {
      to = local.archive_path
      s3 = { region = data.aws_region.current.region }
    }
    # Its certificate is the operator's to put into the Secret: cert-manager's, or one of
    # an authority inside that senders know. Without a client CA the networks decide.
    syslog = {
      tls = {
        enabled        = length(module.syslog) > 0
        port           = local.syslog_ports.events
        secret         = var.syslog.secret
        clientCASecret = var.syslog.client_ca_secret
      }
      networks = var.syslog.cidrs
    }
    # The environments' values want both; without their kinds in the cluster helm would
    # refuse the whole release.
    metrics = {
      serviceMonitor = { enabled = var.operators.prometheus }
      prometheusRule = { enabled = var.operators.prometheus }
      dashboards     = { enabled = var.operators.prometheus }
    }
    backend = {
      verticalAutoscaling = { enabled = var.operators.vertical_pod_autoscaler }
      serviceAccount      = { annotations = { "eks.amazonaws.com/role-arn" = module.role_backend.role_arn } }
    }
    frontend = { verticalAutoscaling = { enabled = var.operators.vertical_pod_autoscaler } }
    backup = {
      enabled        = length(var.backup_recipients) > 0
      to             = "s3://${module.backups.bucket}/secmon/"
      recipients     = var.backup_recipients
      keep           = 0 # the bucket's rule takes old ones away; the role cannot
      s3             = { region = data.aws_region.current.region }
      serviceAccount = { annotations = { "eks.amazonaws.com/role-arn" = module.role_backup.role_arn } }
    }
    fluentBit = {
      enabled        = true
      namespace      = local.namespaces.logging
      region         = data.aws_region.current.region
      logGroupPrefix = module.logs.prefix
      serviceAccount = { annotations = { "eks.amazonaws.com/role-arn" = module.role_fluent_bit.role_arn } }
    }
  }
}

output "helm_values" {
  description = "Values of the chart for this environment, as YAML. Nothing in it is secret."
  value       = yamlencode(local.helm_values)
}

resource "aws_ssm_parameter" "helm_values" {
  name  = "/security-monitor/${var.environment}/helm-values"
  type  = "String"
  tier  = "Intelligent-Tiering" # beyond 4 KiB it has to be an advanced one
  value = yamlencode(local.helm_values)
}
