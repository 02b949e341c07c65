# Without the network plugin no node gets ready; its role is a pod's, not a node's.
module "role_network" {
  source = "../irsa"

  name                = "${var.name}-vpc-cni"
  oidc_provider_arn   = aws_iam_openid_connect_provider.this.arn
  oidc_issuer         = local.issuer
  namespace           = "kube-system"
  service_account     = "aws-node"
  has_policy          = false
  managed_policy_arns = ["arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKS_CNI_Policy"]
}

module "role_volumes" {
  source = "../irsa"

  name                = "${var.name}-ebs-csi"
  oidc_provider_arn   = aws_iam_openid_connect_provider.this.arn
  oidc_issuer         = local.issuer
  namespace           = "kube-system"
  service_account     = "ebs-csi-controller-sa"
  policy              = data.aws_iam_policy_document.volumes_key.json
  managed_policy_arns = ["arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"]
}

data "aws_iam_policy_document" "volumes_key" {
  statement {
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = [var.volumes_key_arn]
  }

  statement {
    actions   = ["kms:CreateGrant"]
    resources = [var.volumes_key_arn]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

locals {
  issuer = trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")

  addons_before_nodes = {
    "vpc-cni" = {
      role = module.role_network.role_arn
      # The chart's network policies count for nothing without it.
      values = jsonencode({ enableNetworkPolicy = "true" })
    }
    "kube-proxy" = { role = null, values = null }
  }

  addons_after_nodes = {
    "coredns"            = { role = null, values = null }
    "aws-ebs-csi-driver" = { role = module.role_volumes.role_arn, values = null }
    "metrics-server"     = { role = null, values = null } # the pod autoscaler reads it
  }
}

# Versions: the one that AWS gives as default for the cluster's, at creation.
resource "aws_eks_addon" "before_nodes" {
  for_each = local.addons_before_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  service_account_role_arn    = each.value.role
  configuration_values        = each.value.values
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"
}

resource "aws_eks_addon" "after_nodes" {
  for_each = local.addons_after_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  service_account_role_arn    = each.value.role
  configuration_values        = each.value.values
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"

  depends_on = [aws_eks_node_group.this]
}
