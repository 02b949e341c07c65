{{/* Autoscalers and disruption budget of a component, for each colour that is there. */}}

{{- define "secmon.hpas" -}}
{{- $component := .component }}
{{- $root := .root }}
{{- $hpa := (index .root.Values .component).autoscaling }}
{{- if $hpa.enabled }}
{{- range $colour := include "secmon.colours" .root | fromJsonArray }}
{{- $context := dict "root" $root "component" $component "colour" $colour }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "secmon.colouredName" $context }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "secmon.labels" $context | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "secmon.colouredName" $context }}
  minReplicas: {{ $hpa.minReplicas }}
  maxReplicas: {{ $hpa.maxReplicas }}
  metrics:
    {{- with $hpa.cpuUtilization }}
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ . }}
    {{- end }}
    {{- with $hpa.memoryUtilization }}
    - type: Resource
      resource:
        name: memory
        target:
          type: Utilization
          averageUtilization: {{ . }}
    {{- end }}
    {{- with $hpa.liveConnections }}
    {{- if .enabled }}
    # Needs a metrics adapter (prometheus-adapter, KEDA) that offers this name for pods.
    - type: Pods
      pods:
        metric:
          name: {{ .metric }}
        target:
          type: AverageValue
          averageValue: {{ .target | int64 | toString | quote }}
    {{- end }}
    {{- end }}
  # Up at once, down slowly: each pod that goes closes its live connections.
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      selectPolicy: Max
      policies:
        - {type: Percent, value: 100, periodSeconds: 30}
        - {type: Pods, value: 2, periodSeconds: 30}
    scaleDown:
      stabilizationWindowSeconds: {{ $hpa.scaleDownWindowSeconds }}
      selectPolicy: Min
      policies:
        - {type: Percent, value: 25, periodSeconds: 60}
        - {type: Pods, value: 1, periodSeconds: 60}
{{- end }}
{{- end }}
{{- end }}

{{- define "secmon.vpas" -}}
{{- $component := .component }}
{{- $root := .root }}
{{- $vpa := (index .root.Values .component).verticalAutoscaling }}
{{- if $vpa.enabled }}
{{- range $colour := include "secmon.colours" .root | fromJsonArray }}
{{- $context := dict "root" $root "component" $component "colour" $colour }}
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata:
  name: {{ include "secmon.colouredName" $context }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "secmon.labels" $context | nindent 4 }}
spec:
  targetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "secmon.colouredName" $context }}
  updatePolicy:
    updateMode: {{ $vpa.updateMode | quote }}
  resourcePolicy:
    containerPolicies:
      - containerName: {{ $component }}
        {{- if eq $vpa.updateMode "Off" }}
        # It only recommends: about everything.
        controlledResources: [cpu, memory]
        {{- else }}
        controlledResources: {{ toJson $vpa.controlledResources }}
        {{- end }}
        controlledValues: RequestsOnly
        minAllowed:
          {{- toYaml $vpa.minAllowed | nindent 10 }}
        maxAllowed:
          {{- toYaml $vpa.maxAllowed | nindent 10 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "secmon.pdbs" -}}
{{- $component := .component }}
{{- $root := .root }}
{{- if (index .root.Values .component).disruptionBudget.enabled }}
{{- range $colour := include "secmon.colours" .root | fromJsonArray }}
{{- $context := dict "root" $root "component" $component "colour" $colour }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "secmon.colouredName" $context }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "secmon.labels" $context | nindent 4 }}
spec:
  # One at a time, and never none at all: a node can always be drained, also of a
  # single replica, and of pods that are broken anyway.
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "secmon.selectorLabels" $context | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}
