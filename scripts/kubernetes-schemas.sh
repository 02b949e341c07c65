#!/usr/bin/env bash
# Writes the JSON schemas that kubeconform checks the chart against into
# bin/schemas, once for these versions: Kubernetes' own kinds and those of the
# operators that the chart knows. All come from the Go module proxy.
set -euo pipefail
cd "$(dirname "$0")/.."

kubernetes=k8s.io/kubernetes@v1.34.4
vpa=k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1
prometheus=github.com/prometheus-operator/prometheus-operator@v0.85.0
secrets=github.com/external-secrets/external-secrets@v1.3.2
rollouts=github.com/argoproj/argo-rollouts@v1.9.0

want="$kubernetes $vpa $prometheus $secrets $rollouts $(cksum <tools/deploy/schemas/main.go)"
if [ "$(cat bin/schemas/.versions 2>/dev/null)" = "$want" ]; then exit 0; fi

# fetch MODULE@VERSION prints where the module's files are. In / no go.mod counts.
fetch() {
  local told
  told=$(cd / && go mod download -json "$1") || { echo "$told" >&2; return 1; }
  sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$told"
}

echo "   writing the schemas of Kubernetes' objects (once)"
dir=$(fetch "$kubernetes") && vpa_dir=$(fetch "$vpa") && prometheus_dir=$(fetch "$prometheus") && secrets_dir=$(fetch "$secrets") && rollouts_dir=$(fetch "$rollouts")
rm -rf bin/schemas
go -C tools/deploy run ./schemas "$PWD/bin/schemas" "$dir/api/openapi-spec/swagger.json" \
  "$vpa_dir/deploy/vpa-v1-crd-gen.yaml" \
  "$prometheus_dir"/example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml \
  "$secrets_dir/config/crds/bases/external-secrets.io_externalsecrets.yaml" "$rollouts_dir/manifests/crds/rollout-crd.yaml"
echo "$want" >bin/schemas/.versions
