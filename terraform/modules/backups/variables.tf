variable "name" {
  description = "Prefix of the bucket's name."
  type        = string
}

variable "retention_days" {
  description = "How long a backup is kept."
  type        = number
}

variable "deletion_protection" {
  description = "Whether a bucket with backups in it refuses to be destroyed."
  type        = bool
}
