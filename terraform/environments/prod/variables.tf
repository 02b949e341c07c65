variable "account_id" {
  description = "AWS account of this environment: one of its own."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Account numbers have 12 digits."
  }
}

variable "region" {
  description = "Region of this environment."
  type        = string
}

variable "backup_region" {
  description = "Region that keeps a copy of the database's backups."
  type        = string
  default     = null
}

variable "domain" {
  description = "Name that people use."
  type        = string

  validation {
    condition     = endswith(var.domain, var.zone_name)
    error_message = "The name has to be in the zone."
  }
}

variable "zone_name" {
  description = "Public Route 53 zone that the name is in."
  type        = string
}

variable "github_repository" {
  description = "Repository whose pipeline deploys: OWNER/NAME."
  type        = string
}

variable "registry_account_id" {
  description = "Account of the image registry (terraform/shared)."
  type        = string
}

variable "alarm_emails" {
  description = "Who is told of alarms."
  type        = set(string)
}

variable "admin_role_arns" {
  description = "IAM roles that administer the cluster."
  type        = set(string)
}

variable "kubernetes_public_cidrs" {
  description = "From where the Kubernetes API may be reached over the internet: the runners that deploy, say. Empty: from inside the VPC only."
  type        = list(string)
  default     = []
}

variable "credentials_version" {
  description = "Raise it by one for new passwords of database and Redis."
  type        = number
  default     = 1
}

variable "operators" {
  description = "Operators that the cluster has beside those of scripts/platform.sh. The chart makes objects of their kinds only then."
  type = object({
    prometheus              = optional(bool, false)
    vertical_pod_autoscaler = optional(bool, false)
  })
  default = {}
}

variable "backup_recipients" {
  description = "Public keys (secmon backup keygen) that backups are encrypted for. Empty: the chart makes none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for key in var.backup_recipients : can(regex("^age1[0-9a-z]+$", key))])
    error_message = "Public keys begin with age1. The private ones stay out of AWS."
  }
}

variable "syslog" {
  description = "Networks inside, by VPN or peering, that send syslog over TLS (empty: none do); Secrets with the certificate that they are shown, and with the CA of theirs (empty: the networks decide)."
  type = object({
    cidrs            = optional(list(string), [])
    secret           = optional(string, "syslog-tls")
    client_ca_secret = optional(string, "")
  })
  default = {}
}
