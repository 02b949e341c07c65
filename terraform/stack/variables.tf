variable "environment" {
  description = "dev, staging or prod."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "dev, staging or prod."
  }
}

variable "protected" {
  description = "Whether data outlives mistakes: deletion protection of database, cluster and load balancer, last snapshots, kept logs."
  type        = bool
}

variable "domain" {
  description = "Name that people use."
  type        = string
}

variable "zone_name" {
  description = "Public Route 53 zone that the name is in. It exists already."
  type        = string
}

variable "github_repository" {
  description = "Repository whose pipeline deploys: OWNER/NAME."
  type        = string
}

variable "github_environment" {
  description = "GitHub environment that deploys here."
  type        = string
}

variable "registry_account_id" {
  description = "Account of the image registry (terraform/shared)."
  type        = string
}

variable "backup_region" {
  description = "Region that keeps a copy of the database's backups. Null: none does."
  type        = string
  default     = null
}

variable "alarm_emails" {
  description = "Who is told of alarms."
  type        = set(string)
  default     = []
}

variable "admin_role_arns" {
  description = "IAM roles that administer the cluster."
  type        = set(string)
}

variable "kubernetes_version" {
  description = "Version of the cluster."
  type        = string
  default     = "1.34"
}

variable "kubernetes_public_cidrs" {
  description = "From where the Kubernetes API may be reached over the internet. Empty: from inside the VPC only."
  type        = list(string)
  default     = []
}

variable "nodes" {
  description = "Kinds and numbers of nodes."
  type = object({
    types    = optional(list(string), ["m6i.large", "m6a.large"])
    capacity = optional(string, "ON_DEMAND")
    min      = optional(number, 2)
    desired  = optional(number, 2)
    max      = optional(number, 6)
  })
  default = {}
}

variable "network" {
  description = "NAT in every zone or one for all; AWS services that are reached inside the VPC."
  type = object({
    nat_per_zone        = optional(bool, true)
    interface_endpoints = optional(set(string), [])
  })
  default = {}
}

variable "database" {
  description = "Size and care of the database."
  type = object({
    instance_class  = optional(string, "db.t3.micro")
    storage_gib     = optional(number, 20)
    max_storage_gib = optional(number, 100)
    multi_az        = optional(bool, true)
    backup_days     = optional(number, 14)
    max_connections = optional(number, 60)
  })
  default = {}
}

variable "cache" {
  description = "Size of Redis."
  type = object({
    node_type = optional(string, "cache.t4g.small")
    replicas  = optional(number, 1)
  })
  default = {}
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
  default     = 90
}

variable "credentials_version" {
  description = "Raise it by one for new passwords of database and Redis. The program reads them when its pods are next made."
  type        = number
  default     = 1
}

variable "price_class" {
  description = "From which places CloudFront answers."
  type        = string
  default     = "PriceClass_100"
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

variable "archive" {
  description = "How long events are kept in the archive after the program has deleted them, in days (null: for ever), and after how many they go into Glacier Instant Retrieval (null: never)."
  type = object({
    days               = optional(number)
    glacier_after_days = optional(number)
  })
  default = {}
}

variable "syslog" {
  description = "Networks inside, by VPN or peering, that send syslog over TLS (empty: none do); Secrets with the certificate that they are shown, and with the CA of theirs (empty: the networks decide)."
  type = object({
    cidrs            = optional(list(string), [])
    secret           = optional(string, "syslog-tls")
    client_ca_secret = optional(string, "")
  })
  default = {}

  validation {
    condition     = alltrue([for cidr in var.syslog.cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "Networks such as 10.64.0.0/16. Syslog is not for everybody."
  }
}
