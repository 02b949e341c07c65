output "arns" {
  description = "ARN of each parameter."
  value       = { for name, parameter in aws_ssm_parameter.this : name => parameter.arn }
}

output "names" {
  description = "Full name of each parameter."
  value       = { for name, parameter in aws_ssm_parameter.this : name => parameter.name }
}
