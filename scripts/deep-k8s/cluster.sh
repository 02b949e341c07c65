# A Kubernetes control plane on loopback, to be sourced: etcd, API server,
# controllers, scheduler, kwok in place of kubelets, metrics-server. Everything is
# kept in $work and ends with the shell that sourced it.
# The script that sources this sets $work, $bin and $here.
# shellcheck shell=bash disable=SC2154

kubeconfig=$work/kubeconfig
pids=()

# free_ports N prints the first of N ports in a row that nobody listens on, below
# those that the kernel gives to connections.
free_ports() {
  local first port
  while :; do
    first=$((20000 + RANDOM % 12000))
    for ((port = first; port < first + $1; port++)); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
    done
    echo "$first"
    return
  done
}

begin() { # NAME COMMAND...: runs it in the background, its words in $work/NAME.log
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  pids+=($!)
}

stop_cluster() {
  local i
  # Backwards: the database last, so that nobody waits for it.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$work"
}

until_true() { # SECONDS WHAT COMMAND...
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $deadline ]; then
      echo "deep-k8s: $what: not within the time" >&2
      tail -n 5 "$work"/*.log >&2
      return 1
    fi
    sleep 0.3
  done
}

secrets() {
  openssl genrsa -out "$work/account.key" 2048 2>/dev/null
  openssl rsa -in "$work/account.key" -pubout -out "$work/account.pub" 2>/dev/null
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null
  token=$(openssl rand -hex 16)
  echo "$token,admin,admin,system:masters" >"$work/tokens.csv"
}

start_cluster() { # needs $bin (binaries) and $work
  local etcd peer api controllers scheduler kubelet
  etcd=$(free_ports 7)
  peer=$((etcd + 1)) api=$((etcd + 2)) controllers=$((etcd + 3)) scheduler=$((etcd + 4)) kubelet=$((etcd + 5))
  metrics_port=$((etcd + 6))
  secrets
  cat >"$kubeconfig" <<EOF
apiVersion: v1
kind: Config
current-context: deep
clusters: [{name: deep, cluster: {server: "https://127.0.0.1:$api", certificate-authority: $work/tls.crt}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: deep, context: {cluster: deep, user: admin}}]
EOF
  begin etcd "$bin/etcd" --data-dir "$work/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "default=http://127.0.0.1:$peer"
  begin apiserver "$bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd" --bind-address 127.0.0.1 --secure-port "$api" \
    --tls-cert-file "$work/tls.crt" --tls-private-key-file "$work/tls.key" --cert-dir "$work/certs" \
    --service-cluster-ip-range 10.96.0.0/16 --endpoint-reconciler-type none --authorization-mode RBAC --token-auth-file "$work/tokens.csv" \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$work/account.pub" --service-account-signing-key-file "$work/account.key"
  until_true 120 "the API server" k get --raw /readyz || return
  begin controllers "$bin/kube-controller-manager" --kubeconfig "$kubeconfig" --bind-address 127.0.0.1 --secure-port "$controllers" --cert-dir "$work/certs" \
    --leader-elect=false --node-monitor-grace-period 5m --service-account-private-key-file "$work/account.key" --root-ca-file "$work/tls.crt" \
    --horizontal-pod-autoscaler-sync-period 2s --horizontal-pod-autoscaler-initial-readiness-delay 1s --horizontal-pod-autoscaler-cpu-initialization-period 1s
  begin scheduler "$bin/kube-scheduler" --kubeconfig "$kubeconfig" --bind-address 127.0.0.1 --secure-port "$scheduler" --cert-dir "$work/certs" --leader-elect=false
  begin kwok "$bin/kwok" --kubeconfig "$kubeconfig" --config "$here/deep-k8s/kwok.yaml" --config "$work/metric.yaml" --manage-all-nodes --node-lease-duration-seconds 40 --node-ip 127.0.0.1 --node-port "$kubelet" \
    --server-address "127.0.0.1:$kubelet" --tls-cert-file "$work/tls.crt" --tls-private-key-file "$work/tls.key"
  begin metrics "$bin/metrics-server" --kubeconfig "$kubeconfig" --authentication-kubeconfig "$kubeconfig" --authorization-kubeconfig "$kubeconfig" \
    --bind-address 127.0.0.1 --secure-port "$metrics_port" --tls-cert-file "$work/tls.crt" --tls-private-key-file "$work/tls.key" \
    --kubelet-insecure-tls --kubelet-use-node-status-port --kubelet-preferred-address-types InternalIP --metric-resolution 10s --kubelet-request-timeout 5s
  until_true 60 "the default service account" k -n default get serviceaccount default
}

# nodes N: in three zones.
nodes() {
  local i
  for ((i = 1; i <= $1; i++)); do
    cat <<EOF
---
apiVersion: v1
kind: Node
metadata:
  name: node-$i
  labels: {kubernetes.io/hostname: node-$i, kubernetes.io/os: linux, topology.kubernetes.io/zone: zone-$((i % 3))}
  annotations: {kwok.x-k8s.io/node: fake, metrics.k8s.io/resource-metrics-path: /metrics/nodes/node-$i/metrics/resource}
EOF
  done
}

# The metrics API is served by a process beside the API server, not by a pod: the
# Service is a name for loopback, and no client certificate is asked for.
metrics_api() {
  cat <<EOF
apiVersion: v1
kind: Service
metadata: {name: metrics-server, namespace: kube-system}
spec: {type: ExternalName, externalName: localhost}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: metrics-server, namespace: kube-system, port: $metrics_port}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: read-metrics}
rules:
  - {apiGroups: [metrics.k8s.io], resources: ["*"], verbs: [get, list, watch]}
  - {nonResourceURLs: ["*"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: read-metrics}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: read-metrics}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:unauthenticated"}]
EOF
}
