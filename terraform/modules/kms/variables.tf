variable "name" {
  description = "Prefix of the keys' aliases."
  type        = string
}

variable "deletion_window_days" {
  description = "Days between a key's deletion and its end."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "AWS allows 7 to 30 days."
  }
}
