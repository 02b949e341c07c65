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
  description = "How long objects are kept, in days."
  type        = number
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
