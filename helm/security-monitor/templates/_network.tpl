{{/* The way to the database, for who needs it. */}}
{{- define "secmon.databaseEgress" -}}
- to:
  {{- if .Values.mysql.enabled }}
    - podSelector:
        matchLabels:
          {{- include "secmon.selectorLabels" (dict "root" . "component" "mysql") | nindent 10 }}
  {{- else }}
  {{- range .Values.networkPolicy.database.cidrs }}
    - ipBlock:
        cidr: {{ . }}
  {{- end }}
  {{- end }}
  ports:
    - {port: {{ ternary 3306 .Values.networkPolicy.database.port .Values.mysql.enabled }}, protocol: TCP}
{{- end }}
