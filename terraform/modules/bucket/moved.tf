# This was the module of the backups' bucket, whose versioning was no choice.
moved {
  from = aws_s3_bucket_versioning.this
  to   = aws_s3_bucket_versioning.this[0]
}
