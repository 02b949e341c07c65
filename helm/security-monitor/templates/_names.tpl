{{/*
Names and labels. Every template of a component gets a context made by
secmon.component: {root, component, colour}; colour is "" for what has none.
*/}}

{{- define "secmon.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The prefix of every name. 40 characters leave room for "-backend-green-metrics". */}}
{{- define "secmon.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "secmon.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "secmon.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "secmon.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Labels that select: they never change, since a Deployment's selector cannot. */}}
{{- define "secmon.selectorLabels" -}}
app.kubernetes.io/name: {{ include "secmon.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- with .colour }}
security-monitor/colour: {{ . }}
{{- end }}
{{- end }}

{{- define "secmon.labels" -}}
{{ include "secmon.selectorLabels" . }}
app.kubernetes.io/part-of: security-monitor
app.kubernetes.io/version: {{ include "secmon.tag" . | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ include "secmon.chart" .root }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of a pod: fewer than of an object, so that a new chart with the same image leaves pods alone. */}}
{{- define "secmon.podLabels" -}}
{{ include "secmon.selectorLabels" . }}
app.kubernetes.io/part-of: security-monitor
app.kubernetes.io/version: {{ include "secmon.tag" . | quote }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
The two colours that are there, as a JSON list. Blue keeps the plain names, so
that who never has two colours never sees one, and green can be added and taken
away without touching what runs.
*/}}
{{- define "secmon.colours" -}}
{{- $there := list }}
{{- range $colour := list "blue" "green" }}
{{- if (index $.Values.blueGreen $colour).enabled }}
{{- $there = append $there $colour }}
{{- end }}
{{- end }}
{{- toJson $there }}
{{- end }}

{{/* The name of what each colour has for itself: Deployment, HPA, PDB, VPA. */}}
{{- define "secmon.colouredName" -}}
{{- printf "%s-%s" (include "secmon.fullname" .root) .component }}
{{- if eq .colour "green" }}-green{{ end }}
{{- end }}

{{/* The version that runs: of the colour, else of the component, else of the chart. */}}
{{- define "secmon.tag" -}}
{{- $own := "" }}
{{- with .colour }}
{{- $own = (index $.root.Values.blueGreen .).tag }}
{{- end }}
{{- $image := dict }}
{{- if has .component (list "backend" "frontend") }}
{{- $image = (index .root.Values .component).image }}
{{- end }}
{{- $own | default $image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/*
What pins a component's image: the colour's digest, else the component's. A colour
with a tag of its own and no digest goes by that tag: the component's digest is of
another version.
*/}}
{{- define "secmon.digest" -}}
{{- $colour := dict }}
{{- with .colour }}
{{- $colour = index $.root.Values.blueGreen . }}
{{- end }}
{{- $own := index $colour (ternary "frontendDigest" "digest" (eq .component "frontend")) }}
{{- if $own }}
{{- $own }}
{{- else if not $colour.tag }}
{{- (index .root.Values .component).image.digest }}
{{- end }}
{{- end }}

{{/* The image's full name. A digest, where one is given, counts; the tag then only tells people. */}}
{{- define "secmon.image" -}}
{{- $image := (index .root.Values .component).image }}
{{- $registry := .root.Values.image.registry }}
{{- $name := printf "%s%s:%s" (ternary "" (printf "%s/" $registry) (empty $registry)) $image.repository (include "secmon.tag" .) }}
{{- with include "secmon.digest" . }}
{{- $name = printf "%s@%s" $name . }}
{{- end }}
{{- $name }}
{{- end }}

{{- define "secmon.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount }}
{{- if $account.create }}
{{- $account.name | default (printf "%s-%s" (include "secmon.fullname" .root) .component) }}
{{- else }}
{{- $account.name | default "default" }}
{{- end }}
{{- end }}
