# A bucket as every environment's are: encrypted, closed to the public and to
# connections without TLS, without ACLs, and emptied by age alone. The bucket of the
# state is not made of it (bootstrap).
resource "aws_s3_bucket" "this" {
  bucket_prefix = var.name_prefix
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_versioning" "this" {
  count = var.versioned ? 1 : 0

  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# S3's own keys unless another is given: the load balancer writes with no other, and
# backups come encrypted.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.encrypted_by_key

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.encrypted_by_key ? "aws:kms" : "AES256"
      kms_master_key_id = var.encrypted_by_key ? var.key_arn : null
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    dynamic "expiration" {
      for_each = var.retention_days == null ? [] : [var.retention_days]

      content {
        days = expiration.value
      }
    }

    dynamic "noncurrent_version_expiration" {
      for_each = aws_s3_bucket_versioning.this

      content {
        noncurrent_days = coalesce(var.noncurrent_days, var.retention_days)
      }
    }

    # The one of Glacier's classes that is read at once: the program reads what it finds,
    # and waits for nobody who thaws it first.
    dynamic "transition" {
      for_each = var.glacier_after_days == null ? [] : [var.glacier_after_days]

      content {
        days          = transition.value
        storage_class = "GLACIER_IR"
      }
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  source_policy_documents = var.policy_documents

  statement {
    sid       = "TLSOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}
