output "dns_name" {
  description = "AWS's name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Zone of that name, for alias records."
  value       = aws_lb.this.zone_id
}

output "arn_suffix" {
  description = "The load balancer, as metrics have it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn" {
  description = "Where the ingress controller's pods are registered."
  value       = aws_lb_target_group.ingress.arn
}

output "target_group_arn_suffix" {
  description = "The target group, as metrics have it."
  value       = aws_lb_target_group.ingress.arn_suffix
}

output "origin_header" {
  description = "Header by which CloudFront proves itself."
  value       = { name = local.origin_header, value = local.origin_secret }
  sensitive   = true
}
