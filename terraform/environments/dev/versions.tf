terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }

  # Bucket, key and region are the account's: terraform init -backend-config=backend.hcl
  # (bootstrap prints them). S3 itself holds the lock.
  backend "s3" {
    key          = "security-monitor/dev.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id] # an environment in the wrong account is refused

  default_tags {
    tags = {
      Project     = "security-monitor"
      Environment = "dev"
      ManagedBy   = "terraform"
    }
  }
}
