variable "name" {
  description = "The role's name."
  type        = string
}

variable "oidc_provider_arn" {
  description = "The cluster's OpenID Connect provider in IAM."
  type        = string
}

variable "oidc_issuer" {
  description = "The cluster's issuer, without https://."
  type        = string

  validation {
    condition     = !startswith(var.oidc_issuer, "https://")
    error_message = "The issuer stands in conditions without its scheme."
  }
}

variable "namespace" {
  description = "Namespace of the service account."
  type        = string
}

variable "service_account" {
  description = "The one service account that may take the role."
  type        = string

  validation {
    condition     = !strcontains(var.service_account, "*")
    error_message = "One account, not a pattern."
  }
}

variable "policy" {
  description = "What the role may do, as a policy document. Null: only what managed_policy_arns say."
  type        = string
  default     = null
}

variable "has_policy" {
  description = "Whether policy is given. It is told apart, since the document may be known only after apply."
  type        = bool
  default     = true
}

variable "managed_policy_arns" {
  description = "Policies of AWS that the role has."
  type        = set(string)
  default     = []
}
