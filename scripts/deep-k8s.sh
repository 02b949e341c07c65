#!/usr/bin/env bash
# Installs the chart in a real Kubernetes control plane on this machine and does to
# it what operators do. Pods are played by kwok (scripts/deep-k8s/kwok.yaml): that
# the image runs is not shown here, that Kubernetes does what the chart means is.
#   make deep-k8s builds the binaries (a quarter of an hour the first time).
#   DEEP_K8S=skip-missing skips, loudly, where they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/..
bin=$root/bin/k8s
chart=${CHART:-$root/helm/security-monitor} # another copy, to see it fail
for binary in "$root/bin/helm" "$bin"/{etcd,kube-apiserver,kube-controller-manager,kube-scheduler,kubectl,kwok,metrics-server}; do
  if [ ! -x "$binary" ]; then
    echo "SKIPPED: deep-k8s: $(basename "$binary") is missing; make deep-k8s builds it" >&2
    [ "${DEEP_K8S:-}" = skip-missing ] && exit 0
    exit 1
  fi
done
command -v openssl >/dev/null || { echo "deep-k8s: needs openssl" >&2; exit 1; }

work=$(mktemp -d)
# shellcheck source=scripts/deep-k8s/cluster.sh
source "$here/deep-k8s/cluster.sh"
trap stop_cluster EXIT
module() { # PATH@VERSION prints where its files are
  (cd "$work" && go mod download -json "$1") | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}
kwok=$(module sigs.k8s.io/kwok@v0.8.0) vpa=$(module k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1)
prometheus=$(module github.com/prometheus-operator/prometheus-operator@v0.85.0) secrets=$(module github.com/external-secrets/external-secrets@v1.3.2)
export HOME=$work # neither helm nor kubectl reads or writes the user's files
ns=monitor
k() { "$bin/kubectl" --kubeconfig "$kubeconfig" "$@"; }
n() { k -n "$ns" "$@"; }
h() { "$root/bin/helm" --kubeconfig "$kubeconfig" -n "$ns" "$@"; }
die() { echo "deep-k8s: FAILED: $*" >&2; exit 1; }
shown() { echo "   ok: $*"; }
story() { echo "== deep-k8s: $*"; }

prepare() {
  cp "$kwok/kustomize/metrics/resource/metrics-resource.yaml" "$work/metric.yaml"
  start_cluster
  { metrics_api; nodes 6; } | k apply -f - >/dev/null
  k apply --server-side -f "$vpa/deploy/vpa-v1-crd-gen.yaml" \
    -f "$prometheus/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml" \
    -f "$prometheus/example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml" \
    -f "$secrets/config/crds/bases/external-secrets.io_externalsecrets.yaml" >/dev/null
  local namespace
  for namespace in "$ns" monitoring logging; do k create namespace "$namespace" >/dev/null; done
  k label namespace "$ns" pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/warn=restricted >/dev/null
  k label namespace logging pod-security.kubernetes.io/enforce=privileged >/dev/null
  until_true 60 "six nodes" sh -c "[ \$('$bin/kubectl' --kubeconfig '$kubeconfig' get nodes --no-headers | grep -c ' Ready ') = 6 ]"
  k wait --for=condition=Established crd --all --timeout=60s >/dev/null
}

# What every release has: production's values, quicker to stop.
values=(-f "$chart/values-prod.yaml" --set "backend.minReadySeconds=0,frontend.minReadySeconds=0")
tagged() { echo --set-string "backend.image.tag=$1,frontend.image.tag=$1"; }

image_of() { n get deployment "$1" -o 'jsonpath={.spec.template.spec.containers[0].image}' | sed 's/.*://'; }
ready_of() { n get deployment "$1" -o 'jsonpath={.status.readyReplicas}'; }
age_of() { date -d "$1" +%s.%N; }

# while_watched COMMAND...: runs it and demands that two backends are ready all the
# time. Its answer is the command's.
while_watched() {
  local fewest=99 now answer
  "$@" >"$work/said" 2>&1 &
  local pid=$!
  while kill -0 $pid 2>/dev/null; do
    # A Deployment without ready pods has no readyReplicas; a question without an
    # answer says nothing.
    if now=$(ready_of secmon-security-monitor-backend 2>"$work/unanswered") && [ "${now:-0}" -lt "$fewest" ]; then fewest=${now:-0}; fi
    sleep 0.2
  done
  answer=0
  wait $pid || answer=$?
  if [ "$fewest" -lt 2 ]; then
    k get nodes && n get pods,events
    die "only $fewest backends were ready during: $*"
  fi
  return $answer
}

installs() {
  story "install with production's values"
  # shellcheck disable=SC2046 # two words
  h install secmon "$chart" "${values[@]}" $(tagged 1.0.0) --wait --timeout 3m >"$work/said" 2>&1 || { cat "$work/said"; die "install"; }
  if grep -i 'would violate PodSecurity' "$work/said"; then die "a pod of the release is not restricted"; fi
  until_true 60 "two pods of each" sh -c "'$bin/kubectl' --kubeconfig '$kubeconfig' -n $ns get deployments | grep -c ' 2/2 ' | grep -q 2"
  [ "$(k -n logging get daemonset secmon-security-monitor-fluent-bit -o 'jsonpath={.status.numberReady}')" = 6 ] || until_true 30 "six collectors" \
    sh -c "[ \$('$bin/kubectl' --kubeconfig '$kubeconfig' -n logging get daemonset secmon-security-monitor-fluent-bit -o 'jsonpath={.status.numberReady}') = 6 ]"
  shown "the API server took all objects; two backends, two frontends, a log collector on each of six nodes"
  local migrated deployed
  migrated=$(n get events --field-selector involvedObject.kind=Job,reason=Completed -o 'jsonpath={.items[0].lastTimestamp}')
  [ -n "$migrated" ] || die "no migration was completed"
  deployed=$(n get deployment secmon-security-monitor-backend -o 'jsonpath={.metadata.creationTimestamp}')
  [ "$(age_of "$migrated" | cut -d. -f1)" -le "$(age_of "$deployed" | cut -d. -f1)" ] || die "the migration ended at $migrated, after the backend came at $deployed"
  [ -z "$(n get jobs -o name)" ] || die "the migration's job is left over"
  shown "the migration ended before the backend came, and left nothing"
  local zones
  zones=$(n get pods -l app.kubernetes.io/component=backend -o 'jsonpath={.items[*].spec.nodeName}' | tr ' ' '\n' | sort -u | grep -c .)
  [ "$zones" = 2 ] || die "both backends are on one node"
  shown "each backend is on a node of its own"
}

is_restricted() {
  story "Pod Security restricted"
  local answer
  if answer=$(n run intruder --image=x --restart=Never 2>&1); then die "a pod that is not restricted was admitted"; fi
  grep -q 'violates PodSecurity "restricted' <<<"$answer" || die "refused for another reason: $answer"
  shown "the namespace refuses other pods, and took all of ours"
}

passes_its_tests() {
  story "helm test"
  h test secmon --timeout 1m >/dev/null || die "helm test"
  shown "the job ran and succeeded (kwok's word, not the program's)"
}

upgrades() {
  story "upgrade"
  # shellcheck disable=SC2046
  while_watched h upgrade secmon "$chart" "${values[@]}" $(tagged 1.1.0) --wait --timeout 3m || { cat "$work/said"; die "upgrade"; }
  [ "$(image_of secmon-security-monitor-backend)" = 1.1.0 ] || die "the backend is $(image_of secmon-security-monitor-backend)"
  shown "1.1.0 runs, never fewer than two backends were ready"
}

keeps_pods_when_migration_fails() {
  story "upgrade whose migration fails"
  local before
  before=$(n get pods -l app.kubernetes.io/component=backend -o name | sort)
  # shellcheck disable=SC2046
  if while_watched h upgrade secmon "$chart" "${values[@]}" $(tagged 1.2.0-nomigrate) --set migrations.backoffLimit=0 --timeout 1m; then die "it was taken"; fi
  [ "$(image_of secmon-security-monitor-backend)" = 1.1.0 ] || die "the Deployment was changed"
  [ "$before" = "$(n get pods -l app.kubernetes.io/component=backend -o name | sort)" ] || die "pods were replaced"
  shown "refused; the pods are the same as before"
}

goes_back_when_not_ready() {
  story "upgrade --atomic to a version that never gets ready"
  # shellcheck disable=SC2046
  if while_watched h upgrade secmon "$chart" "${values[@]}" $(tagged 1.3.0-broken) --atomic --timeout 25s; then die "it was taken"; fi
  [ "$(image_of secmon-security-monitor-backend)" = 1.1.0 ] || die "the backend is $(image_of secmon-security-monitor-backend)"
  [ "$(h list -o json | sed -n 's/.*"status":"\([a-z-]*\)".*/\1/p')" = deployed ] || die "the release is not in order"
  shown "Helm went back by itself to 1.1.0, never fewer than two backends were ready"
}

rolls_back() {
  story "helm rollback"
  while_watched h rollback secmon 1 --wait --timeout 2m || { cat "$work/said"; die "rollback"; }
  [ "$(image_of secmon-security-monitor-backend)" = 1.0.0 ] || die "the backend is $(image_of secmon-security-monitor-backend)"
  shown "1.0.0 runs again, never fewer than two backends were ready"
}

evict() { # POD
  printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"%s","namespace":"%s"}}' "$1" "$ns" |
    n create --raw "/api/v1/namespaces/$ns/pods/$1/eviction" -f - 2>&1
}

protects_from_disruption() {
  story "disruption"
  until_true 30 "two ready backends" sh -c "[ \$('$bin/kubectl' --kubeconfig '$kubeconfig' -n $ns get pdb secmon-security-monitor-backend -o 'jsonpath={.status.disruptionsAllowed}') = 1 ]"
  local pods answer
  read -ra pods <<<"$(n get pods -l app.kubernetes.io/component=backend -o 'jsonpath={.items[*].metadata.name}')"
  answer=$(evict "${pods[0]}") || die "the first eviction was refused: $answer"
  if answer=$(evict "${pods[1]}"); then die "a second pod went while the first was not back"; fi
  grep -q "disruption budget" <<<"$answer" || die "refused for another reason: $answer"
  shown "one pod may go, a second is refused (429) until the first is back"
  until_true 60 "the second eviction" evict_is_taken "${pods[1]}"
  shown "then it may go, too: nothing holds a node for ever"
}
evict_is_taken() { evict "$1"; }

scales() {
  story "autoscaling"
  until_true 120 "figures of use" sh -c "'$bin/kubectl' --kubeconfig '$kubeconfig' -n $ns top pods | grep -q backend"
  # shellcheck disable=SC2046
  h upgrade secmon "$chart" "${values[@]}" $(tagged 1.0.0) --set-string 'backend.podAnnotations.test/load=400m' --wait --timeout 2m >/dev/null
  until_true 240 "twelve backends" sh -c "[ \"\$('$bin/kubectl' --kubeconfig '$kubeconfig' -n $ns get deployment secmon-security-monitor-backend -o 'jsonpath={.status.readyReplicas}')\" = 12 ]"
  shown "from 2 to 12 backends at 400m each of 200m asked for"
  local used
  used=$(n get pods -l app.kubernetes.io/component=backend -o 'jsonpath={.items[*].spec.nodeName}' | tr ' ' '\n' | sort | uniq -c | awk '{print $1}' | sort -u | xargs)
  [ "$used" = 2 ] || die "twelve pods are spread over six nodes as $used"
  shown "two on each of six nodes"
  # shellcheck disable=SC2046
  h upgrade secmon "$chart" "${values[@]}" $(tagged 1.0.0) --set-string 'backend.podAnnotations.test/load=400m' --wait --timeout 2m >/dev/null
  [ "$(n get deployment secmon-security-monitor-backend -o 'jsonpath={.spec.replicas}')" = 12 ] || die "an upgrade undid the autoscaler's work"
  shown "an upgrade leaves twelve"
}

blue_green() { HELM=$work/helm KUBECTL=$work/kubectl "$here/blue-green.sh" "$1" --release secmon --namespace "$ns" --timeout 2m "${@:2}"; }
selector() { n get service "secmon-security-monitor-$1" -o 'jsonpath={.spec.selector.security-monitor/colour}'; }
serves() { [ "$(selector backend) $(selector frontend)" = "$1 $1" ] || die "the Services select $(selector backend) and $(selector frontend), not $1"; }

switches_colours() {
  story "blue and green"
  printf '#!/bin/sh\nexec "%s" --kubeconfig "%s" "$@"\n' "$root/bin/helm" "$kubeconfig" >"$work/helm"
  printf '#!/bin/sh\nexec "%s" --kubeconfig "%s" "$@"\n' "$bin/kubectl" "$kubeconfig" >"$work/kubectl"
  printf '#!/bin/sh\n[ "$1" = preview ]\n' >"$work/only-preview"
  chmod +x "$work"/{helm,kubectl,only-preview}
  # shellcheck disable=SC2046
  h upgrade secmon "$chart" "${values[@]}" $(tagged 1.0.0) --wait --timeout 2m >/dev/null
  local pods
  pods=$(n get pods -l security-monitor/colour=blue -o name | sort)
  if blue_green switch >/dev/null 2>&1; then die "switched to a colour that is not there"; fi

  if blue_green deploy --tag 2.0.0-sick >"$work/said" 2>&1; then die "a version that fails its test was taken"; fi
  serves blue
  shown "a version that fails its test is not offered; blue serves on"
  blue_green deploy --tag 2.0.0 || die "deploy"
  serves blue
  [ "$(image_of secmon-security-monitor-backend-green)" = 2.0.0 ] || die "green is $(image_of secmon-security-monitor-backend-green)"
  [ "$pods" = "$(n get pods -l security-monitor/colour=blue -o name | sort)" ] || die "deploying green replaced blue's pods"
  shown "2.0.0 is there as green, behind the previews; blue's pods are the same"

  if blue_green switch --verify "$work/only-preview" >"$work/said" 2>&1; then die "a failed verification was taken"; fi
  grep -q 'switching back to blue' "$work/said" || { cat "$work/said"; die "it did not say that it goes back"; }
  serves blue
  shown "a verification that fails after the switch leads back to blue by itself"
  while_watched blue_green switch || { cat "$work/said"; die "switch"; }
  serves green
  h upgrade secmon "$chart" --reset-then-reuse-values --wait --timeout 2m >/dev/null
  serves green
  shown "green serves, and a later upgrade does not undo it"
  while_watched blue_green switch || { cat "$work/said"; die "switch back"; }
  serves blue
  [ "$pods" = "$(n get pods -l security-monitor/colour=blue -o name | sort)" ] || die "switching replaced blue's pods"
  shown "and back; no pod of blue was ever touched"
  blue_green retire || die "retire"
  [ -z "$(n get deployments -l security-monitor/colour=green -o name)" ] || die "green is still there"
  shown "green is gone"
}

tries_out() {
  story "to try out: no values at all, twice, and away"
  ns=trial
  k create namespace trial >/dev/null
  h install trial "$chart" >/dev/null || die "install without values"
  local keys
  keys=$(n get secret trial-security-monitor-backend -o 'jsonpath={.data}')
  h upgrade trial "$chart" >/dev/null
  [ "$keys" = "$(n get secret trial-security-monitor-backend -o 'jsonpath={.data}')" ] || die "an upgrade made new keys"
  h uninstall trial --wait >/dev/null
  [ "$keys" = "$(n get secret trial-security-monitor-backend -o 'jsonpath={.data}')" ] || die "uninstall took the keys away"
  h install trial "$chart" >/dev/null || die "install over the kept Secret"
  [ "$keys" = "$(n get secret trial-security-monitor-backend -o 'jsonpath={.data}')" ] || die "a new installation made new keys"
  shown "generated keys stay the same over upgrade, uninstall and a new installation"
  ns=monitor
}

# Scaling comes late: twelve pods that become fewer again would disturb the others.
started=$SECONDS
prepare
story "a control plane of Kubernetes 1.34.4 stands after $((SECONDS - started)) s"
stories=(installs is_restricted passes_its_tests upgrades keeps_pods_when_migration_fails goes_back_when_not_ready rolls_back protects_from_disruption switches_colours scales tries_out)
[ $# -eq 0 ] || stories=("$@")
for each in "${stories[@]}"; do "$each"; done
story "all of it in $((SECONDS - started)) s"
