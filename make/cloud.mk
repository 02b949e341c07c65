# Infrastructure and pipeline: what .github/workflows run, and what runs here the
# same way (docs/pipeline.md, terraform/README.md).

# Scanners and checkers have a module of their own. actionlint and gitleaks build in a
# minute, gosec and conftest take some minutes each from an empty cache.
SCAN := actionlint gitleaks gosec conftest
bin/actionlint: PACKAGE := github.com/rhysd/actionlint/cmd/actionlint
bin/gitleaks: PACKAGE := github.com/zricethezav/gitleaks/v8
bin/gosec: PACKAGE := github.com/securego/gosec/v2/cmd/gosec
bin/conftest: PACKAGE := github.com/open-policy-agent/conftest
$(addprefix bin/,$(SCAN)): tools/scan/go.mod tools/scan/go.sum
	@echo "== building $@ (once; from an empty cache up to five minutes)"
	@mkdir -p bin
	@$(PROGRESS) go -C tools/scan build -v -o $(CURDIR)/bin/ $(PACKAGE)
	@touch $@

bin/terraform-provider-aws-schema: $(wildcard terraform/check/provider/*.go) terraform/check/provider/go.mod terraform/check/provider/go.sum
	@echo "== building $@ (once)"
	@mkdir -p bin
	@$(PROGRESS) go -C terraform/check/provider build -v -o $(CURDIR)/$@ .

.PHONY: deps/checks
deps/checks:
	@scripts/install-deps.sh checks

.PHONY: terraform/test terraform/validate terraform/schema
terraform/test: deps/checks bin/conftest bin/terraform-provider-aws-schema ## check terraform/ without an account: format, plans against the provider's schema, policies, planted errors
	@echo "== terraform: the stand-in provider"
	@$(PROGRESS) go -C terraform/check/provider vet ./...
	@$(PROGRESS) scripts/terraform-check.sh

terraform/validate: ## validate terraform/ with the real provider (needs the provider registry, no account)
	@for root in bootstrap shared environments/dev environments/staging environments/prod; do \
	  echo "== terraform validate: $$root"; \
	  terraform -chdir=terraform/$$root init -backend=false -input=false >/dev/null && terraform -chdir=terraform/$$root validate || exit 1; \
	done

terraform/schema: ## take the AWS provider's schema anew, for the resources that terraform/ names
	npm --prefix terraform/check ci --no-audit --no-fund
	node terraform/check/schema.mjs

.PHONY: ci/source ci/scripts ci/security ci/vulnerabilities
ci/source: deps/checks bin/actionlint bin/gitleaks bin/conftest ## lint workflows and scripts, look for secrets in the history, with planted errors
	@echo "== workflows and scripts"
	@$(PROGRESS) scripts/lint-pipeline.sh
	@echo "== secrets"
	@$(PROGRESS) scripts/gitleaks.sh

ci/scripts: deps/checks deps/servers build ## test the scripts of the pipeline: deployment and rollback, both ingresses, smoke test against the real program
	@echo "== deploy.sh"
	@$(PROGRESS) scripts/test/deploy-test.sh
	@echo "== blue-green.sh"
	@$(PROGRESS) scripts/test/blue-green-test.sh
	@echo "== both ingresses"
	@$(PROGRESS) scripts/install-deps.sh nginx
	@$(PROGRESS) scripts/test/ingress-test.sh
	@echo "== smoke.sh"
	@$(PROGRESS) scripts/test/smoke-test.sh

ci/security: deps/checks bin/gosec ## gosec over the Go sources, with a planted error
	@echo "== gosec"
	@$(PROGRESS) scripts/gosec-selftest.sh
	@$(PROGRESS) scripts/gosec.sh

ci/vulnerabilities: ## known vulnerabilities of the Go modules that the program calls (needs vuln.go.dev)
	go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...
