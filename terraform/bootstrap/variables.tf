variable "account_id" {
  description = "The AWS account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Account numbers have 12 digits."
  }
}

variable "region" {
  description = "Region of the state."
  type        = string
}

variable "autoscaling_role" {
  description = "Make the service-linked role of Auto Scaling, which the key of the nodes' volumes names. False where the account has it already."
  type        = bool
  default     = true
}
