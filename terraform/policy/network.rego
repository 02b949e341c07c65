package main

import rego.v1

cidrs(kind) := {c.change.after.cidr_block |
	some c in planned("aws_subnet")
	contains(c.address, sprintf("aws_subnet.%s[", [kind]))
}

zones(kind) := {c.change.after.availability_zone |
	some c in planned("aws_subnet")
	contains(c.address, sprintf("aws_subnet.%s[", [kind]))
}

wanted := {
	"public": {"10.0.1.0/24", "10.0.2.0/24"},
	"private": {"10.0.3.0/24", "10.0.4.0/24"},
	"database": {"10.0.5.0/24", "10.0.6.0/24"},
}

deny contains "VPC: the range is 10.0.0.0/16" if {
	environment
	some c in planned("aws_vpc")
	not is(c.change, "cidr_block", "10.0.0.0/16")
}

deny contains msg if {
	environment
	some kind, want in wanted
	cidrs(kind) != want
	msg := sprintf("subnets: %s ones are %v, not %v", [kind, want, cidrs(kind)])
}

deny contains msg if {
	environment
	some kind, _ in wanted
	count(zones(kind)) < 2
	msg := sprintf("subnets: %s ones stand in two zones", [kind])
}

deny contains msg if {
	some c in planned("aws_subnet")
	c.change.after.map_public_ip_on_launch == true
	msg := sprintf("%s: gives public addresses to what is launched", [c.address])
}

# The way out of a database's subnet would be a way in for what it fetches.
deny contains msg if {
	some c in planned("aws_route")
	contains(c.address, "database")
	msg := sprintf("%s: subnets of the database have no route out", [c.address])
}

deny contains "NAT: production has one in each zone" if {
	environment == "prod"
	count(planned("aws_nat_gateway")) < 2
}

deny contains "VPC: no flow log" if {
	environment
	count(planned("aws_flow_log")) == 0
}

# Who may speak to whom, as the specification says it: [to, from, first, last].
group(id) := name if {
	prefix := sprintf("aws_security_group:security-monitor-%s-", [environment])
	startswith(id, prefix)
	name := trim_suffix(trim_prefix(id, prefix), "-")
}

openings contains [to, from, object.get(a, "from_port", null), object.get(a, "to_port", null)] if {
	some c in planned("aws_vpc_security_group_ingress_rule")
	a := c.change.after
	to := group(a.security_group_id)
	from := group(a.referenced_security_group_id)
}

openings contains [to, a.cidr_ipv4, a.from_port, a.to_port] if {
	some c in planned("aws_vpc_security_group_ingress_rule")
	a := c.change.after
	to := group(a.security_group_id)
	is_string(a.cidr_ipv4)
}

specified := {
	["cluster", "alb", 443, 443],
	["nodes", "cluster", 1025, 65535],
	["rds", "nodes", 3306, 3306],
	["redis", "nodes", 6379, 6379],
	["alb", "0.0.0.0/0", 80, 80],
	["alb", "0.0.0.0/0", 443, 443],
}

# Without these the cluster would not work; terraform/README.md says why.
needed := {
	["cluster", "nodes", 443, 443],
	["nodes", "alb", 8080, 8080],
	["nodes", "nodes", null, null],
	["endpoints", "10.0.3.0/24", 443, 443],
	["endpoints", "10.0.4.0/24", 443, 443],
}

# The way in for syslog, where networks are named that send it: theirs alone.
for_syslog contains ["nodes", "syslog", port, port] if some port in {6514, 8000}

for_syslog contains rule if {
	some rule in openings
	rule[0] == "syslog"
	[rule[2], rule[3]] == [6514, 6514]
	contains(rule[1], "/")
	not endswith(rule[1], "/0")
}

deny contains msg if {
	environment
	some rule in specified - openings
	msg := sprintf("security groups: %s is not open to %s on %v-%v", rule)
}

deny contains msg if {
	environment
	some rule in openings - ((specified | needed) | for_syslog)
	msg := sprintf("security groups: %s is open to %v on %v-%v, which nothing asks for", rule)
}

# A rule written in another way would pass by the table above.
deny contains msg if {
	some type in {"aws_security_group_rule", "aws_default_vpc"}
	some c in planned(type)
	msg := sprintf("%s: security group rules are aws_vpc_security_group_{ingress,egress}_rule", [c.address])
}

deny contains msg if {
	some c in planned("aws_security_group")
	some direction in {"ingress", "egress"}
	count(object.get(c.change.after, direction, [])) > 0
	msg := sprintf("%s: rules stand by themselves, not in the group", [c.address])
}

deny contains msg if {
	some c in planned("aws_vpc_security_group_egress_rule")
	group(c.change.after.security_group_id) in {"rds", "redis"}
	msg := sprintf("%s: database and cache open no connections", [c.address])
}
