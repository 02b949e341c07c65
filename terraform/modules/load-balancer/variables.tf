variable "name" {
  description = "Name of the load balancer, 32 characters at most."
  type        = string

  validation {
    condition     = length(var.name) <= 28
    error_message = "28 characters at most: four more are added for the target group."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "The load balancer's group."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate of the names that it answers to."
  type        = string
}

variable "ingress_port" {
  description = "Port of the ingress controller's pods."
  type        = number
}

variable "deletion_protection" {
  description = "Refuse to delete the load balancer and its logs."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "How long access logs are kept, in days."
  type        = number
  default     = 90
}

variable "secrets_key_arn" {
  description = "KMS key of the secret that CloudFront shows."
  type        = string
}

variable "origin_secret_version" {
  description = "Raise it by one for a new value of the header that proves CloudFront. Requests fail until both sides have it: some minutes."
  type        = number
  default     = 1
}
