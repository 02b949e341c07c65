variable "name" {
  description = "Prefix of the secrets' names."
  type        = string
}

variable "key_arn" {
  description = "KMS key of the secrets."
  type        = string
}

variable "recovery_window_days" {
  description = "For how many days a deleted secret can be brought back; 0: not at all, and its name is free at once."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_window_days == 0 || var.recovery_window_days >= 7 && var.recovery_window_days <= 30
    error_message = "0, or 7 to 30 days."
  }
}
