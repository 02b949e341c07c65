package main

import rego.v1

# Policy documents that are read while planning, and those that wait for an apply.
documents contains [address, statement] if {
	walk(input.prior_state, [_, node])
	node.type == "aws_iam_policy_document"
	address := node.address
	some statement in node.values.statement
}

documents contains [c.address, statement] if {
	some c in input.resource_changes
	c.type == "aws_iam_policy_document"
	some statement in c.change.after.statement
}

allows(statement) if not statement.effect == "Deny"

# Who is meant stands in it: a trust, a key's or a bucket's policy. In those "*"
# is the thing itself.
of_resource(statement) if count(object.get(statement, "principals", [])) > 0

deny contains msg if {
	some [address, statement] in documents
	allows(statement)
	not of_resource(statement)
	some action in statement.actions
	endswith(action, "*")
	not action in {"kms:ReEncrypt*", "kms:GenerateDataKey*"}
	msg := sprintf("%s: %s is more than anybody needs", [address, action])
}

# Some actions know no resources, and only those may have "*".
harmless(action) if regex.match(`^[a-z0-9-]+:(Describe|List|Get)[A-Za-z]*$`, action)

deny contains msg if {
	some [address, statement] in documents
	allows(statement)
	not of_resource(statement)
	"*" in statement.resources
	some action in statement.actions
	not harmless(action)
	msg := sprintf("%s: %s on everything", [address, action])
}

deny contains msg if {
	some [address, statement] in documents
	allows(statement)
	some p in statement.principals
	"*" in p.identifiers
	msg := sprintf("%s: allows anybody", [address])
}

# A federated role is for one subject and one audience, each by its full name.
deny contains msg if {
	some [address, statement] in documents
	"sts:AssumeRoleWithWebIdentity" in statement.actions
	exact := [condition | some condition in statement.condition; condition.test == "StringEquals"]
	count(exact) < 2
	msg := sprintf("%s: web identities are bound to subject and audience", [address])
}

deny contains msg if {
	some [address, statement] in documents
	"sts:AssumeRoleWithWebIdentity" in statement.actions
	some condition in statement.condition
	some value in condition.values
	contains(value, "*")
	msg := sprintf("%s: web identities are named, not matched", [address])
}

deny contains msg if {
	some type in {"aws_iam_user", "aws_iam_access_key"}
	some c in planned(type)
	msg := sprintf("%s: nobody has long-lived keys", [c.address])
}

deny contains msg if {
	some c in planned("aws_iam_role_policy_attachment")
	endswith(c.change.after.policy_arn, "/AdministratorAccess")
	msg := sprintf("%s: nobody is administrator", [c.address])
}
