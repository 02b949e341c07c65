output "target_group_arn" {
  description = "Target group that the program's pods are registered in."
  value       = aws_lb_target_group.this.arn
}
