variable "name" {
  description = "The cluster's name."
  type        = string
}

variable "kubernetes_version" {
  description = "Version of the control plane and of the nodes."
  type        = string

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "A minor version, as in 1.34."
  }
}

variable "subnet_ids" {
  description = "Private subnets, over two zones or more."
  type        = list(string)
}

variable "cluster_security_group_id" {
  description = "Group of the control plane's network interfaces."
  type        = string
}

variable "nodes_security_group_id" {
  description = "Group of the nodes."
  type        = string
}

variable "secrets_key_arn" {
  description = "KMS key that wraps Kubernetes' secrets."
  type        = string
}

variable "volumes_key_arn" {
  description = "KMS key of the nodes' and pods' volumes."
  type        = string
}

variable "logs_key_arn" {
  description = "KMS key of the control plane's log group."
  type        = string
}

variable "log_retention_days" {
  description = "How long the control plane's logs are kept, in days."
  type        = number
  default     = 90
}

variable "public_access_cidrs" {
  description = "From where the Kubernetes API may be reached over the internet. Empty: from inside the VPC only."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.public_access_cidrs : can(cidrnetmask(c)) && tonumber(split("/", c)[1]) >= 16])
    error_message = "Ranges of /16 or smaller; the whole internet is none."
  }
}

variable "admin_role_arns" {
  description = "IAM roles that administer the cluster."
  type        = set(string)
  default     = []
}

variable "instance_types" {
  description = "Kinds of nodes, alike in size: the cluster autoscaler takes them for the same."
  type        = list(string)
  default     = ["m6i.large", "m6a.large"]
}

variable "capacity_type" {
  description = "ON_DEMAND or SPOT."
  type        = string
  default     = "ON_DEMAND"

  validation {
    condition     = contains(["ON_DEMAND", "SPOT"], var.capacity_type)
    error_message = "ON_DEMAND or SPOT."
  }
}

variable "nodes" {
  description = "How many nodes: at least, at first, at most. Between them the cluster autoscaler decides."
  type        = object({ min = number, desired = number, max = number })
  default     = { min = 2, desired = 2, max = 6 }

  validation {
    condition     = var.nodes.min >= 1 && var.nodes.min <= var.nodes.desired && var.nodes.desired <= var.nodes.max
    error_message = "1 <= min <= desired <= max."
  }
}

variable "node_volume_gib" {
  description = "A node's volume, in GiB."
  type        = number
  default     = 50
}

variable "deletion_protection" {
  description = "Refuse to delete the cluster."
  type        = bool
  default     = true
}
