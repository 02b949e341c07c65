variable "prefix" {
  description = "Path of the parameters, without a slash at its end."
  type        = string

  validation {
    condition     = startswith(var.prefix, "/") && !endswith(var.prefix, "/")
    error_message = "A path, as in /security-monitor/prod."
  }
}

variable "values" {
  description = "What is not secret, by name: External Secrets puts it into the program's environment."
  type        = map(string)
}
