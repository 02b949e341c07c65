# Backups and the log of changes, also in another region: what is left when this
# one is not. Restoring there is docs/recovery.md's matter.
data "aws_region" "current" {}

resource "aws_kms_key" "copies" {
  count = var.backup_region == null ? 0 : 1

  region                  = var.backup_region
  description             = "${var.name}: copies of the database's backups"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  lifecycle {
    precondition {
      condition     = var.backup_region != data.aws_region.current.region
      error_message = "The copies belong into another region than the database."
    }
  }
}

resource "aws_db_instance_automated_backups_replication" "this" {
  count = var.backup_region == null ? 0 : 1

  region                 = var.backup_region
  source_db_instance_arn = aws_db_instance.this.arn
  kms_key_id             = aws_kms_key.copies[0].arn
  retention_period       = var.backup_retention_days
}
