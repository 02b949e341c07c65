{{/*
Fluent Bit's configuration. The name of a log file says pod, namespace and
container, so Kubernetes' API need not be asked and no right is needed there.
*/}}
{{- define "secmon.fluentBitConfig" -}}
{{- $fullname := include "secmon.fullname" . }}
{{- $sources := list
      (dict "name" "backend" "path" (printf "/var/log/containers/%s-backend*_%s_backend-*.log" $fullname .Release.Namespace) "json" true)
      (dict "name" "frontend" "path" (printf "/var/log/containers/%s-frontend*_%s_frontend-*.log" $fullname .Release.Namespace) "json" false)
      (dict "name" "ingress" "path" (printf "/var/log/containers/*_%s_controller-*.log" .Values.fluentBit.ingressNamespace) "json" false) }}
service:
  flush: 5
  grace: 30
  log_level: warn
  http_server: on
  http_listen: 0.0.0.0
  http_port: 2020
  health_check: on
  storage.path: /var/lib/fluent-bit/storage
  storage.max_chunks_up: 32
pipeline:
  inputs:
    {{- range $source := $sources }}
    - name: tail
      tag: {{ $source.name }}.*
      path: {{ $source.path }}
      multiline.parser: cri
      db: /var/lib/fluent-bit/{{ $source.name }}.db
      storage.type: filesystem
      mem_buf_limit: 16MB
      skip_long_lines: on
      refresh_interval: 10
      rotate_wait: 30
    {{- end }}
  outputs:
    {{- range $source := $sources }}
    - name: cloudwatch_logs
      match: {{ $source.name }}.*
      region: {{ $.Values.fluentBit.region }}
      log_group_name: {{ $.Values.fluentBit.logGroupPrefix }}/{{ $source.name }}
      log_stream_prefix: ${HOSTNAME}.
      log_key: log
      # The group, its retention and its key are Terraform's.
      auto_create_group: off
      retry_limit: 10
      storage.total_limit_size: 256M
    {{- end }}
{{- end }}
