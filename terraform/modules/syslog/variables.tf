variable "name" {
  description = "Prefix of the names."
  type        = string

  validation {
    condition     = length(var.name) <= 25
    error_message = "25 characters at most: a load balancer's name has 32."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the load balancer: those of the pods."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the load balancer."
  type        = string
}

variable "port" {
  description = "Port for syslog over TLS, of the load balancer and of the pods."
  type        = number
}

variable "health_port" {
  description = "Port on which pods say whether they are ready."
  type        = number
}

variable "zone_id" {
  description = "Route 53 zone of the name."
  type        = string
}

variable "domain" {
  description = "Name that senders use."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
}
