#!/usr/bin/env bash
# Deploys a version beside the one that serves, and switches between the two.
#
#   scripts/blue-green.sh status --release R --namespace N
#   scripts/blue-green.sh deploy --release R --namespace N --tag TAG [--digest D] [--frontend-digest D] [-- HELM-ARGS]
#   scripts/blue-green.sh switch --release R --namespace N
#   scripts/blue-green.sh retire --release R --namespace N
#
# deploy  starts TAG in the colour that is idle, waits for it, and tests it behind
#         the Services "...-preview". Nobody is served by it yet.
# switch  tests the preview once more, lets the Services select it, tests what now
#         serves, and switches back when that fails. Run again it switches back, too.
# retire  ends the colour that is idle; its live connections are told to come again.
#
#   --digest, --frontend-digest sha256:...
#                   pin the images of TAG; what serves stays pinned to what it runs
#   --chart DIR     the chart (helm/security-monitor)
#   --timeout TIME  for each step (10m)
#   --verify CMD    run beside helm's tests, with "preview" or "live" as argument:
#                   a smoke test from outside
#   -- ARGS         for helm upgrade, e.g. -f values-prod.yaml
#
# Helm keeps the state, in the value blueGreen of the release. An upgrade that keeps the
# release's values (helm upgrade --reset-then-reuse-values, scripts/deploy.sh) does not
# undo the switch; one from files alone goes by blueGreen in those files, and the chart
# refuses it when it would take away the colour that serves.
# Needs helm 3.14 or later, and kubectl.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

say() { echo "[blue-green] $*"; }
die() { echo "[blue-green] $*" >&2; exit 1; }
usage() { sed -n '2,/^set -/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

[ $# -gt 0 ] || usage
command=$1
shift
release='' namespace='' tag='' digest='' frontend_digest='' chart=$here/../helm/security-monitor timeout=10m verify='' more=()
while [ $# -gt 0 ]; do
  case "$1" in
    --release | --namespace | --tag | --digest | --frontend-digest | --chart | --timeout | --verify)
      [ $# -gt 1 ] || usage
      option=${1#--}
      printf -v "${option//-/_}" %s "$2"
      shift 2 ;;
    --) shift; more=("$@"); break ;;
    *) usage ;;
  esac
done
[ -n "$release" ] && [ -n "$namespace" ] || usage

helm=${HELM:-helm} kubectl=${KUBECTL:-kubectl}
h() { "$helm" --namespace "$namespace" "$@"; }
k() { "$kubectl" --namespace "$namespace" "$@"; }

# deployments COLOUR [COMPONENT] prints their names.
deployments() {
  k get deployments -o name -l "app.kubernetes.io/instance=$release,security-monitor/colour=$1${2:+,app.kubernetes.io/component=$2}"
}

other() { if [ "$1" = blue ]; then echo green; else echo blue; fi; }

# What serves is read from the release's values, which the next upgrade goes by.
look() {
  local values
  values=$(h get values "$release" --all -o json) || die "there is no release $release in $namespace"
  active=$(sed -n 's/.*"blueGreen":{"active":"\(blue\|green\)".*/\1/p' <<<"$values")
  [ -n "$active" ] || die "$release is no release of this chart: it has no value blueGreen.active"
  idle=$(other "$active")
  name=$(deployments "$active" backend)
  name=${name#*/} name=${name%-green} name=${name%-backend}
  [ -n "$name" ] || die "$active serves, and there is no deployment of it"
}

# version COLOUR prints which one runs, nothing where none does.
version() {
  k get deployments -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=backend,security-monitor/colour=$1" \
    -o 'jsonpath={.items[*].metadata.labels.app\.kubernetes\.io/version}'
}

# digest COLOUR COMPONENT prints what its image is pinned to, nothing where a tag names it.
digest() {
  k get deployments -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=$2,security-monitor/colour=$1" \
    -o 'jsonpath={.items[*].spec.template.spec.containers[0].image}' | sed -n 's/.*@\(sha256:[0-9a-f]\{64\}\)$/\1/p'
}

status() {
  look
  local colour
  for colour in "$active" "$idle"; do
    printf '%-6s %-8s %s\n' "$colour" "$([ "$colour" = "$active" ] && echo serves || echo idle)" "$(version "$colour" | grep . || echo '(not there)')"
  done
}

# An upgrade that changes these values and keeps all others.
upgrade() { h upgrade "$release" "$chart" --reset-then-reuse-values --wait --timeout "$timeout" ${more[@]+"${more[@]}"} "$@" >/dev/null; }

# As strong as its autoscaler's minimum: a Deployment without replicas begins with one.
until_strong() {
  local deployment least ready deadline=$((SECONDS + 300))
  for deployment in $(deployments "$1"); do
    least=$(k get hpa "${deployment#*/}" --ignore-not-found -o 'jsonpath={.spec.minReplicas}')
    [ -n "$least" ] || least=$(k get "$deployment" -o 'jsonpath={.spec.replicas}')
    while ready=$(k get "$deployment" -o 'jsonpath={.status.readyReplicas}') && [ "${ready:-0}" -lt "$least" ]; do
      [ $SECONDS -lt $deadline ] || die "$deployment has ${ready:-0} ready pods after five minutes, not $least"
      sleep 1
    done
  done
}

# passes preview|live: helm's tests of those Services, and --verify.
passes() {
  local test=$name-test
  if [ "$1" = preview ]; then test=$test-preview; fi
  h test "$release" --filter "name=$test" --timeout 5m >/dev/null || { say "the test $test failed"; return 1; }
  [ -z "$verify" ] || "$verify" "$1" || { say "$verify $1 failed"; return 1; }
}

deploy() {
  [ -n "$tag" ] || usage
  look
  say "$active serves $(version "$active"); starting $tag as $idle"
  # The version that serves is written down: the chart's default may be another by now,
  # and the digest that the pipeline gave to the components is of one version.
  local was_digest was_frontend was
  was=$(version "$active") was_digest=$(digest "$active" backend) was_frontend=$(digest "$active" frontend)
  upgrade --set "blueGreen.$idle.enabled=true" \
    --set-string "blueGreen.$active.tag=$was,blueGreen.$active.digest=$was_digest,blueGreen.$active.frontendDigest=$was_frontend" \
    --set-string "blueGreen.$idle.tag=$tag,blueGreen.$idle.digest=$digest,blueGreen.$idle.frontendDigest=$frontend_digest"
  until_strong "$idle"
  passes preview || die "$tag does not pass; $active serves on. Look at it behind $name-backend-preview, then deploy again or retire"
  say "$tag is ready as $idle; switch lets it serve"
}

# Without hooks: there is nothing to migrate, and a way back must not wait.
point_at() { upgrade --no-hooks --set "blueGreen.active=$1"; }

# serving COLOUR: do all Services that the ingress knows select it.
serving() {
  local selected
  selected=$(k get services -l "app.kubernetes.io/instance=$release" -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.selector.security-monitor/colour}{"\n"}{end}' |
    grep -E '(-backend|-frontend) ' | cut -d' ' -f2 | sort -u)
  [ "$selected" = "$1" ]
}

switch() {
  look
  [ -n "$(version "$idle")" ] || die "only $active is there: deploy first"
  until_strong "$idle"
  passes preview || die "$idle does not pass; $active serves on"
  say "switching from $active ($(version "$active")) to $idle ($(version "$idle"))"
  if point_at "$idle" && serving "$idle" && passes live; then
    say "$idle serves. Connections that are open stay with $active until it is retired"
    return
  fi
  say "switching back to $active"
  point_at "$active" && serving "$active" || die "switching back FAILED: look at the Services' selectors at once"
  passes live || die "$active serves again and does not pass its test: look at once"
  die "$active serves again"
}

retire() {
  look
  [ -n "$(version "$idle")" ] || die "there is no $idle to retire"
  upgrade --no-hooks --set "blueGreen.$idle.enabled=false"
  say "$idle is gone; $active serves"
}

case "$command" in
  status | deploy | switch | retire) "$command" ;;
  *) usage ;;
esac
