# The program's own keys. Terraform makes the first value and never another one. Keys
# are rotated by hand in the same secret: OLD,NEW, then NEW,OLD, then NEW, each rolled
# out before the next, and `secmon keys reseal` before the last one of sealing-keys, or
# what the old key has sealed is lost (docs/recovery.md, "Rotating keys and passwords").
locals {
  names = toset(["jwt-keys", "sealing-keys", "admin-password"])

  descriptions = {
    jwt-keys       = "SECMON_JWT_KEYS_FILE"
    sealing-keys   = "SECMON_SEALING_KEYS_FILE"
    admin-password = "SECMON_ADMIN_PASSWORD, of the first start"
  }
}

# 64 letters and digits are 380 bits.
ephemeral "aws_secretsmanager_random_password" "this" {
  for_each = local.names

  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  for_each = local.names

  name                    = "${var.name}/backend/${each.value}"
  description             = local.descriptions[each.value]
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = local.names

  secret_id = aws_secretsmanager_secret.this[each.key].id
  # Keys are base64 of 32 bytes or more.
  secret_string_wo         = endswith(each.key, "-keys") ? base64encode(ephemeral.aws_secretsmanager_random_password.this[each.key].random_password) : ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  secret_string_wo_version = 1
}
