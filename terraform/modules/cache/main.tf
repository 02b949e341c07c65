# Redis carries wake-ups and copies between replicas and the counters of limits,
# nothing that would be missed: no snapshots.
resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "Live feed of ${var.name}"
  engine               = "redis"
  engine_version       = "7.1"
  node_type            = var.node_type
  port                 = 6379

  num_cache_clusters         = 1 + var.replicas
  automatic_failover_enabled = var.replicas > 0
  multi_az_enabled           = var.replicas > 0

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [var.security_group_id]

  at_rest_encryption_enabled = true
  kms_key_id                 = var.key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  auto_minor_version_upgrade = true
  maintenance_window         = "sun:04:30-sun:05:30"
  apply_immediately          = var.apply_immediately
}

# Whoever names no user is the default one, who may do nothing.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = "redis"
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

# The commands that docs/architecture.md lists, on the program's names alone.
resource "aws_elasticache_user" "backend" {
  user_id       = "${var.name}-backend"
  user_name     = "secmon"
  engine        = "redis"
  access_string = "on resetchannels &${var.channel} ~${var.channel}:* -@all +@connection +publish +subscribe +get +set +getex +eval +evalsha +time"

  authentication_mode {
    type      = "password"
    passwords = [data.aws_secretsmanager_secret_version.password.secret_string]
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = "redis"
  user_ids      = [aws_elasticache_user.default.user_id, aws_elasticache_user.backend.user_id]
}
