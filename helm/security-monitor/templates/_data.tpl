{{/* Where the database, Redis and the secrets are. */}}

{{/* The Secret that the backend reads. */}}
{{- define "secmon.secretName" -}}
{{- if .Values.secrets.existingSecret }}
{{- .Values.secrets.existingSecret }}
{{- else }}
{{- printf "%s-backend" (include "secmon.fullname" .) }}
{{- end }}
{{- end }}

{{/* "true" where the chart writes the Secret itself. */}}
{{- define "secmon.ownsSecret" -}}
{{- if and (not .Values.secrets.existingSecret) (not .Values.secrets.externalSecrets.enabled) }}true{{ end }}
{{- end }}

{{/* "true" where the DSN is made of its parts, with the password from the Secret. */}}
{{- define "secmon.composesDSN" -}}
{{- if or .Values.mysql.enabled .Values.database.external.host }}true{{ end }}
{{- end }}

{{- define "secmon.databaseAddress" -}}
{{- if .Values.mysql.enabled -}}
{{ include "secmon.fullname" . }}-mysql:3306
{{- else -}}
{{ .Values.database.external.host }}:{{ .Values.database.external.port }}
{{- end }}
{{- end }}

{{/*
The environment that names the database. Kubernetes puts the password into the
DSN when the container starts ($(...)): it stands in the Secret alone.
*/}}
{{- define "secmon.databaseEnv" -}}
{{- if include "secmon.composesDSN" .root }}
{{- $database := .root.Values.database }}
- name: DATABASE_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: database-password
- name: SECMON_DATABASE_DSN
  {{- if .root.Values.mysql.enabled }}
  value: "secmon:$(DATABASE_PASSWORD)@tcp({{ include "secmon.databaseAddress" .root }})/secmon"
  {{- else }}
  {{- $params := list }}
  {{- if ne $database.external.tls "false" }}
  {{- $params = append $params (printf "tls=%s" $database.external.tls) }}
  {{- end }}
  {{- range $name, $value := $database.external.params }}
  {{- $params = append $params (printf "%s=%s" $name (urlquery $value)) }}
  {{- end }}
  value: "{{ $database.external.user }}:$(DATABASE_PASSWORD)@tcp({{ include "secmon.databaseAddress" .root }})/{{ $database.external.name }}{{ with $params }}?{{ join "&" . }}{{ end }}"
  {{- end }}
{{- else }}
- name: SECMON_DATABASE_DSN
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: database-dsn
{{- end }}
{{- if .root.Values.trustedCAs.configMap }}
# Go reads every certificate in these directories beside the image's own.
- name: SSL_CERT_DIR
  value: /etc/ssl/certs:/etc/secmon/ca
{{- end }}
{{- end }}

{{/* "true" where Redis wants a password. */}}
{{- define "secmon.redisHasPassword" -}}
{{- if or .Values.redis.enabled .Values.redis.external.auth }}true{{ end }}
{{- end }}

{{- define "secmon.redisURL" -}}
{{- if .Values.redis.enabled -}}
redis://{{ include "secmon.fullname" . }}-redis:6379/0
{{- else -}}
{{ .Values.redis.external.url }}
{{- end }}
{{- end }}

{{/* "true" where the backend takes syslog. */}}
{{- define "secmon.syslog" -}}
{{- if or .Values.syslog.tls.enabled .Values.syslog.tcp.enabled }}true{{ end }}
{{- end }}

{{/* What senders of syslog are shown and asked for, as a JSON list of mounted secrets. */}}
{{- define "secmon.syslogSecrets" -}}
{{- $all := list }}
{{- with .Values.syslog.tls }}
{{- if .enabled }}
{{- $all = append $all (dict "name" "syslog" "secret" .secret "keys" (list "tls.crt" "tls.key")) }}
{{- if .clientCASecret }}
{{- $all = append $all (dict "name" "syslog-ca" "secret" .clientCASecret "keys" (list "ca.crt")) }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $all }}
{{- end }}

{{/* The keys that archives are encrypted for, one a line; "" where they are not. */}}
{{- define "secmon.archiveRecipients" -}}
{{- if .Values.archive.to }}{{ join "\n" .Values.archive.recipients }}{{ end }}
{{- end }}

{{/*
The configuration file's content: what the chart knows, under what .Values.config
says. Every value is written as text, because numbers that Helm has read would
come out as 3e+06; lists and maps as the command line takes them.
*/}}
{{- define "secmon.configFile" -}}
{{- $config := dict
      "listen" ":8000"
      "metrics-listen" ":9090"
      "log-json" true
      "grace" (printf "%vs" .Values.backend.drainSeconds)
      "trust-proxy" .Values.ingress.enabled
      "redis-url" (include "secmon.redisURL" .)
      "redis-cluster" (and (not .Values.redis.enabled) .Values.redis.external.cluster) }}
{{- if .Values.ingress.enabled }}
{{- $_ := set $config "public-url" (printf "%s://%s" (ternary "https" "http" .Values.ingress.https) .Values.ingress.host) }}
{{- end }}
{{- $syslog := .Values.syslog }}
{{- if $syslog.tls.enabled }}
{{- $config = merge $config (dict "syslog-tls-listen" ":6514" "syslog-tls-cert-file" "/run/secrets/syslog/tls.crt" "syslog-tls-key-file" "/run/secrets/syslog/tls.key") }}
{{- if $syslog.tls.clientCASecret }}
{{- $config = merge $config (dict "syslog-tls-client-ca-file" "/run/secrets/syslog-ca/ca.crt" "syslog-tls-client-names" ($syslog.tls.clientNames | default nil)) }}
{{- end }}
{{- end }}
{{- if $syslog.tcp.enabled }}
{{- $_ := set $config "syslog-listen" ":5140" }}
{{- end }}
{{- if and $syslog.networks (include "secmon.syslog" .) }}
{{- $_ := set $config "syslog-networks" $syslog.networks }}
{{- end }}
{{- if .Values.archive.to }}
{{- $config = merge $config (dict "archive" .Values.archive.to "archive-s3-region" (.Values.archive.s3.region | default nil) "archive-s3-endpoint" (.Values.archive.s3.endpoint | default nil)) }}
{{- if .Values.archive.recipients }}
{{- $_ := set $config "archive-recipients-file" "/etc/secmon/config/archive-recipients" }}
{{- end }}
{{- if .Values.archive.identity }}
{{- $_ := set $config "archive-identity-file" "/run/secrets/secmon/archive-identity" }}
{{- end }}
{{- end }}
{{- $config = mergeOverwrite $config (deepCopy .Values.config) }}
{{- range $key, $value := $config }}
{{- if kindIs "map" $value }}
{{- $parts := list }}
{{- range $name, $items := $value }}
{{- $parts = append $parts (printf "%s=%s" $name (join "," $items)) }}
{{- end }}
{{ $key }}: {{ join ";" $parts | quote }}
{{- else if kindIs "slice" $value }}
{{ $key }}: {{ join "," $value | quote }}
{{- else if and (kindIs "float64" $value) (eq (floor $value) $value) }}
{{ $key }}: {{ $value | int64 | toString | quote }}
{{- else if not (kindIs "invalid" $value) }}
{{ $key }}: {{ $value | toString | quote }}
{{- end }}
{{- end }}
{{- end }}
