output "distribution_id" {
  description = "The distribution, as metrics have it."
  value       = aws_cloudfront_distribution.this.id
}

output "url" {
  description = "Address that people use (SECMON_PUBLIC_URL)."
  value       = "https://${var.domain}"
}
