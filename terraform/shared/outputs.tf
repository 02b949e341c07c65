output "repository_urls" {
  description = "Address of each image repository."
  value       = module.registry.urls
}

output "push_role_arn" {
  description = "AWS_PUSH_ROLE of the GitHub repository."
  value       = aws_iam_role.push.arn
}
