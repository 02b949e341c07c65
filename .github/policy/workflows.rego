# What actionlint does not ask of a workflow. The input is a file of
# .github/workflows.
package main

import rego.v1

# The name of a job that calls another workflow is that workflow's matter.
calls(job) if job.uses

pinned(uses) if regex.match(`^[^@]+@[0-9a-f]{40}$`, uses)

pinned(uses) if startswith(uses, "./")

deny contains msg if {
	walk(input.jobs, [_, node])
	is_string(node.uses)
	not pinned(node.uses)
	msg := sprintf("%s: actions are pinned by commit", [node.uses])
}

# Without it a token has whatever the repository's settings say.
deny contains "the workflow says what its token may do: contents: read" if {
	not input.permissions == {"contents": "read"}
}

deny contains msg if {
	some name, job in input.jobs
	some scope, level in job.permissions
	level == "write"
	scope != "id-token"
	msg := sprintf("%s: writes %s", [name, scope])
}

deny contains msg if {
	some name, job in input.jobs
	not calls(job)
	not job["timeout-minutes"]
	msg := sprintf("%s: has no timeout", [name])
}

deny contains msg if {
	some name, job in input.jobs
	some step in job.steps
	startswith(step.uses, "actions/checkout@")
	not unkept(step)
	msg := sprintf("%s: checkout keeps its token in the working copy", [name])
}

unkept(step) if step["with"]["persist-credentials"] == false

# AWS knows jobs by their identity.
deny contains msg if {
	walk(input, [_, text])
	is_string(text)
	regex.match(`(?i)aws[_-](secret[_-])?access[_-]key|AKIA[0-9A-Z]{16}`, text)
	msg := "nobody has long-lived keys of AWS"
}

deny contains msg if {
	walk(input, [_, node])
	some key in object.keys(node)
	regex.match(`(?i)^aws[_-](secret[_-])?access[_-]key`, key)
	msg := "nobody has long-lived keys of AWS"
}

# What anybody may write (a title, a branch's name, an input) is data of the shell,
# never its text.
deny contains msg if {
	some name, job in input.jobs
	some step in job.steps
	regex.match(`\$\{\{`, step.run)
	msg := sprintf("%s: a script takes what it needs from its environment, not from ${{ }}", [name])
}

# Each deployment waits for the one before and is never cut off.
deny contains msg if {
	some name, job in input.jobs
	job.environment
	not job.concurrency["cancel-in-progress"] == false
	msg := sprintf("%s: deployments of one environment queue", [name])
}

deny contains "a workflow says which of its runs exclude each other" if {
	not input.concurrency
	some job in input.jobs
	not job.concurrency
}

# What is deployed is what main says, chart and scripts included.
deny contains msg if {
	some name, job in input.jobs
	job.environment
	not contains(object.get(job, "if", ""), "github.ref == 'refs/heads/main'")
	msg := sprintf("%s: deploys from any branch", [name])
}

# A job's runner is chosen before its environment is known.
deny contains msg if {
	some name, job in input.jobs
	job.environment
	contains(json.marshal(job["runs-on"]), "vars.")
	msg := sprintf("%s: its environment's variables do not reach runs-on", [name])
}

# One group for all commits would hold every delivery while one waits for approval.
deny contains "deliveries wait for one another's approvals" if {
	some job in input.jobs
	endswith(job.uses, "/deploy.yml")
	not contains(object.get(input.concurrency, "group", input.concurrency), "github.sha")
}
