variable "name" {
  description = "Prefix of the alarms' names."
  type        = string
}

variable "emails" {
  description = "Who is told. Each has to confirm a message first."
  type        = set(string)
  default     = []
}

variable "key_arn" {
  description = "KMS key of the topic; CloudWatch may use it."
  type        = string
}

variable "database" {
  description = "The database: its name in metrics, its storage in GiB, the most connections it should have."
  type        = object({ identifier = string, storage_gib = number, connections = number })
}

variable "cache_id" {
  description = "Name of the Redis replication group."
  type        = string
}

variable "cache_nodes" {
  description = "How many nodes it has."
  type        = number
}

variable "load_balancer" {
  description = "Load balancer and target group, as metrics have them."
  type        = object({ arn_suffix = string, target_group_arn_suffix = string })
}

variable "errors_metric" {
  description = "Metric that counts the backend's errors."
  type        = object({ namespace = string, name = string })
}
