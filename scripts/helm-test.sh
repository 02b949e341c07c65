#!/usr/bin/env bash
# Checks the chart without a cluster. `make helm/test` builds the tools and runs
# all; single checks:
#   scripts/helm-test.sh lint|schema|score|unit|config|rolls|docs
# CHART names another copy of the chart and ENVIRONMENTS fewer values files:
# scripts/helm-selftest.sh plants errors.
set -euo pipefail
cd "$(dirname "$0")/.."
chart=${CHART:-helm/security-monitor}
bin=$PWD/bin
kube=1.34.4 # helm that was built from source believes in 1.20
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

die() { echo "helm-test: $*" >&2; exit 1; }

# The environments and the example, each with blue serving alone and with green serving beside it.
read -ra environments <<<"${ENVIRONMENTS:-default dev staging prod rollouts}"
arguments() { # ENVIRONMENT COLOUR
  case "$1" in
    default) ;;
    rollouts) printf '%s\n' -f "$chart/values-prod.yaml" -f "$chart/examples/argo-rollouts.yaml" ;;
    # With what is off by default, too.
    prod) printf '%s\n' -f "$chart/values-prod.yaml" --set "backup.enabled=true,backup.to=s3://acme/secmon/,backup.recipients={age1one,age1two}" \
      --set "syslog.tls.enabled=true,syslog.tls.secret=syslog-tls,syslog.tls.clientCASecret=syslog-ca,syslog.tls.clientNames={*.example.com}" \
      --set "syslog.tcp.enabled=true,syslog.networks={10.0.0.0/8},syslog.service.type=LoadBalancer,syslog.service.loadBalancerClass=service.k8s.aws/nlb" \
      --set "archive.to=s3://acme-archive/secmon/,archive.recipients={age1one,age1two},archive.identity=true,networkPolicy.smtp.enabled=true,config.webhook-allow={10.40.0.0/16}" ;;
    *) printf '%s\n' -f "$chart/values-$1.yaml" ;;
  esac
  if [ "$2" = green ]; then printf '%s\n' --set blueGreen.active=green,blueGreen.green.enabled=true,blueGreen.blue.tag=1.0.0,blueGreen.green.tag=1.1.0; fi
}

each() { # COMMAND...: runs it with every environment and colour
  local environment colour args
  for environment in "${environments[@]}"; do
    for colour in blue green; do
      mapfile -t args < <(arguments "$environment" "$colour")
      "$@" "$environment-$colour" "${args[@]}" || die "$1 failed for $environment, $colour"
    done
  done
}

render() { # NAME ARGUMENTS...
  local name=$1
  shift
  "$bin/helm" template secmon "$chart" --namespace monitor --kube-version "$kube" "$@" >"$out/$name.yaml"
}

lint() {
  local name=$1
  shift
  "$bin/helm" lint "$chart" --strict --kube-version "$kube" "$@" >"$out/lint" 2>&1 || { cat "$out/lint"; return 1; }
}

# No field that Kubernetes does not have, none of another type, no kind without a schema.
schema() {
  render "$@"
  local objects
  objects=$(grep -c '^kind:' "$out/$1.yaml") || die "nothing was rendered for $1"
  "$bin/kubeconform" -strict -summary -schema-location "$bin/schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$out/$1.yaml" >"$out/schema" || { cat "$out/schema"; return 1; }
  grep -q "Valid: $objects, Invalid: 0, Errors: 0, Skipped: 0" "$out/schema" || { cat "$out/schema"; echo "of $objects objects"; return 1; }
}

# Two of kube-score's critical findings are decisions: no limit of CPU (it slows a
# pod down on an idle node), and IfNotPresent (tags never move).
score() {
  case "$1" in rollouts-*) return ;; esac # it knows no Rollout, and so no target of the autoscaler's
  render "$@"
  "$bin/kube-score" score --kubernetes-version v1.34 --ignore-container-cpu-limit --ignore-test container-image-pull-policy \
    --output-format ci "$out/$1.yaml" >"$out/score" || { grep -F '[CRITICAL]' "$out/score"; return 1; }
}

unit() {
  "$bin/helm-unittest" "$chart" --strict -f 'tests/*_test.yaml' >"$out/unit" 2>&1 || { grep -v '^ PASS' "$out/unit"; die "unit tests failed"; }
  sed -n 's/^Tests: */   /p' "$out/unit"
}

# The program itself reads what the chart writes: each key a flag, each value of its type.
config() {
  each render
  mkdir "$out/configs"
  local file
  for file in "$out"/*-*.yaml; do
    awk '/^  config.yaml: \|/ {on = 1; next} on && !/^    / {exit} on {print substr($0, 5)}' "$file" >"$out/configs/$(basename "$file")"
  done
  CHART_SCHEMA=$(cd "$chart" && pwd)/values.schema.json CHART_CONFIGS=$out/configs go test ./cmd/secmon -count=1 -run 'Chart' || die "the program does not take the chart's configuration"
}

# Pods are replaced when their configuration or secrets change, and only then.
template() { # NAME ARGUMENTS...: prints the checksums of the backend's pods
  render "$@" && grep -E '^ +checksum/(config|secrets):' "$out/$1.yaml"
}
rolls() {
  local first
  first=$(template first)
  [ "$(grep -c . <<<"$first")" = 2 ] || die "the pods have no checksums: $first"
  [ "$first" = "$(template again)" ] || die "pods are replaced though nothing changed"
  [ "$first" = "$(template more --set backend.replicas=5,ingress.className=other)" ] || die "pods are replaced though nothing of theirs changed"
  [ "$first" != "$(template flags --set config.log-level=debug)" ] || die "pods keep an old configuration"
  [ "$first" != "$(template given --set secrets.values.jwtKeys=new)" ] || die "pods keep an old secret"
  [ "$(template keys --set "archive.to=s3://a/b/,archive.recipients={age1one}")" != "$(template keys2 --set "archive.to=s3://a/b/,archive.recipients={age1two}")" ] || die "pods keep old keys of the archive"
  [ "$first" != "$(template revision --set secrets.revision=1)" ] || die "secrets.revision replaces no pods"
}

docs() {
  rm -rf "$out/docs" && cp -R "$chart" "$out/docs"
  "$bin/helm-docs" --chart-search-root "$out/docs" --log-level warning
  diff -u "$chart/README.md" "$out/docs/README.md" >"$out/diff" || { cat "$out/diff"; die "README.md is not what helm-docs writes: make helm/docs"; }
}

run() {
  case "$1" in
    lint) echo "== chart: lint"; each lint ;;
    schema) echo "== chart: every field against the schemas of Kubernetes $kube and the operators"; each schema ;;
    score) echo "== chart: kube-score"; each score ;;
    unit) echo "== chart: unit tests"; unit ;;
    config) echo "== chart: the program takes its configuration"; config ;;
    rolls) echo "== chart: pods roll when they should"; rolls ;;
    docs) echo "== chart: README"; docs ;;
    *) die "no such check: $1" ;;
  esac
}

[ $# -gt 0 ] || set -- lint schema score unit config rolls docs
for check in "$@"; do run "$check"; done
