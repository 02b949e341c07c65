#!/usr/bin/env bash
# Brings an environment's cluster to where the program's chart can be installed: the
# controllers that it relies on, with the roles and names that Terraform made. Run
# it by hand, as an administrator of the cluster, after `terraform apply`; it can be
# run again at any time.
#   scripts/platform.sh dev|staging|prod
# Needs terraform (initialised), aws, kubectl, helm, jq, curl.
#
# Whose word on a client's address counts: the VPC's range (the load balancer) and
# CloudFront's, of AWS's own list of them, which is read anew at each run. EDGE_CIDRS
# names other ranges in place of CloudFront's (commas), for another CDN. Run it again
# when AWS announces new ranges: a range that is missing makes all who come through it
# one client, a range too many lets its owner choose an address.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=${1:?usage: platform.sh dev|staging|prod}
root=terraform/environments/$environment
[ -d "$root" ] || { echo "no environment $environment" >&2; exit 1; }

# Charts, each for Kubernetes 1.34.
cluster_autoscaler=9.51.0
load_balancer_controller=1.14.1
external_secrets=0.20.4
ingress_nginx=4.13.3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
terraform -chdir="$root" output -json platform >"$work/platform.json"
get() { jq -er "$1" "$work/platform.json"; }
cluster=$(get .cluster.name) region=$(get .cluster.region) vpc=$(get .cluster.vpc_id) port=$(get .ingress.port)
vpc_cidr=$(get .cluster.vpc_cidr)
[ -n "${EDGE_CIDRS:-}" ] || {
  list=$(aws ec2 describe-managed-prefix-lists --region "$region" --output text --query 'PrefixLists[0].PrefixListId' \
    --filters Name=prefix-list-name,Values=com.amazonaws.global.cloudfront.origin-facing)
  EDGE_CIDRS=$(aws ec2 get-managed-prefix-list-entries --region "$region" --prefix-list-id "$list" --output json | jq -er '[.Entries[].Cidr] | join(",")')
}
# Without a range, or with everybody's, the header would be anybody's word.
case ",$vpc_cidr,$EDGE_CIDRS," in
  *,,* | */0,*) echo "platform: no trustworthy list of addresses: VPC '$vpc_cidr', CDN '$EDGE_CIDRS'" >&2; exit 1 ;;
esac

# A kubeconfig of its own: what was the current cluster before stays it.
export KUBECONFIG=$work/kubeconfig
aws eks update-kubeconfig --name "$cluster" --region "$region" --kubeconfig "$KUBECONFIG" >/dev/null

# What Terraform's values make the chart create has to be known to the cluster; these
# operators are the administrator's (variable `operators`).
operator() { # NAME KIND...
  [ "$(get ".operators.$1 // false | tostring")" = true ] || return 0
  local kind
  for kind in "${@:2}"; do
    kubectl get customresourcedefinition "$kind" >/dev/null || { echo "platform: operators.$1 is true, and the cluster has no $kind: install it, or set it to false" >&2; exit 1; }
  done
}
operator prometheus servicemonitors.monitoring.coreos.com prometheusrules.monitoring.coreos.com
operator vertical_pod_autoscaler verticalpodautoscalers.autoscaling.k8s.io

# install RELEASE NAMESPACE CHART VERSION REPOSITORY, values on standard input.
install() {
  echo "== $1 $4"
  helm upgrade "$1" "$3" --install --atomic --timeout 10m --create-namespace --namespace "$2" --version "$4" --repo "$5" --values -
}
role() { printf 'eks.amazonaws.com/role-arn: %s' "$(get ".role_arns[\"$1\"]")"; }

echo "== namespaces"
kubectl apply -f - <<EOF
apiVersion: v1
kind: Namespace
metadata:
  name: security-monitor
  labels: {pod-security.kubernetes.io/enforce: restricted}
---
apiVersion: v1
kind: Namespace
metadata:
  name: logging # Fluent Bit reads the node's files
  labels: {pod-security.kubernetes.io/enforce: privileged}
---
apiVersion: v1
kind: Namespace
metadata:
  name: monitoring
---
# What the pipeline deploys beside Kubernetes' own kinds, which AWS's access policy
# does not know.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: security-monitor-deployers
rules:
  - apiGroups: [external-secrets.io]
    resources: [externalsecrets]
    verbs: [get, list, watch, create, update, patch, delete]
  - apiGroups: [monitoring.coreos.com]
    resources: [servicemonitors, prometheusrules]
    verbs: [get, list, watch, create, update, patch, delete]
  - apiGroups: [autoscaling.k8s.io]
    resources: [verticalpodautoscalers]
    verbs: [get, list, watch, create, update, patch, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: security-monitor-deployers
  namespace: security-monitor
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: security-monitor-deployers}
subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: security-monitor-deployers}
EOF

install cluster-autoscaler kube-system cluster-autoscaler "$cluster_autoscaler" https://kubernetes.github.io/autoscaler <<EOF
autoDiscovery: {clusterName: $cluster}
awsRegion: $region
replicaCount: 2
rbac:
  serviceAccount:
    name: cluster-autoscaler
    annotations: {$(role cluster-autoscaler)}
extraArgs:
  balance-similar-node-groups: true
  expander: least-waste
  skip-nodes-with-system-pods: false
EOF

install aws-load-balancer-controller kube-system aws-load-balancer-controller "$load_balancer_controller" https://aws.github.io/eks-charts <<EOF
clusterName: $cluster
region: $region
vpcId: $vpc
# The load balancer is Terraform's: no Ingress and no Service makes another one.
createIngressClassResource: false
enableServiceMutatorWebhook: false
serviceAccount:
  name: aws-load-balancer-controller
  annotations: {$(role load-balancer-controller)}
EOF

install external-secrets external-secrets external-secrets "$external_secrets" https://charts.external-secrets.io <<EOF
serviceAccount:
  name: external-secrets
  annotations: {$(role external-secrets)}
EOF

install ingress-nginx ingress-nginx ingress-nginx "$ingress_nginx" https://kubernetes.github.io/ingress-nginx <<EOF
controller:
  replicaCount: 2
  containerPort: {http: $port}
  extraArgs: {http-port: "$port"}
  service: {type: ClusterIP, enableHttps: false}
  config:
    # The load balancer and CloudFront say who asks, and nobody else: without the list
    # it would be believed of everybody, and clients would choose their address.
    use-forwarded-headers: "true"
    proxy-real-ip-cidr: "$vpc_cidr,$EDGE_CIDRS"
    # A query string may hold what is nobody's business (links of exports, a
    # provider's code); so may the page that one comes from.
    log-format-upstream: '\$remote_addr - [\$time_local] "\$request_method \$uri \$server_protocol" \$status \$body_bytes_sent "\$http_user_agent" \$request_length \$request_time [\$proxy_upstream_name] \$upstream_addr \$upstream_response_length \$upstream_response_time \$upstream_status \$req_id'
    # Live connections end when their server says so.
    worker-shutdown-timeout: 300s
  # Strangers do not decide which traces are kept (docs/tracing.md).
  proxySetHeaders: {traceparent: "", tracestate: ""}
  minAvailable: 1
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}
EOF

echo "== the load balancer's targets, secrets, RDS's authorities"
kubectl apply -f - <<EOF
apiVersion: elbv2.k8s.aws/v1beta1
kind: TargetGroupBinding
metadata:
  name: ingress
  namespace: ingress-nginx
spec:
  serviceRef: {name: ingress-nginx-controller, port: http}
  targetGroupARN: $(get .ingress.target_group_arn)
  targetType: ip
---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata:
  name: aws-secrets-manager
spec:
  # Nobody else's namespace reads the program's secrets.
  conditions: [{namespaces: [security-monitor]}]
  provider: {aws: {service: SecretsManager, region: $region}}
---
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata:
  name: aws-parameter-store
spec:
  conditions: [{namespaces: [security-monitor]}]
  provider: {aws: {service: ParameterStore, region: $region}}
EOF
curl --silent --show-error --fail --output "$work/rds.pem" "https://truststore.pki.rds.amazonaws.com/$region/$region-bundle.pem"
kubectl create configmap rds-ca --namespace security-monitor --from-file=rds-ca.pem="$work/rds.pem" --dry-run=client --output yaml | kubectl apply -f -
# Pods of the program for syslog's load balancer, once the chart has made the Service.
if [ "$(get '.syslog.target_group_arn // "none"')" != none ]; then
  kubectl apply -f - <<EOF
apiVersion: elbv2.k8s.aws/v1beta1
kind: TargetGroupBinding
metadata:
  name: syslog
  namespace: security-monitor
spec:
  serviceRef: {name: security-monitor-syslog, port: syslog-tls}
  targetGroupARN: $(get .syslog.target_group_arn)
  targetType: ip
EOF
fi
echo "$environment is ready for the chart"
