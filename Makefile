# `make` prints the targets. Two of them do everything on a fresh machine:
# `make run` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL: # a target's prerequisites are its steps, in order

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X github.com/security-monitor/secmon/app.Version=$(VERSION)
NPM_STAMP := web/node_modules/.package-lock.stamp
PROGRESS := scripts/progress.sh
CORPORA := $(abspath $(or $(SECMON_CORPORA),../shared/corpora))

.PHONY: help
help: ## print the targets
	@grep -hE '^[a-zA-Z0-9/_-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-20s %s\n", $$1, $$2}'

.PHONY: run
run: deps/servers build ## install what is missing, build, and start with the demo and this machine's own reports (ARGS=--no-agent: without)
	@echo "== starting; Ctrl-C stops it. ARGS=--log-requests shows each request"
	@exec bin/secmon serve --demo --agent --no-log-requests $(ARGS)

.PHONY: dev
dev: deps/servers bin ## start the server without building the dashboard (cd web && npm run dev serves it)
	@exec bin/secmon serve --demo --no-log-requests $(ARGS)

.PHONY: build
build: web/dist/index.html bin ## build the dashboard and the binary

.PHONY: bin
bin: ## build the binary alone
	@echo "== building bin/secmon (the first time compiles every dependency: a minute or two)"
	@$(PROGRESS) go build -v -ldflags '$(LDFLAGS)' -o bin/secmon ./cmd/secmon

.PHONY: deps/servers deps/browser deps/promtool deps/shippers
deps/servers:
	@scripts/install-deps.sh servers
deps/browser:
	@scripts/install-deps.sh servers browser nginx
deps/promtool:
	@scripts/install-deps.sh promtool
deps/shippers:
	@scripts/install-deps.sh shippers

# Some tools of the code generator ask for Node 22, and work with the one that package.json
# asks for: npm's warnings of them say nothing, an older Node does.
$(NPM_STAMP): web/package-lock.json
	@node web/scripts/node-version.cjs
	@echo "== installing the dashboard's packages (once per lockfile)"
	@$(PROGRESS) npm --prefix web ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: npm
npm: $(NPM_STAMP)

web/dist/index.html: $(NPM_STAMP) schema.graphqls $(shell find web/src web/public web/playground -type f 2>/dev/null) $(wildcard web/*.html web/*.ts)
	@echo "== building the dashboard"
	@cd web && ../$(PROGRESS) npm run build
	@touch $@

.PHONY: generate
generate: npm ## regenerate graph/ and the dashboard's types from schema.graphqls
	go tool gqlgen generate
	cd web && npm run codegen

.PHONY: verify
verify: npm ## check that generated code is current, modules are tidy, imports are allowed, the schema breaks nothing, the web typechecks
	@echo "== verify: generated code"
	@$(PROGRESS) scripts/verify-generated.sh
	@echo "== verify: go.mod"
	@$(PROGRESS) go mod tidy -diff && go -C bench mod tidy -diff && go -C e2e/shippers mod tidy -diff
	@echo "== verify: imports"
	@$(PROGRESS) go test -count=1 ./archtest
	@echo "== verify: the schema's conventions, and what would break clients"
	@$(PROGRESS) go test -count=1 ./schema
	@echo "== verify: web"
	@cd web && ../$(PROGRESS) npm run check

# The developers' tools have a module of their own; built once, and again when
# that changes. From an empty build cache this takes two minutes on two cores.
TOOLS := bin/.tools.stamp
$(TOOLS): tools/go.mod tools/go.sum
	@echo "== building the linters (the first time takes some minutes)"
	@mkdir -p bin
	@$(PROGRESS) go -C tools build -v -o $(CURDIR)/bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint mvdan.cc/gofumpt
	@touch $@

.PHONY: fmt
fmt: $(TOOLS) npm ## format Go and web sources
	@git ls-files --cached --others --exclude-standard -- '*.go' ':!graph' | xargs bin/gofumpt -l -w
	cd web && npm run fmt

.PHONY: lint
lint: $(TOOLS) ## lint Go sources (make verify checks the web's)
	@echo "== lint"
	@$(PROGRESS) bin/golangci-lint run ./...

.PHONY: test
test: export CI = true
test: deps/browser deps/promtool deps/shippers test/go test/shippers test/bench test/web test/clients e2e ## install what is missing and run every Go, web and browser test

.PHONY: test/go
test/go: ## run the Go tests (with CI=true a missing server is a failure)
	@echo "== Go tests: compiling (the first time every dependency: a minute or two)"
	@$(PROGRESS) go build -v ./...
	@echo "== Go tests"
	@$(PROGRESS) go test -timeout 30m ./...

.PHONY: test/shippers
test/shippers: deps/servers ## send by the official clients of Elasticsearch and OpenTelemetry, which have a module of their own
	@echo "== shippers"
	@$(PROGRESS) go -C e2e/shippers vet ./...
	@$(PROGRESS) go -C e2e/shippers test -count=1 ./...

.PHONY: test/rules
test/rules: deps/promtool ## check alerts, runbook and dashboards; each alert fires on planted data
	@$(PROGRESS) env CI=true go test -count=1 ./observe

.PHONY: dashboards
dashboards: ## write Grafana's dashboards from observe/
	go run ./observe

.PHONY: test/race
test/race: ## run the Go tests under the race detector
	@$(PROGRESS) go test -race ./...

.PHONY: test/web
test/web: npm ## run the web's unit tests
	@echo "== web unit tests"
	@cd web && ../$(PROGRESS) npm test

.PHONY: test/clients
test/clients: build ## run the public GraphQL clients and ours against the real program
	@echo "== clients"
	@cd web && ../$(PROGRESS) npm run --silent test:clients

.PHONY: e2e
e2e: build ## run the browser stories against the real program
	@echo "== browser stories"
	@cd web && ../$(PROGRESS) npm run e2e

.PHONY: screenshots
screenshots: build ## make the screenshots of docs/screenshots
	cd web && npm run screenshots

.PHONY: bench bench-short bench/contract bench/contract-short
bench: bench/contract ## run every benchmark: Go's, the contract's queries, live feeds beside other servers (docs/benchmarks.md)
	go test -run '^$$' -bench . -benchmem ./...
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench feed --scenario idle,paced,burst,mixed,storm,slow $(ARGS)

bench-short: ## the same comparison with 500 connections, in a minute
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench feed --short $(ARGS)

bench/contract: deps/servers bin ## the dashboard's own operations against 5 million events and 200,000 alerts (the first time loads them: 15 minutes, 12 GB)
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench contract $(ARGS)
	bin/bench contract --cgroup $(ARGS)

bench/contract-short: deps/servers bin ## the same with 50,000 events, in a minute
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench contract --short $(ARGS)

.PHONY: bench/indicators bench/indicators-short
bench/indicators: deps/servers bin ## what a million indicators cost the whole of ingest against none: fails above 10 % of CPU (two minutes)
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench indicators $(ARGS)

bench/indicators-short: deps/servers bin ## the same with 20,000 indicators, to see whether it runs
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench indicators --short $(ARGS)

.PHONY: bench/ingest bench/ingest-short
bench/ingest: deps/servers build ## durable ingest with all of SigmaHQ's rules on, a minute of each set: events a second, latency, memory (ARGS='--duration 30m' for memory)
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench ingest --corpora '$(CORPORA)' $(ARGS)

bench/ingest-short: deps/servers build ## some seconds of each set, to see whether it runs
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench ingest --corpora '$(CORPORA)' --short $(ARGS)

.PHONY: bench/detect bench/detect-short bench/detect-profile
bench/detect: ## the detection engine beside the other ones in Go: all of SigmaHQ's rules on real logs (CORPORA=..., five minutes)
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench detect --corpora '$(CORPORA)' $(ARGS)

bench/detect-short: ## the same with a second for each set of events, in a minute
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench detect --corpora '$(CORPORA)' --short $(ARGS)

bench/detect-profile: ## where matching spends its time: profiles of one core in bin/detect.cpu and bin/detect.mem
	@mkdir -p bin
	SECMON_CORPORA='$(CORPORA)' go test ./detect -run '^$$' -bench '^BenchmarkMatch$$' -cpu 1 -benchtime $(or $(BENCHTIME),5s) -cpuprofile bin/detect.cpu -memprofile bin/detect.mem -o bin/detect.test
	go tool pprof -top -nodecount 40 bin/detect.test bin/detect.cpu

.PHONY: detect/agree
detect/agree: ## the engine against the slow reference: each active rule on each record, crowds of rules, dice; what fires is in bin/detect-hits.tsv (an hour)
	@mkdir -p bin
	SECMON_CORPORA='$(CORPORA)' DETECT_AGREE=all DETECT_HITS='$(CURDIR)/bin/detect-hits.tsv' go test ./detect -run 'Agree|Dead|Labelled' -count=1 -v -timeout 6h

.PHONY: bench/web bench/web-hour
bench/web: deps/browser build ## the dashboard's budgets: sizes, and the queue in a browser with 50,000 alerts and 200 changes a second
	cd web && npm run size && npm run bench

bench/web-hour: deps/browser build ## the same, and an hour of it with the heap looked at each minute
	cd web && MINUTES=$(or $(MINUTES),60) npm run bench

.PHONY: bench/pod bench/pod-short
bench/pod: deps/servers bin ## what one pod of 200 m CPU and 256 MiB carries at once, and where it breaks (root; half an hour)
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench pod $(ARGS)

bench/pod-short: deps/servers bin ## the same program with next to no load, in a minute
	go -C bench build -o $(CURDIR)/bin/bench .
	bin/bench pod --short $(ARGS)

.PHONY: image image/check sbom
image: ## build the images secmon-backend and secmon-frontend: with Docker, or with buildah from files of this machine
	@docker info >/dev/null 2>&1 || { scripts/install-deps.sh nginx images && $(MAKE) web/dist/index.html; }
	@scripts/image.sh

image/check: web/dist/index.html ## build the images twice, compare their digests, and run them as their user (root and Linux)
	@scripts/install-deps.sh nginx images
	@scripts/image.sh check

sbom: bin npm ## write the images' bills of materials (CycloneDX 1.6) to bin/sbom
	@scripts/install-deps.sh nginx
	@mkdir -p bin/sbom && work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT \
	&& images/frontend/rootfs.sh "$$work/root" "$$work/debian" \
	&& go run ./images/sbom --image secmon-backend --version '$(VERSION)' --binary bin/secmon --lockfile web/package-lock.json > bin/sbom/secmon-backend.cdx.json \
	&& go run ./images/sbom --image secmon-frontend --version '$(VERSION)' --lockfile web/package-lock.json --debian "$$work/debian" > bin/sbom/secmon-frontend.cdx.json \
	&& echo "bin/sbom: secmon-backend.cdx.json, secmon-frontend.cdx.json"

.PHONY: rolling
rolling: deps/servers ## rolling restart and blue-green of real processes behind NGINX under load, five times (ROLLING_ROUNDS=...)
	@scripts/install-deps.sh nginx
	CI=true ROLLING_ROUNDS=$(or $(ROLLING_ROUNDS),5) go test ./e2e -run TestRollingRestartAndBlueGreen -count=1 -v -timeout 60m

.PHONY: chaos
chaos: ## 1,000 cycles of killing, stopping, pausing and cutting off replicas, database and Redis (CHAOS_CYCLES=...)
	CI=true CHAOS_CYCLES=$(or $(CHAOS_CYCLES),1000) go test ./e2e -run TestChaosOfProcesses -count=1 -v -timeout 90m

.PHONY: drill
drill: deps/servers ## the restore drill: backup under load, everything lost, restored; prints RTO and RPO (DRILL=...)
	CI=true DRILL=$(or $(DRILL),30s) go test ./e2e -run TestDrillOfRestore -count=1 -v -timeout 60m

.PHONY: upgrade
upgrade: deps/servers ## upgrade and rollback over two versions of the schema, under traffic (UPGRADE_PHASE=..., UPGRADE_FROM=revision)
	CI=true UPGRADE_PHASE=$(or $(UPGRADE_PHASE),20s) go test ./e2e -run TestUpgradeAndRollback -count=1 -v -timeout 60m

.PHONY: soak
soak: ## an hour of subscribers that come, go and resume: memory and goroutines stay (SOAK=...)
	CI=true SOAK=$(or $(SOAK),1h) go test ./e2e -run TestSoak -count=1 -v -timeout 3h

.PHONY: test/bench
test/bench: ## every scenario of the benchmarks with 20 connections
	go -C bench vet ./...
	go -C bench test ./...

.PHONY: fuzz
fuzz: ## fuzz every parser and decoder for 30 s each
	scripts/fuzz.sh 30s

# What checks the chart has modules of its own, built once each; the first time
# takes ten minutes on two cores.
DEPLOY_TOOLS := bin/.deploy-tools.stamp
$(DEPLOY_TOOLS): tools/deploy/go.mod tools/deploy/go.sum tools/kubescore/go.mod tools/kubescore/go.sum
	@echo "== building helm and what checks the chart (the first time takes some minutes)"
	@mkdir -p bin
	@$(PROGRESS) go -C tools/deploy build -v -ldflags '-s -w' -o $(CURDIR)/bin/ helm.sh/helm/v3/cmd/helm github.com/yannh/kubeconform/cmd/kubeconform github.com/norwoodj/helm-docs/cmd/helm-docs github.com/helm-unittest/helm-unittest/cmd/helm-unittest
	@$(PROGRESS) go -C tools/kubescore build -v -ldflags '-s -w' -o $(CURDIR)/bin/ github.com/zegl/kube-score/cmd/kube-score
	@touch $@

.PHONY: helm/tools helm/test helm/docs
helm/tools: $(DEPLOY_TOOLS) ## build helm and what checks the chart
	@$(PROGRESS) scripts/kubernetes-schemas.sh

helm/test: helm/tools ## check the chart: lint, schemas, kube-score, unit tests, README; and that planted errors are found
	@$(PROGRESS) scripts/helm-test.sh
	@$(PROGRESS) scripts/helm-selftest.sh

# A control plane of Kubernetes. The first build takes a quarter of an hour or more.
K8S := bin/.k8s.stamp
K8S_VERSION := $(foreach set,gitVersion=v1.34.4 gitMajor=1 gitMinor=34,-X k8s.io/component-base/version.$(set))
$(K8S): tools/k8s/go.mod tools/k8s/go.sum tools/kwok/go.mod tools/kwok/go.sum
	@echo "== building a control plane of Kubernetes (the first time takes a quarter of an hour)"
	@mkdir -p bin/k8s
	@$(PROGRESS) go -C tools/k8s build -v -ldflags '-s -w' -o $(CURDIR)/bin/k8s/etcd go.etcd.io/etcd/server/v3
	@$(PROGRESS) go -C tools/k8s build -v -ldflags '-s -w $(K8S_VERSION)' -o $(CURDIR)/bin/k8s/ k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kubectl
	@$(PROGRESS) go -C tools/kwok build -v -ldflags '-s -w' -o $(CURDIR)/bin/k8s/ sigs.k8s.io/kwok/cmd/kwok sigs.k8s.io/metrics-server/cmd/metrics-server
	@touch $@

.PHONY: deep-k8s
deep-k8s: $(DEPLOY_TOOLS) $(K8S) ## install, upgrade, break, scale and switch the chart in a control plane on this machine
	@$(PROGRESS) scripts/deep-k8s.sh

helm/docs: $(DEPLOY_TOOLS) ## write the chart's README from its values, and the program's flags into its schema
	bin/helm-docs --chart-search-root helm --log-level warning
	go test ./cmd/secmon -count=1 -run Chart -update

.PHONY: schema/release
schema/release: ## take the schema and the migrations as the release that later ones may not break (after looking at what it breaks)
	@go test -count=1 -run TestSchemaBreaksNothing ./schema || { [ "$(BREAK)" = yes ] || { echo "clients would break; if that is meant: make schema/release BREAK=yes" >&2; exit 1; }; }
	@cp schema.graphqls docs/schema/released.graphqls
	@cd db/migrations && sha256sum *.sql > ../../docs/schema/released.migrations

.PHONY: migrate/new
migrate/new: ## start a new migration: make migrate/new NAME=what_changes
	@[[ "$(NAME)" =~ ^[a-z0-9_]+$$ ]] || { echo "usage: make migrate/new NAME=what_changes" >&2; exit 2; }
	@last=$$(ls db/migrations | sed -n 's/^\([0-9]\{4\}\)_.*\.sql$$/\1/p' | sort | tail -1); \
	file=db/migrations/$$(printf '%04d' $$((10#$${last:-0} + 1)))_$(NAME).sql; \
	printf -- '-- +goose Up\n\n-- +goose Down\n' > "$$file" && echo "$$file"

.PHONY: fresh
fresh: ## clone HEAD into a new directory and do there what the README says: make run, make test
	scripts/fresh.sh

include make/cloud.mk
