// Command provider stands in for terraform-provider-aws in the checks of our
// configuration. It serves the schema of the real one (schema.json) over
// Terraform's own protocol, so that `terraform validate` and `terraform plan` check
// every type, argument, block, reference and expression, and a plan can be
// judged by policies. It calls nothing, knows no account, and applies nothing.
package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

func main() {
	path := os.Getenv("SECMON_PROVIDER_SCHEMA")
	schema, err := load(path)
	if err != nil {
		fmt.Fprintf(os.Stderr, "load %q (SECMON_PROVIDER_SCHEMA): %v\n", path, err)
		os.Exit(1)
	}
	server := func() tfprotov6.ProviderServer {
		return &provider{schema: schema, madeUpIDs: os.Getenv("SECMON_PROVIDER_IDS") == "made-up"}
	}
	if err := tf6server.Serve("registry.terraform.io/hashicorp/aws", server); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
