{{/*
The Service of a component selects the active colour. Where there is another,
a second one, "-preview", selects that: to look before switching.
*/}}
{{- define "secmon.services" -}}
{{- $root := .root }}
{{- $component := .component }}
{{- $port := .port }}
{{- $active := .root.Values.blueGreen.active }}
{{- range $colour := include "secmon.colours" .root | fromJsonArray }}
{{- $context := dict "root" $root "component" $component "colour" $colour }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "secmon.fullname" $root }}-{{ $component }}{{ if ne $colour $active }}-preview{{ end }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "secmon.labels" (dict "root" $root "component" $component) | nindent 4 }}
spec:
  type: ClusterIP
  selector:
    {{- include "secmon.selectorLabels" $context | nindent 4 }}
  ports:
    - name: http
      port: {{ $port }}
      targetPort: http
      appProtocol: http
{{- end }}
{{- end }}

{{- define "secmon.serviceAccount" -}}
{{- $account := (index .root.Values .component).serviceAccount }}
{{- if $account.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "secmon.serviceAccountName" . }}
  namespace: {{ .namespace | default .root.Release.Namespace }}
  labels:
    {{- include "secmon.labels" . | nindent 4 }}
  {{- with $account.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
{{- end }}
