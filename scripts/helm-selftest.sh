#!/usr/bin/env bash
# Plants errors into copies of the chart and demands that each is found, by the
# check that is there for it and with words that lead to it.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
planted=0 missed=0

# plant CHECK WORDS FILE SED [ENVIRONMENT]: in FILE SED makes an error that CHECK has to report with WORDS.
plant() {
  local check=$1 words=$2 file=$3 edit=$4 copy=$work/chart
  planted=$((planted + 1))
  rm -rf "$copy" && cp -R helm/security-monitor "$copy"
  sed -i.before "$edit" "$copy/$file"
  if cmp -s "$copy/$file" "$copy/$file.before"; then
    echo "   nothing to plant any more: $file: $edit" >&2
    missed=$((missed + 1))
    return
  fi
  rm "$copy/$file.before"
  local environment=prod
  case "$check $file" in *examples*) environment=rollouts ;; *values-dev* | *" values.yaml" | config*) environment=dev ;; esac
  environment=${5:-$environment}
  if CHART=$copy ENVIRONMENTS=$environment scripts/helm-test.sh "$check" >"$work/said" 2>&1; then
    echo "   NOT FOUND by $check: $file: $edit" >&2
    missed=$((missed + 1))
  elif ! grep -qE "$words" "$work/said"; then
    echo "   $check failed on $file: $edit, but not with /$words/:" >&2
    head -20 "$work/said" >&2
    missed=$((missed + 1))
  fi
}

echo "== chart: planted errors are found"
plant schema "'terminationGracePeriodSecond'|additional" templates/backend/deployment.yaml 's/terminationGracePeriodSeconds/terminationGracePeriodSecond/'
plant schema 'periodSeconds' templates/frontend/deployment.yaml 's/periodSeconds: 10/periodSeconds: ten/'
plant schema 'maxUnavailabe' templates/_scaling.tpl 's/maxUnavailable: 1/maxUnavailabe: 1/'
plant schema 'updateMod' templates/_scaling.tpl 's/updateMode: /updateMod: /'
plant schema 'scrapeTimeOut' templates/monitoring/metrics.yaml 's/scrapeTimeout:/scrapeTimeOut:/'
plant schema 'creationPolic' templates/backend/externalsecret.yaml 's/creationPolicy/creationPolicies/'
plant schema 'could not find schema|failed' templates/ingress.yaml 's#networking.k8s.io/v1$#networking.k8s.io/v1beta1#'
plant schema 'activeServic' examples/argo-rollouts.yaml 's/activeService:/activeServices:/'
plant lint 'replicaCount' values-prod.yaml 's/^fluentBit:/replicaCount: 3\nfluentBit:/'
plant lint 'preStopSeconds' values-dev.yaml 's/preStopSeconds: 2/preStopSeconds: soon/'
plant lint 'log-levle' values-dev.yaml 's/log-level/log-levle/'
plant schema 'would fight over memory' values-prod.yaml 's/  verticalAutoscaling:/  verticalAutoscaling:\n    updateMode: Initial/'
plant score 'writable root filesystem' templates/_pod.tpl 's/^readOnlyRootFilesystem: true/readOnlyRootFilesystem: false/'
plant score 'NetworkPolic' values.yaml '/^networkPolicy:/,/enabled:/s/enabled: true/enabled: false/'
plant unit 'Pod Security Standard' templates/datastores/redis.yaml 's/automountServiceAccountToken: false/automountServiceAccountToken: true/'
plant unit 'lets the backend alone call the bundled' templates/networkpolicy.yaml 's/"secmon.selectorLabels" $backend | nindent 14/"secmon.selectorLabels" (dict "root" $) | nindent 14/'
plant unit 'has no secret in the pod' templates/backend/deployment.yaml 's#value: /run/secrets/secmon/jwt-keys#value: {{ $.Values.secrets.values.jwtKeys }}#'
plant unit 'without ever being fewer' templates/backend/deployment.yaml 's/maxUnavailable: 0/maxUnavailable: 1/'
plant unit 'serves the active colour' templates/_service.tpl 's/ne $colour $active/eq $colour $active/'
plant unit 'would take away the colour that serves' templates/_checks.tpl 's/if .Release.IsUpgrade/if .Release.IsInstall/'
plant unit 'pins each colour by digests of its own' templates/_names.tpl 's/else if not $colour.tag/else if true/'
plant unit 'not in the log' templates/datastores/mysql.yaml 's/^            - {name: MYSQL_ROOT_HOST.*/&\n            - {name: MYSQL_RANDOM_ROOT_PASSWORD, value: "yes"}/'
plant unit 'opens the way to the node' templates/_network.tpl 's/div $metadata 2/div $metadata 4/'
plant unit 'on its ports alone' templates/networkpolicy.yaml 's/- {port: 5140, protocol: TCP}/- {port: 8000, protocol: TCP}/'
plant unit 'keeps the sender' templates/backend/syslog.yaml 's/externalTrafficPolicy: Local/externalTrafficPolicy: Cluster/'
plant schema 'externalTrafficPolic' templates/backend/syslog.yaml 's/externalTrafficPolicy:/externalTrafficPolicies:/'
plant unit 'goes to the active colour' templates/backend/syslog.yaml 's/"colour" .Values.blueGreen.active/"colour" "blue"/'
plant unit 'over plain TCP from anybody' templates/_checks.tpl 's/and .tcp.enabled (not .networks)/and .tcp.enabled (not .networks) (not $v.syslog.tls.enabled)/'
plant unit 'is read again by a private key' templates/backend/deployment.yaml 's/key: archive-identity, path: archive-identity/key: archive-identity, path: identity/'
plant config 'archive-too' templates/_data.tpl 's/dict "archive" .Values/dict "archive-too" .Values/' prod
plant rolls 'keep old keys' templates/backend/deployment.yaml 's/ (include "secmon.archiveRecipients" $)//'
plant schema 'concurencyPolicy' templates/backend/backup.yaml 's/concurrencyPolicy/concurencyPolicy/'
plant unit 'one at a time' templates/backend/backup.yaml 's/concurrencyPolicy: Forbid/concurrencyPolicy: Allow/'
plant config 'listn' templates/_data.tpl 's/"listen" ":8000"/"listn" ":8000"/'
plant config 'grace' templates/_data.tpl 's/printf "%vs"/printf "%v seconds"/'
plant config 'log-level' values.schema.json 's/"log-level": {/"log-levels": {/'
plant rolls 'keep an old configuration' templates/backend/deployment.yaml 's/print (include "secmon.configFile" [$]).* | sha256sum/sha256sum "x"/'
plant rolls 'though nothing changed' templates/backend/deployment.yaml 's/print (include "secmon.configFile" [$]).* | sha256sum/randAlphaNum 8/'
plant docs 'make helm/docs' values.yaml 's/# -- Replaces the chart.s name/# -- Stands for the name/'

if [ "$missed" -gt 0 ]; then
  echo "helm-selftest: $missed of $planted planted errors were not found as they should be" >&2
  exit 1
fi
echo "   all $planted"
