variable "prefix" {
  description = "What the groups' names begin with."
  type        = string
  default     = "/aws/eks/security-monitor"
}

variable "key_arn" {
  description = "KMS key of the groups."
  type        = string
}

variable "retention_days" {
  description = "How long logs are kept, in days."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.retention_days)
    error_message = "CloudWatch keeps logs for certain numbers of days only: 7, 14, 30, 60, 90, 180, 365, 400, 731, ..."
  }
}

variable "deletion_protection" {
  description = "Keep the groups when the rest is destroyed."
  type        = bool
  default     = true
}
