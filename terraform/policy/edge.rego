package main

import rego.v1

deny contains msg if {
	some c in planned("aws_lb")
	not is(c.change, "load_balancer_type", "network")
	not is(c.change, "drop_invalid_header_fields", true)
	msg := sprintf("%s: drops malformed headers", [c.address])
}

deny contains msg if {
	environment == "prod"
	some c in planned("aws_lb")
	not is(c.change, "enable_deletion_protection", true)
	msg := sprintf("%s: cannot be deleted in production", [c.address])
}

deny contains msg if {
	some c in planned("aws_lb")
	not is(c.change, "load_balancer_type", "network") # AWS logs only what these end TLS of
	logs := [l | some l in c.change.after.access_logs; l.enabled == true]
	count(logs) == 0
	msg := sprintf("%s: has access logs", [c.address])
}

# What is open to the world is the one that CloudFront stands before.
deny contains msg if {
	some c in planned("aws_lb")
	is(c.change, "load_balancer_type", "network")
	not is(c.change, "internal", true)
	msg := sprintf("%s: is reached from inside alone", [c.address])
}

deny contains msg if {
	some c in planned("aws_lb_listener")
	c.change.after.protocol == "HTTP"
	some action in c.change.after.default_action
	action.type != "redirect"
	msg := sprintf("%s: HTTP is redirected", [c.address])
}

deny contains msg if {
	some c in planned("aws_lb_listener")
	c.change.after.protocol == "HTTPS"
	policy := object.get(c.change.after, "ssl_policy", "")
	not startswith(policy, "ELBSecurityPolicy-TLS13-1-2-")
	msg := sprintf("%s: TLS 1.2 or 1.3", [c.address])
}

deny contains msg if {
	some c in planned("aws_lb_listener")
	c.change.after.protocol == "HTTPS"
	some action in c.change.after.default_action
	action.type != "fixed-response"
	msg := sprintf("%s: what does not come by CloudFront is refused", [c.address])
}

behaviours(after) := array.concat(after.default_cache_behavior, after.ordered_cache_behavior)

deny contains msg if {
	some c in planned("aws_cloudfront_distribution")
	some b in behaviours(c.change.after)
	not b.viewer_protocol_policy in {"redirect-to-https", "https-only"}
	msg := sprintf("%s: people come by HTTPS", [c.address])
}

deny contains msg if {
	some c in planned("aws_cloudfront_distribution")
	some certificate in c.change.after.viewer_certificate
	version := object.get(certificate, "minimum_protocol_version", "")
	version != "TLSv1.2_2021"
	msg := sprintf("%s: TLS 1.2 or later", [c.address])
}

deny contains msg if {
	some c in planned("aws_cloudfront_distribution")
	some o in c.change.after.origin
	some config in o.custom_origin_config
	config.origin_protocol_policy != "https-only"
	msg := sprintf("%s: HTTPS to the load balancer, too", [c.address])
}

deny contains msg if {
	environment
	some type in ["aws_lb", "aws_cloudfront_distribution", "aws_route53_record", "aws_acm_certificate"]
	count(planned(type)) == 0
	msg := sprintf("edge: no %s", [type])
}

deny contains "edge: CloudFront takes its certificate from us-east-1" if {
	environment
	there := [c | some c in planned("aws_acm_certificate"); c.change.after.region == "us-east-1"]
	count(there) == 0
}
