# Roles of the program, which calls nothing of AWS but its archive, and of what runs in
# the cluster beside it.

# Reads the program's secrets and parameters, no others.
data "aws_iam_policy_document" "external_secrets" {
  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = concat(values(module.secrets.arns), [module.database.dsn_secret_arn, module.cache.password_secret_arn])
  }

  statement {
    sid       = "Parameters"
    actions   = ["ssm:GetParameter", "ssm:GetParameters"]
    resources = values(module.parameters.arns)
  }

  statement {
    sid       = "ReadWhatIsEncrypted"
    actions   = ["kms:Decrypt"]
    resources = [module.kms.arns.data]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${data.aws_region.current.region}.amazonaws.com"]
    }
  }
}

module "role_external_secrets" {
  source = "../modules/irsa"

  name              = "${local.name}-external-secrets"
  oidc_provider_arn = module.eks.oidc_provider_arn
  oidc_issuer       = module.eks.oidc_issuer
  namespace         = "external-secrets"
  service_account   = "external-secrets"
  policy            = data.aws_iam_policy_document.external_secrets.json
}

# Writes lines into the three groups.
data "aws_iam_policy_document" "fluent_bit" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = [for arn in values(module.logs.group_arns) : "${arn}:*"]
  }
}

module "role_fluent_bit" {
  source = "../modules/irsa"

  name              = "${local.name}-fluent-bit"
  oidc_provider_arn = module.eks.oidc_provider_arn
  oidc_issuer       = module.eks.oidc_issuer
  namespace         = local.namespaces.logging
  service_account   = "security-monitor-fluent-bit"
  policy            = data.aws_iam_policy_document.fluent_bit.json
}

# The load balancer is Terraform's; its controller only registers pods in
# these target groups.
data "aws_iam_policy_document" "load_balancer_controller" {
  statement {
    sid = "Look"
    actions = [
      "ec2:DescribeAvailabilityZones",
      "ec2:DescribeInstances",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
      "elasticloadbalancing:DescribeLoadBalancers",
      "elasticloadbalancing:DescribeTags",
      "elasticloadbalancing:DescribeTargetGroupAttributes",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetHealth",
    ]
    resources = ["*"] # these actions know no resources
  }

  statement {
    sid       = "RegisterPods"
    actions   = ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"]
    resources = concat([module.load_balancer.target_group_arn], module.syslog[*].target_group_arn)
  }
}

module "role_load_balancer_controller" {
  source = "../modules/irsa"

  name              = "${local.name}-load-balancer-controller"
  oidc_provider_arn = module.eks.oidc_provider_arn
  oidc_issuer       = module.eks.oidc_issuer
  namespace         = "kube-system"
  service_account   = "aws-load-balancer-controller"
  policy            = data.aws_iam_policy_document.load_balancer_controller.json
}

# Adds to the archive and reads it, under its prefix alone; deletes nothing. What it
# writes over stays as a version.
data "aws_iam_policy_document" "backend" {
  statement {
    sid       = "Objects"
    actions   = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"]
    resources = ["${module.archive.arn}/secmon/*"]
  }

  statement {
    sid       = "Names"
    actions   = ["s3:ListBucket"]
    resources = [module.archive.arn]

    condition {
      test     = "StringEquals"
      variable = "s3:prefix"
      values   = ["secmon/"]
    }
  }

  # The key has more under it; for this role it opens this bucket's objects.
  statement {
    sid       = "KeyOfTheBucket"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [module.kms.arns.data]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${data.aws_region.current.region}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:s3:arn"
      values   = [module.archive.arn]
    }
  }
}

module "role_backend" {
  source = "../modules/irsa"

  name              = "${local.name}-backend"
  oidc_provider_arn = module.eks.oidc_provider_arn
  oidc_issuer       = module.eks.oidc_issuer
  namespace         = local.namespaces.program
  service_account   = "security-monitor-backend"
  policy            = data.aws_iam_policy_document.backend.json
}

# Adds backups; reads, lists and deletes none.
data "aws_iam_policy_document" "backup" {
  statement {
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${module.backups.arn}/secmon/*"]
  }
}

module "role_backup" {
  source = "../modules/irsa"

  name              = "${local.name}-backup"
  oidc_provider_arn = module.eks.oidc_provider_arn
  oidc_issuer       = module.eks.oidc_issuer
  namespace         = local.namespaces.program
  service_account   = "security-monitor-backup"
  policy            = data.aws_iam_policy_document.backup.json
}
