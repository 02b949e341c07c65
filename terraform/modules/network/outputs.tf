output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "private_subnet_ids" {
  description = "Subnets of nodes and pods."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "database_subnet_ids" {
  description = "Subnets of database and cache."
  value       = [for subnet in aws_subnet.database : subnet.id]
}

output "database_cidrs" {
  description = "Ranges of the subnets of database and cache, for network policies."
  value       = values(local.database)
}

output "cidr" {
  description = "Range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "private_cidrs" {
  description = "Ranges of the subnets of nodes and pods, for network policies."
  value       = values(local.private)
}
