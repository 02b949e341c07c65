variable "name" {
  description = "The instance's name."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets without a way to the internet, over two zones or more."
  type        = list(string)
}

variable "security_group_id" {
  description = "The instance's group."
  type        = string
}

variable "key_arn" {
  description = "KMS key of storage, backups and Performance Insights."
  type        = string
}

variable "instance_class" {
  description = "Kind of instance."
  type        = string
  default     = "db.t3.micro"

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "RDS classes begin with db."
  }
}

variable "allocated_storage_gib" {
  description = "Storage at first, in GiB."
  type        = number
  default     = 20

  validation {
    condition     = var.allocated_storage_gib >= 20
    error_message = "gp3 begins at 20 GiB."
  }
}

variable "max_storage_gib" {
  description = "How far storage may grow by itself, in GiB."
  type        = number
  default     = 100
}

variable "engine_version" {
  description = "MySQL's version; RDS takes the latest patch of it."
  type        = string
  default     = "8.4"
}

variable "multi_az" {
  description = "A standby in another zone that takes over by itself."
  type        = bool
  default     = true
}

variable "performance_insights" {
  description = "Performance Insights. RDS does not offer them for MySQL on the smallest classes (micro and small of t3 and t4g): there they stay off."
  type        = bool
  default     = true
}

variable "backup_retention_days" {
  description = "How long automated backups are kept, in days: any second of them can be restored."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "7 to 35 days."
  }
}

variable "backup_region" {
  description = "Region that keeps a copy of the backups. Null: none does."
  type        = string
  default     = null
}

variable "deletion_protection" {
  description = "Refuse to delete the instance; without it the last snapshot is left out, too."
  type        = bool
  default     = true
}

variable "apply_immediately" {
  description = "Change at once rather than in the maintenance window."
  type        = bool
  default     = false
}

variable "password_version" {
  description = "Raise it by one for a new password."
  type        = number
  default     = 1
}

variable "logs_key_arn" {
  description = "KMS key of the log groups."
  type        = string
}

variable "log_retention_days" {
  description = "How long the error and slow query logs are kept, in days."
  type        = number
  default     = 90
}
