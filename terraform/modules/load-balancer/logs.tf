data "aws_caller_identity" "current" {}

# Access logs of the load balancer.
module "logs" {
  source = "../bucket"

  name_prefix         = "${var.name}-logs-"
  retention_days      = var.log_retention_days
  policy_documents    = [data.aws_iam_policy_document.logs.json]
  deletion_protection = var.deletion_protection
}

data "aws_iam_policy_document" "logs" {
  statement {
    sid       = "LoadBalancerWrites"
    actions   = ["s3:PutObject"]
    resources = ["${module.logs.arn}/alb/AWSLogs/${data.aws_caller_identity.current.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }
}
