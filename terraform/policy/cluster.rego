package main

import rego.v1

cluster contains [c, "is reached from inside the VPC"] if {
	some c in planned("aws_eks_cluster")
	private := [v | some v in c.change.after.vpc_config; v.endpoint_private_access == true]
	count(private) == 0
}

cluster contains [c, "is not open to the whole internet"] if {
	some c in planned("aws_eks_cluster")
	some net in c.change.after.vpc_config[0].public_access_cidrs
	to_number(split(net, "/")[1]) < 16
}

cluster contains [c, "is not open to the whole internet"] if {
	some c in planned("aws_eks_cluster")
	some vpc in c.change.after.vpc_config
	vpc.endpoint_public_access == true
	nets := {net | some net in vpc.public_access_cidrs}
	count(nets) == 0 # AWS takes that for 0.0.0.0/0
}

cluster contains [c, "encrypts Kubernetes' secrets with our key"] if {
	some c in planned("aws_eks_cluster")
	encrypted := {r | some config in c.change.after.encryption_config; some r in config.resources}
	not "secrets" in encrypted
}

cluster contains [c, "logs its API, audit and authenticator"] if {
	some c in planned("aws_eks_cluster")
	logs := {l | some l in c.change.after.enabled_cluster_log_types}
	count({"api", "audit", "authenticator"} - logs) > 0
}

cluster contains [c, "knows its administrators by access entries, not by who made it"] if {
	some c in planned("aws_eks_cluster")
	access := {[a.authentication_mode, a.bootstrap_cluster_creator_admin_permissions] | some a in c.change.after.access_config}
	access != {["API", false]}
}

cluster contains [c, "cannot be deleted in production"] if {
	environment == "prod"
	some c in planned("aws_eks_cluster")
	not is(c.change, "deletion_protection", true)
}

deny contains msg if {
	some [c, should] in cluster
	msg := sprintf("%s: %s", [c.address, should])
}

deny contains "cluster: nodes stand in a managed group over the private subnets" if {
	environment
	count(planned("aws_eks_node_group")) == 0
}

deny contains msg if {
	some c in planned("aws_eks_node_group")
	some id in c.change.after.subnet_ids
	not id in {sprintf("aws_subnet:%s", [net]) | some net in wanted["private"]}
	msg := sprintf("%s: nodes stand in private subnets, not in %s", [c.address, id])
}

deny contains msg if {
	environment
	some name in ["vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "metrics-server"]
	not name in {c.change.after.addon_name | some c in planned("aws_eks_addon")}
	msg := sprintf("cluster: add-on %s is missing", [name])
}

deny contains "cluster: service accounts have no OpenID Connect provider (IRSA)" if {
	count(planned("aws_eks_cluster")) > 0
	providers := [c | some c in planned("aws_iam_openid_connect_provider"); contains(c.address, "eks")]
	count(providers) == 0
}

deny contains msg if {
	some c in planned("aws_launch_template")
	metadata := {[m.http_tokens, m.http_put_response_hop_limit] | some m in c.change.after.metadata_options}
	metadata != {["required", 1]}
	msg := sprintf("%s: IMDSv2 only, one hop", [c.address])
}

deny contains msg if {
	some c in planned("aws_launch_template")
	some device in c.change.after.block_device_mappings
	some disk in device.ebs
	encrypted := object.get(disk, "encrypted", null)
	not encrypted in {"true", true}
	msg := sprintf("%s: volumes are encrypted", [c.address])
}

deny contains msg if {
	environment
	some component in ["frontend", "backend", "ingress"]
	name := sprintf("/aws/eks/security-monitor/%s", [component])
	not name in {c.change.after.name | some c in planned("aws_cloudwatch_log_group")}
	msg := sprintf("logs: group %s is missing", [name])
}

deny contains msg if {
	some c in planned("aws_cloudwatch_log_group")
	not has_text(c.change, "kms_key_id")
	msg := sprintf("%s: log groups have our key", [c.address])
}

deny contains msg if {
	some c in planned("aws_cloudwatch_log_group")
	days := value(c.change, "retention_in_days")
	days <= 0 # null is less than any number
	msg := sprintf("%s: logs have an end", [c.address])
}

deny contains msg if {
	environment
	some metric in ["CPUUtilization", "FreeStorageSpace", "HTTPCode_Target_5XX_Count", "HealthyHostCount", "EngineCPUUtilization", "BackendErrors"]
	not metric in {c.change.after.metric_name | some c in planned("aws_cloudwatch_metric_alarm")}
	msg := sprintf("alarms: none on %s", [metric])
}

deny contains msg if {
	some c in planned("aws_cloudwatch_metric_alarm")
	not has_items(c.change, "alarm_actions")
	msg := sprintf("%s: tells nobody", [c.address])
}

# Helm refuses a release with a kind that the cluster does not know, and nothing of
# Terraform's or of scripts/platform.sh brings these.
cluster contains [p, "asks for no operator that the cluster does not have"] if {
	some p in planned("aws_ssm_parameter")
	endswith(p.change.after.name, "/helm-values")
	values := yaml.unmarshal(p.change.after.value)
	some [operator, path] in [
		["prometheus", ["metrics", "serviceMonitor", "enabled"]],
		["prometheus", ["metrics", "prometheusRule", "enabled"]],
		["vertical_pod_autoscaler", ["backend", "verticalAutoscaling", "enabled"]],
		["vertical_pod_autoscaler", ["frontend", "verticalAutoscaling", "enabled"]],
	]
	object.get(values, path, true) != object.get(input, ["variables", "operators", "value", operator], false)
}
