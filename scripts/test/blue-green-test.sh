#!/usr/bin/env bash
# Tests what scripts/blue-green.sh asks of helm, with a helm and a kubectl that play a
# cluster in which the pipeline has deployed. `make deep-k8s` does it with a real one.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/helm" <<'EOF'
#!/usr/bin/env bash
echo "helm $*" >>"$CALLS"
case " $* " in *" get values "*) echo '{"backend":{},"blueGreen":{"active":"blue","blue":{"enabled":true,"tag":""},"green":{"enabled":false}}}' ;; esac
EOF
cat >"$work/kubectl" <<'EOF'
#!/usr/bin/env bash
case "$*" in
  *component=backend*containers*) echo "$IMAGES/backend:v1$BACKEND" ;;
  *component=frontend*containers*) echo "$IMAGES/frontend:v1$FRONTEND" ;;
  *labels.app*) echo v1 ;;
  *"get deployments -o name"*) echo deployment.apps/secmon-backend ;;
  *replicas* | *eadyReplicas*) echo 2 ;;
esac
EOF
chmod +x "$work/helm" "$work/kubectl"
export HELM=$work/helm KUBECTL=$work/kubectl CALLS=$work/calls IMAGES=123456789012.dkr.ecr.eu-central-1.amazonaws.com/security-monitor
a=sha256:$(printf 'a%.0s' {1..64}) b=sha256:$(printf 'b%.0s' {1..64}) c=sha256:$(printf 'c%.0s' {1..64}) d=sha256:$(printf 'd%.0s' {1..64})

passed=0 failed=0
# try NAME WANT BACKEND FRONTEND ARGUMENT...: helm upgrade has to be asked for WANT.
try() {
  local name=$1 want=$2
  : >"$CALLS"
  if BACKEND=$3 FRONTEND=$4 scripts/blue-green.sh deploy --release r --namespace n "${@:5}" >"$work/out" 2>&1 && grep -qE -- "$want" <(grep ' upgrade ' "$CALLS"); then
    passed=$((passed + 1))
    return
  fi
  failed=$((failed + 1))
  echo "FAIL: $name" >&2
  cat "$work/out" "$CALLS" >&2
}
try "what serves stays pinned to what it runs" "blueGreen.blue.tag=v1,blueGreen.blue.digest=$a,blueGreen.blue.frontendDigest=$b" "@$a" "@$b" --tag v2
try "the new one is pinned" "blueGreen.green.tag=v2,blueGreen.green.digest=$c,blueGreen.green.frontendDigest=$d" "@$a" "@$b" --tag v2 --digest "$c" --frontend-digest "$d"
try 'without digests by its tag' 'blueGreen.green.tag=v2,blueGreen.green.digest=,blueGreen.green.frontendDigest=$' "@$a" "@$b" --tag v2 -- --atomic --set x=y
try "what a tag names stays named by it" "blueGreen.blue.tag=v1,blueGreen.blue.digest=,blueGreen.blue.frontendDigest= " "" "" --tag v2
try "all other values stay" "--reset-then-reuse-values" "" "" --tag v2
echo "blue-green: $passed passed, $failed failed"
[ $failed = 0 ]
