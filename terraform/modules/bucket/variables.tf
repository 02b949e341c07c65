variable "name_prefix" {
  description = "What the bucket's name begins with; AWS completes it."
  type        = string

  validation {
    condition     = length(var.name_prefix) <= 37
    error_message = "37 characters at most: AWS adds 26 to make a name."
  }
}

variable "versioned" {
  description = "Keep what is written over or deleted, as long as everything else."
  type        = bool
  default     = false
}

variable "retention_days" {
  description = "How long objects are kept, in days. Null: for ever."
  type        = number
}

variable "noncurrent_days" {
  description = "How long versions are kept that were written over or deleted, in days. Null: as everything else."
  type        = number
  default     = null
}

variable "glacier_after_days" {
  description = "After how many days objects go into Glacier Instant Retrieval, which charges for 90 days at least. Null: never."
  type        = number
  default     = null

  validation {
    condition     = var.glacier_after_days == null || var.retention_days == null || coalesce(var.retention_days, 0) >= coalesce(var.glacier_after_days, 0) + 90
    error_message = "What is deleted within 90 days of going into Glacier costs more than it saves."
  }
}

variable "encrypted_by_key" {
  description = "Whether key_arn is given. It is told apart, since the key may be known only after apply."
  type        = bool
  default     = false
}

variable "key_arn" {
  description = "KMS key that objects are encrypted with, in place of S3's own."
  type        = string
  default     = null
}

variable "policy_documents" {
  description = "Who may use the bucket beside the roles of the account: policies as JSON, joined with the one that demands TLS."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Whether a bucket with objects in it refuses to be destroyed."
  type        = bool
}
