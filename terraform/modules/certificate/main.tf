# Two certificates for the same names: CloudFront takes its from us-east-1 only,
# the load balancer from its own region. ACM proves a name by one record in a
# zone, whatever the region: both share the records.
locals {
  names = toset([var.domain, var.origin_domain])
}

resource "aws_acm_certificate" "regional" {
  domain_name               = var.domain
  subject_alternative_names = [var.origin_domain]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "cloudfront" {
  region                    = "us-east-1"
  domain_name               = var.domain
  subject_alternative_names = [var.origin_domain]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  records = {
    for name in local.names : name => one([for o in aws_acm_certificate.regional.domain_validation_options : o if o.domain_name == name])
  }
}

resource "aws_route53_record" "validation" {
  for_each = local.names

  zone_id = var.zone_id
  name    = local.records[each.key].resource_record_name
  type    = local.records[each.key].resource_record_type
  records = [local.records[each.key].resource_record_value]
  ttl     = 300
}

resource "aws_acm_certificate_validation" "regional" {
  certificate_arn         = aws_acm_certificate.regional.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

resource "aws_acm_certificate_validation" "cloudfront" {
  region                  = "us-east-1"
  certificate_arn         = aws_acm_certificate.cloudfront.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}
