# What every plan of ours must say. The input is `terraform show -json` of a plan.
# Rules about what an environment has look at plans with a VPC; the others
# (bootstrap, shared) are judged by what they plan.
package main

import rego.v1

planned(type) := [c |
	some c in input.resource_changes
	c.mode == "managed"
	c.type == type
	c.change.after != null
]

environment := planned("aws_vpc")[0].change.after.tags_all.Environment

careful if environment in {"staging", "prod"}

# An argument that is not given is missing from `after`, or null there; an
# expression on it would be undefined, and a rule with it silent. So arguments are
# read by these.
value(change, name) := object.get(change.after, name, null)

is(change, name, wanted_value) if value(change, name) == wanted_value

has_text(change, name) if is_string(value(change, name))

# A list that the configuration gives, or one that comes with the apply.
has_items(change, name) if count(value(change, name)) > 0

has_items(change, name) if object.get(change.after_unknown, name, false) == true
