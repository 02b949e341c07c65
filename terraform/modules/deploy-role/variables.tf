variable "name" {
  description = "The role's name."
  type        = string
}

variable "github_repository" {
  description = "Who may take it: OWNER/NAME."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "OWNER/NAME."
  }
}

variable "github_environment" {
  description = "The environment whose approvals stand before it."
  type        = string
}

variable "cluster" {
  description = "The cluster's name and ARN."
  type        = object({ name = string, arn = string })
}

variable "namespaces" {
  description = "The namespaces that it deploys into."
  type        = list(string)

  validation {
    condition     = length(var.namespaces) > 0 && !contains(var.namespaces, "kube-system")
    error_message = "At least one, and never kube-system."
  }
}

variable "group" {
  description = "Kubernetes group of the role: scripts/platform.sh binds it to the custom resources that AWS's access policy does not know (ExternalSecret, ServiceMonitor, ...)."
  type        = string
}

variable "registry_account_id" {
  description = "Account of the image registry: signatures are read there."
  type        = string
}

variable "parameter_arns" {
  description = "Parameters that a deployment reads: the chart's values."
  type        = list(string)
}
