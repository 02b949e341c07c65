# Of the configuration itself: where the state is. The input is versions.tf.
package backend

import rego.v1

deny contains "the state is in S3, encrypted and locked" if {
	not stored
}

stored if {
	some terraform in input.terraform
	some backend in terraform.backend.s3
	backend.encrypt == true
	backend.use_lockfile == true
	endswith(backend.key, ".tfstate")
}
