variable "name" {
  description = "Prefix of the names of what this module makes."
  type        = string
}

variable "cluster_name" {
  description = "EKS cluster whose load balancers may use the subnets."
  type        = string
}

variable "cidr" {
  description = "Address range of the VPC."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && tonumber(split("/", var.cidr)[1]) <= 20
    error_message = "The range must be an IPv4 CIDR of /20 or larger."
  }
}

variable "public_cidrs" {
  description = "Public subnets (load balancer, NAT), one a zone."
  type        = list(string)
  default     = ["10.0.1.0/24", "10.0.2.0/24"]

  validation {
    condition     = length(var.public_cidrs) >= 2 && alltrue([for c in var.public_cidrs : can(cidrnetmask(c))])
    error_message = "At least two IPv4 CIDRs: a load balancer stands in two zones."
  }
}

variable "private_cidrs" {
  description = "Private subnets (nodes and pods), one a zone."
  type        = list(string)
  default     = ["10.0.3.0/24", "10.0.4.0/24"]

  validation {
    condition     = length(var.private_cidrs) >= 2 && alltrue([for c in var.private_cidrs : can(cidrnetmask(c))])
    error_message = "At least two IPv4 CIDRs: EKS asks for two zones."
  }
}

variable "database_cidrs" {
  description = "Subnets of database and cache, one a zone. They have no way to the internet."
  type        = list(string)
  default     = ["10.0.5.0/24", "10.0.6.0/24"]

  validation {
    condition     = length(var.database_cidrs) >= 2 && alltrue([for c in var.database_cidrs : can(cidrnetmask(c))])
    error_message = "At least two IPv4 CIDRs: Multi-AZ asks for two zones."
  }
}

variable "nat_per_zone" {
  description = "A NAT gateway in every zone, so that the loss of one zone cuts off no other. Without it one serves all."
  type        = bool
  default     = true
}

variable "interface_endpoints" {
  description = "AWS services that are reached inside the VPC, by their short names. S3 always is, by a gateway."
  type        = set(string)
  default     = []
}

variable "flow_log_retention_days" {
  description = "How long flow logs are kept, in days."
  type        = number
  default     = 90
}

variable "logs_key_arn" {
  description = "KMS key of the flow logs' group."
  type        = string
}
