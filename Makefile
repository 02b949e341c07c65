# `make` prints the targets. Two of them do everything on a fresh machine:
# `make run` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X github.com/security-monitor/secmon/app.Version=$(VERSION)
NPM_STAMP := web/node_modules/.package-lock.stamp

.PHONY: help
help: ## print the targets
	@grep -hE '^[a-zA-Z/_-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: run
run: deps/servers build ## install what is missing, build, and start with the demo
	@echo "== starting; Ctrl-C stops it"
	@exec bin/secmon serve --demo $(ARGS)

.PHONY: dev
dev: deps/servers bin ## start the server without building the dashboard (cd web && npm run dev serves it)
	@exec bin/secmon serve --demo $(ARGS)

.PHONY: build
build: web/dist/index.html bin ## build the dashboard and the binary

.PHONY: bin
bin: ## build the binary alone
	@echo "== building bin/secmon (the first time compiles every dependency: a minute or two)"
	@go build -v -ldflags '$(LDFLAGS)' -o bin/secmon ./cmd/secmon 2>&1 | awk 'NR % 40 == 0 { print "   compiled " NR " packages" } !/^[a-z0-9.\/_-]+$$/ { print }'; exit $${PIPESTATUS[0]}

.PHONY: deps/servers deps/browser
deps/servers:
	@scripts/install-deps.sh servers
deps/browser:
	@scripts/install-deps.sh servers browser

$(NPM_STAMP): web/package-lock.json
	@echo "== installing the dashboard's packages (once per lockfile)"
	cd web && npm ci --no-audit --no-fund
	@touch $@

.PHONY: npm
npm: $(NPM_STAMP)

web/dist/index.html: $(NPM_STAMP) schema.graphqls $(shell find web/src web/public web/playground -type f 2>/dev/null) $(wildcard web/*.html web/*.ts)
	@echo "== building the dashboard"
	cd web && npm run build
	@touch $@

.PHONY: generate
generate: npm ## regenerate graph/ and the dashboard's types from schema.graphqls
	go tool gqlgen generate
	cd web && npm run codegen

.PHONY: verify
verify: npm ## check that generated code is current, modules are tidy, the web typechecks
	@echo "== verify: generated code"
	go tool gqlgen generate
	cd web && npm run codegen
	git diff --exit-code -- graph web/src go.mod go.sum
	@echo "== verify: go.mod"
	go mod tidy -diff
	@echo "== verify: imports"
	go test -count=1 ./archtest
	@echo "== verify: web"
	cd web && npm run check

.PHONY: fmt
fmt: ## format Go and web sources
	go -C tools tool gofumpt -l -w $(CURDIR)
	cd web && npm run fmt

.PHONY: lint
lint: ## lint Go sources
	@echo "== lint (the first time compiles golangci-lint: some minutes)"
	@mkdir -p bin && go -C tools build -o $(CURDIR)/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...

.PHONY: test
test: deps/servers test/go test/web ## run every Go and web test

.PHONY: test/go
test/go: ## run the Go tests
	@echo "== Go tests"
	go test ./...

.PHONY: test/race
test/race: ## run the Go tests under the race detector
	go test -race ./...

.PHONY: test/web
test/web: npm ## run the web's unit tests
	@echo "== web unit tests"
	cd web && npm test

.PHONY: e2e
e2e: build ## run the browser stories against the real program
	@echo "== browser stories"
	cd web && npm run e2e

.PHONY: screenshots
screenshots: build ## make the screenshots of docs/screenshots
	cd web && npm run screenshots

.PHONY: bench
bench: ## run the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: fuzz
fuzz: ## fuzz every parser and decoder for 30 s each
	scripts/fuzz.sh 30s

.PHONY: migrate/new
migrate/new: ## start a new migration: make migrate/new NAME=what_changes
	@n=$$(printf '%04d' $$(( $$(ls db/migrations | wc -l) + 1 ))); f=db/migrations/$${n}_$(NAME).sql; printf -- '-- +goose Up\n\n-- +goose Down\n' > $$f; echo $$f

.PHONY: fresh
fresh: ## clone HEAD into a new directory and run the tests there
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && git clone -q . "$$dir/main" && if [ -d ../shared ]; then ln -s "$$(cd ../shared && pwd)" "$$dir/shared"; fi && $(MAKE) -C "$$dir/main" test
