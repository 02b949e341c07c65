variable "name" {
  description = "Prefix of the groups' names."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "ingress_port" {
  description = "Port on which the ingress controller's pods take what the load balancer sends."
  type        = number
  default     = 8080

  validation {
    condition     = var.ingress_port >= 1025 && var.ingress_port <= 65535
    error_message = "The controller does not run as root: 1025 to 65535."
  }
}

variable "syslog_cidrs" {
  description = "Networks that send syslog. Empty: there is no way in for it."
  type        = list(string)
  default     = []
}

variable "syslog_port" {
  description = "Port for syslog over TLS."
  type        = number
  default     = 6514
}

variable "syslog_health_port" {
  description = "Port on which the program's pods say whether they are ready."
  type        = number
  default     = 8000
}
