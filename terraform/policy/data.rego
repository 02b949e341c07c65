package main

import rego.v1

deny contains msg if {
	environment
	some type in {"aws_db_instance", "aws_elasticache_replication_group"}
	count(planned(type)) != 1
	msg := sprintf("%s: an environment has one", [type])
}

database contains [c, "is encrypted at rest, with our key"] if {
	some c in planned("aws_db_instance")
	not is(c.change, "storage_encrypted", true)
}

database contains [c, "is encrypted at rest, with our key"] if {
	some c in planned("aws_db_instance")
	not has_text(c.change, "kms_key_id")
}

database contains [c, "is not public"] if {
	some c in planned("aws_db_instance")
	not is(c.change, "publicly_accessible", false)
}

database contains [c, "is MySQL"] if {
	some c in planned("aws_db_instance")
	not is(c.change, "engine", "mysql")
}

database contains [c, "is Multi-AZ"] if {
	careful
	some c in planned("aws_db_instance")
	not is(c.change, "multi_az", true)
}

database contains [c, "has automated backups of 7 days or more"] if {
	some c in planned("aws_db_instance")
	days := value(c.change, "backup_retention_period")
	days < 7 # null is less than any number
}

database contains [c, "cannot be deleted in production, and leaves its backups and a last snapshot"] if {
	environment == "prod"
	some c in planned("aws_db_instance")
	some name, value in {"deletion_protection": true, "skip_final_snapshot": false, "delete_automated_backups": false}
	not is(c.change, name, value)
}

# RDS has no Performance Insights for MySQL on these.
without_insights := {"db.t3.micro", "db.t3.small", "db.t4g.micro", "db.t4g.small"}

database contains [c, "has Performance Insights where its class has them"] if {
	some c in planned("aws_db_instance")
	class := value(c.change, "instance_class")
	not class in without_insights
	not is(c.change, "performance_insights_enabled", true)
}

database contains [c, "would be refused: its class has no Performance Insights"] if {
	some c in planned("aws_db_instance")
	c.change.after.instance_class in without_insights
	is(c.change, "performance_insights_enabled", true)
}

database contains [c, "starts as db.t3.micro with 20 GB, unless an environment says otherwise"] if {
	environment == "dev"
	some c in planned("aws_db_instance")
	[c.change.after.instance_class, c.change.after.allocated_storage] != ["db.t3.micro", 20]
}

database contains [c, "takes its password as a write-only argument"] if {
	some c in planned("aws_db_instance")
	not c.change.after.password_wo_version
}

database contains [c, "takes its password as a write-only argument"] if {
	some c in planned("aws_db_instance")
	has_text(c.change, "password")
}

deny contains msg if {
	some [c, should] in database
	msg := sprintf("%s: %s", [c.address, should])
}

deny contains "database: connections without TLS are refused" if {
	environment
	pairs := {[p.name, p.value] |
		some c in planned("aws_db_parameter_group")
		some p in c.change.after.parameter
	}
	not ["require_secure_transport", "1"] in pairs
}

deny contains "database: backups are copied to another region" if {
	careful
	count(planned("aws_db_instance_automated_backups_replication")) == 0
}

deny contains msg if {
	some c in planned("aws_db_instance_automated_backups_replication")
	not has_text(c.change, "kms_key_id")
	msg := sprintf("%s: copies are encrypted with a key of their region", [c.address])
}

cache contains [c, "is encrypted at rest, with our key"] if {
	some c in planned("aws_elasticache_replication_group")
	on := value(c.change, "at_rest_encryption_enabled")
	not on in {"true", true} # the provider has it as a text
}

cache contains [c, "is encrypted at rest, with our key"] if {
	some c in planned("aws_elasticache_replication_group")
	not has_text(c.change, "kms_key_id")
}

cache contains [c, "takes TLS only"] if {
	some c in planned("aws_elasticache_replication_group")
	some name, value in {"transit_encryption_enabled": true, "transit_encryption_mode": "required"}
	not is(c.change, name, value)
}

cache contains [c, "asks for a user and a password"] if {
	some c in planned("aws_elasticache_replication_group")
	not has_items(c.change, "user_group_ids")
}

cache contains [c, "fails over to another zone"] if {
	careful
	some c in planned("aws_elasticache_replication_group")
	some name in ["automatic_failover_enabled", "multi_az_enabled"]
	not is(c.change, name, true)
}

deny contains msg if {
	some [c, should] in cache
	msg := sprintf("%s: %s", [c.address, should])
}

deny contains msg if {
	some c in planned("aws_elasticache_user")
	c.change.after.user_name == "default"
	access := value(c.change, "access_string")
	not startswith(access, "off ")
	msg := sprintf("%s: the default user may do nothing", [c.address])
}

deny contains msg if {
	some c in planned("aws_elasticache_user")
	some word in ["+@all", "allcommands", "allkeys", "allchannels"]
	contains(c.change.after.access_string, word)
	msg := sprintf("%s: a user has the commands and names that it needs", [c.address])
}

deny contains msg if {
	some c in planned("aws_secretsmanager_secret")
	not has_text(c.change, "kms_key_id")
	msg := sprintf("%s: secrets have our key", [c.address])
}

# A value given as an ordinary argument would stand in the state and in plans.
deny contains msg if {
	some c in planned("aws_secretsmanager_secret_version")
	has_text(c.change, "secret_string")
	msg := sprintf("%s: secrets are written by secret_string_wo", [c.address])
}

deny contains msg if {
	some c in planned("aws_kms_key")
	not is(c.change, "enable_key_rotation", true)
	msg := sprintf("%s: keys rotate", [c.address])
}

deny contains msg if {
	some c in planned("aws_s3_bucket")
	some type in {"aws_s3_bucket_public_access_block", "aws_s3_bucket_server_side_encryption_configuration", "aws_s3_bucket_policy"}
	bucket := object.get(c.change.after, "id", "?")
	not bucket in {b.change.after.bucket | some b in planned(type)}
	msg := sprintf("%s: has no %s", [c.address, type])
}

deny contains msg if {
	some c in planned("aws_s3_bucket_public_access_block")
	some name in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
	not is(c.change, name, true)
	msg := sprintf("%s: %s", [c.address, name])
}

deny contains msg if {
	some c in planned("aws_ecr_repository")
	# Signatures alone are added to.
	movable := {f.filter | some f in c.change.after.image_tag_mutability_exclusion_filter}
	not {"tags": c.change.after.image_tag_mutability, "but": movable} == {"tags": "IMMUTABLE_WITH_EXCLUSION", "but": {"sha256-*"}}
	msg := sprintf("%s: a tag means one image for ever", [c.address])
}

deny contains msg if {
	some c in planned("aws_ecr_lifecycle_policy")
	some rule in json.unmarshal(c.change.after.policy).rules
	some pattern in rule.selection.tagPatternList
	glob.match(pattern, null, "sha256-0123.sig")
	msg := sprintf("%s: signatures are not counted as images", [c.address])
}

deny contains msg if {
	some c in planned("aws_ecr_repository")
	scans := [s | some s in c.change.after.image_scanning_configuration; s.scan_on_push == true]
	count(scans) == 0
	msg := sprintf("%s: images are scanned when they are pushed", [c.address])
}

# The program's roles write backups and the archive: what they write over has to be
# still there.
kept_buckets contains [c, name] if {
	some c in planned("aws_s3_bucket")
	some name in {"backup", "archive"}
	endswith(object.get(c.change.after, "bucket_prefix", ""), sprintf("-%s-", [name]))
}

deny contains msg if {
	some [c, _] in kept_buckets
	not c.change.after.id in {v.change.after.bucket | some v in planned("aws_s3_bucket_versioning"); v.change.after.versioning_configuration[0].status == "Enabled"}
	msg := sprintf("%s: backups and archives that are written over are kept", [c.address])
}

deny contains "archive: an environment has a bucket for it" if {
	environment
	count([name | some [_, name] in kept_buckets; name == "archive"]) != 1
}

# Events are there as they came in.
deny contains msg if {
	some [c, "archive"] in kept_buckets
	not c.change.after.id in {e.change.after.bucket |
		some e in planned("aws_s3_bucket_server_side_encryption_configuration")
		some rule in e.change.after.rule
		some by in rule.apply_server_side_encryption_by_default
		by.sse_algorithm == "aws:kms"
		is_string(by.kms_master_key_id)
	}
	msg := sprintf("%s: the archive is encrypted with our key", [c.address])
}

# The program reads what it finds; the other classes have to be thawed first.
deny contains msg if {
	some c in planned("aws_s3_bucket_lifecycle_configuration")
	some rule in c.change.after.rule
	some transition in rule.transition
	not transition.storage_class in {"GLACIER_IR", "STANDARD_IA"}
	msg := sprintf("%s: %s is not read at once", [c.address, transition.storage_class])
}
