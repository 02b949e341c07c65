{{/*
What all pods have in common. The Pod Security Standard "restricted" is met by
every pod of this chart but the log collector's, which reads the node's files.
*/}}

{{- define "secmon.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ .uid }}
runAsGroup: {{ .uid }}
fsGroup: {{ .uid }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "secmon.containerSecurityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "secmon.imagePullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
Spread over zones and nodes. matchLabelKeys counts the pods of one revision, so
that a rollout does not end lopsided.
*/}}
{{- define "secmon.topologySpread" -}}
{{- $spread := (index .root.Values .component).topologySpread }}
topologySpreadConstraints:
  {{- range $constraint := list (dict "key" "topology.kubernetes.io/zone" "when" $spread.zone) (dict "key" "kubernetes.io/hostname" "when" $spread.host) }}
  - maxSkew: 1
    topologyKey: {{ $constraint.key }}
    whenUnsatisfiable: {{ $constraint.when }}
    labelSelector:
      matchLabels:
        {{- include "secmon.selectorLabels" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}

{{- define "secmon.scheduling" -}}
{{- $component := index .root.Values .component }}
{{- with $component.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $component.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $component.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $component.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
Bytes of a memory quantity ("256Mi"). Only the binary suffixes are taken; the
schema refuses others.
*/}}
{{- define "secmon.bytes" -}}
{{- $n := regexFind "^[0-9]+" . | int64 }}
{{- if hasSuffix "Ki" . }}{{ mul $n 1024 }}
{{- else if hasSuffix "Mi" . }}{{ mul $n 1048576 }}
{{- else if hasSuffix "Gi" . }}{{ mul $n 1073741824 }}
{{- else }}{{ $n }}
{{- end }}
{{- end }}

{{/*
GOMEMLIMIT: nine tenths of the memory limit. The collector works harder near it,
before the kernel ends the process; the tenth is for what is not Go's heap.
*/}}
{{- define "secmon.goMemLimit" -}}
{{- $bytes := include "secmon.bytes" (toString .) | int64 }}
{{- printf "%dB" (div (mul $bytes 9) 10) }}
{{- end }}

{{/*
A pod that ends: it still serves for preStop seconds, until every proxy has heard
that it is gone; then it drains; five seconds more and it is killed.
*/}}
{{- define "secmon.gracePeriod" -}}
{{- $component := index .root.Values .component }}
{{- add $component.preStopSeconds $component.drainSeconds 5 }}
{{- end }}
