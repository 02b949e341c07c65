variable "account_id" {
  description = "AWS account of the image registry."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Account numbers have 12 digits."
  }
}

variable "region" {
  description = "Region of the image registry."
  type        = string
}

variable "github_repository" {
  description = "Repository whose pipeline pushes images: OWNER/NAME."
  type        = string
}

variable "environment_account_ids" {
  description = "Accounts of the environments, which pull images."
  type        = set(string)
}
