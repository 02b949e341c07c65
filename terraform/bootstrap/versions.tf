# What has to be there before anything else, once for each account. Its own state
# is local at first and moves into the bucket that it makes (README.md).
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      Project   = "security-monitor"
      ManagedBy = "terraform"
    }
  }
}
