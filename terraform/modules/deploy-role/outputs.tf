output "role_arn" {
  description = "The role (AWS_DEPLOY_ROLE of the GitHub environment)."
  value       = aws_iam_role.this.arn
}
