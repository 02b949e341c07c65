#!/usr/bin/env bash
# Tests scripts/deploy.sh with a helm and a smoke test that write down how they are
# called and do what the case says.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"

cat >"$work/bin/helm" <<'EOF'
#!/usr/bin/env bash
echo "helm $*" >>"$CALLS"
case $1 in
  history) [ -z "$HISTORY" ] || { echo "$HISTORY"; exit 0; }; echo "Error: release: not found" >&2; exit 1 ;;
  get) [ -n "$VALUES" ] || exit 1; echo "$VALUES"; exit 0 ;;
  upgrade) while [ $# -gt 0 ]; do case $1 in */colours.json) jq -c . "$1" >>"$CALLS" ;; esac; shift; done; exit "${UPGRADE:-0}" ;;
  rollback) exit "${ROLLBACK:-0}" ;;
esac
EOF
# SMOKES is a line of results, one a call.
cat >"$work/bin/smoke" <<'EOF'
#!/usr/bin/env bash
echo "smoke $* version=${SMOKE_VERSION:-}" >>"$CALLS"
n=$(grep -c ^smoke "$CALLS")
exit "$(cut -d ' ' -f "$n" <<<"${SMOKES:-0}")"
EOF
chmod +x "$work/bin/"*
export PATH=$work/bin:$PATH CALLS=$work/calls SMOKE=$work/bin/smoke SMOKE_READ_TOKEN=r SMOKE_INGEST_TOKEN=i

digest=sha256:$(printf 'a%.0s' {1..64})
other=sha256:$(printf 'b%.0s' {1..64})
registry=123456789012.dkr.ecr.eu-central-1.amazonaws.com
good=(staging v1.2.3 "$registry/security-monitor/backend@$digest" "$registry/security-monitor/frontend@$other" https://staging.example.org)
history='[{"revision":3,"status":"superseded"},{"revision":4,"status":"deployed"},{"revision":5,"status":"failed"}]'
values='{"blueGreen":{"active":"green","blue":{"enabled":true,"tag":"1.0.0","digest":"sha256:d","frontendDigest":"sha256:e"},"green":{"enabled":true,"tag":"1.1.0","digest":"sha256:f","frontendDigest":""}},"image":{}}'

passed=0 failed=0
# try NAME EXIT SAYS CALLS NOT-CALLED [SETTING=VALUE...] -- ARGUMENT...
try() {
  local name=$1 want=$2 says=$3 calls=$4 never=$5 settings=() status=0 ok=1
  shift 5
  while [ "$1" != -- ]; do settings+=("$1"); shift; done
  shift
  : >"$CALLS"
  env HISTORY="$history" VALUES="$values" "${settings[@]}" scripts/deploy.sh "$@" >"$work/out" 2>&1 || status=$?
  [ "$status" = "$want" ] || ok=0
  grep -qF -- "$says" "$work/out" || ok=0
  [ -z "$calls" ] || grep -qE -- "$calls" "$CALLS" || ok=0
  [ -z "$never" ] || ! grep -qE -- "$never" "$CALLS" || ok=0
  if [ $ok = 1 ]; then passed=$((passed + 1)); return; fi
  failed=$((failed + 1))
  echo "FAIL: $name: exit $status" >&2
  cat "$work/out" "$CALLS" >&2
}

try "it works" 0 "staging runs v1.2.3" "backend.image.digest=$digest.*frontend.image.digest=$other" '^helm rollback' -- "${good[@]}"
try "atomic, values of the environment" 0 "" '^helm upgrade security-monitor .*--install --atomic .*values-staging.yaml' '' -- "${good[@]}"
try "the smoke test asks for the version" 0 "" '^smoke https://staging.example.org version=v1.2.3' '' -- "${good[@]}"
try "the rollout fails" 1 "Helm has taken it back" '' '^(smoke|helm rollback)' UPGRADE=1 -- "${good[@]}"
try "the smoke test fails" 1 "is back at revision 4" '^helm rollback security-monitor 4 ' '' "SMOKES=1 0" -- "${good[@]}"
try "what ran before is tried, whatever its version" 1 "is back at revision 4" '^smoke https://staging.example.org version=$' '' "SMOKES=1 0" -- "${good[@]}"
try "what ran before does not work either" 1 "DOES NOT WORK EITHER" '^helm rollback' '' "SMOKES=1 1" -- "${good[@]}"
try "the rollback fails" 1 "THE ROLLBACK FAILED" '^helm rollback' '' "SMOKES=1" ROLLBACK=1 -- "${good[@]}"
try "the first time there is nothing to go back to" 1 "no earlier revision" '' '^helm rollback' HISTORY= "SMOKES=1" -- "${good[@]}"
try "the first time" 0 "runs now: revision none" '^helm upgrade' '' HISTORY= -- "${good[@]}"
try "a tag is refused" 1 "is not REGISTRY/REPOSITORY@sha256" '' '^helm upgrade' -- staging v1 "$registry/backend:v1" "${good[@]:3}"
try "two registries" 1 "two registries" '' '^helm upgrade' -- "${good[@]:0:3}" "example.org/frontend@$other" https://staging.example.org
try "no token for the smoke test" 1 "are not both set" '' '^helm' SMOKE_INGEST_TOKEN= -- "${good[@]}"
try "no such environment" 1 "no environment production" '' '^helm' -- production "${good[@]:1}"
try "values that are missing" 1 "empty or missing" '' '^helm upgrade' -- "${good[@]}" "$work/none.yaml"
printf 'a: 1\n' >"$work/cloud.yaml"
try "values of Terraform come last" 0 "" 'values-staging.yaml --values .*/cloud.yaml' '' -- "${good[@]}" "$work/cloud.yaml"
try "the colour that serves stays, and gets the version" 0 "" '^."blueGreen":."active":"green".*"green":."enabled":true,"tag":"","digest":"","frontendDigest":""' '' -- "${good[@]}"
try "the other colour stays what it is" 0 "" '"blue":."enabled":true,"tag":"1.0.0","digest":"sha256:d","frontendDigest":"sha256:e"' '' -- "${good[@]}"
try "the colours come after all other values" 0 "" 'cloud.yaml --values [^ ]*/colours.json --set' '' -- "${good[@]}" "$work/cloud.yaml"
try "the first time there are no colours to keep" 0 "" '' 'helm get|colours.json' HISTORY= -- "${good[@]}"
try "which colour serves is not known" 1 "which colour serves" '' '^helm upgrade' VALUES= -- "${good[@]}"
try "the tag tells the version" 0 "" 'backend.image.tag=v1.2.3 .*frontend.image.tag=v1.2.3 ' '' -- "${good[@]}"

echo "deploy: $passed passed, $failed failed"
[ $failed = 0 ]
