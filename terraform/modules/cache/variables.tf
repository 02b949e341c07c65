variable "name" {
  description = "Name of the replication group."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets without a way to the internet, over two zones or more."
  type        = list(string)
}

variable "security_group_id" {
  description = "The nodes' group."
  type        = string
}

variable "key_arn" {
  description = "KMS key of storage and secret."
  type        = string
}

variable "node_type" {
  description = "Kind of node."
  type        = string
  default     = "cache.t4g.small"
}

variable "replicas" {
  description = "Replicas beside the primary. With one or more, another zone takes over by itself."
  type        = number
  default     = 1

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5
    error_message = "0 to 5."
  }
}

variable "channel" {
  description = "Prefix of channels and keys that the program's user may touch (--redis-channel)."
  type        = string
  default     = "secmon.feed"
}

variable "password_version" {
  description = "Raise it by one for a new password."
  type        = number
  default     = 1
}

variable "recovery_window_days" {
  description = "For how many days the deleted secret can be brought back; 0: not at all, and its name is free at once."
  type        = number
  default     = 30
}

variable "apply_immediately" {
  description = "Change at once rather than in the maintenance window."
  type        = bool
  default     = false
}
