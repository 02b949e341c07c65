variable "repositories" {
  description = "Names of the repositories."
  type        = set(string)
  default     = ["security-monitor/backend", "security-monitor/frontend"]
}

variable "pull_account_ids" {
  description = "Other accounts whose nodes pull from here."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.pull_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "Account numbers have 12 digits."
  }
}

variable "keep_releases" {
  description = "How many tagged images are kept."
  type        = number
  default     = 100
}
