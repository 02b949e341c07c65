output "regional_arn" {
  description = "Certificate for the load balancer, once it is valid."
  value       = aws_acm_certificate_validation.regional.certificate_arn
}

output "cloudfront_arn" {
  description = "Certificate for CloudFront, once it is valid."
  value       = aws_acm_certificate_validation.cloudfront.certificate_arn
}
