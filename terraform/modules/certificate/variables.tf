variable "zone_id" {
  description = "Route 53 zone of the names."
  type        = string
}

variable "domain" {
  description = "Name that people use."
  type        = string
}

variable "origin_domain" {
  description = "Name of the load balancer, for CloudFront."
  type        = string
}
