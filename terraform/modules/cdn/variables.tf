variable "name" {
  description = "What the distribution is called in its comment."
  type        = string
}

variable "zone_id" {
  description = "Route 53 zone of the names."
  type        = string
}

variable "domain" {
  description = "Name that people use."
  type        = string
}

variable "origin_domain" {
  description = "Name of the load balancer; its certificate is valid for it."
  type        = string
}

variable "origin_header" {
  description = "Header by which CloudFront proves itself to the load balancer."
  type        = object({ name = string, value = string })
  sensitive   = true
}

variable "load_balancer" {
  description = "The load balancer's own name and zone."
  type        = object({ dns_name = string, zone_id = string })
}

variable "certificate_arn" {
  description = "Certificate in us-east-1."
  type        = string
}

variable "price_class" {
  description = "From which places CloudFront answers: PriceClass_100, 200 or All."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}
