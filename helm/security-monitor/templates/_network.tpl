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

{{/*
"true" where a range has the node's metadata service in it: 169.254.169.254, or what
AWS keeps for such services in IPv6, fd00:ec2::/32. Both are told by 32 bits, of which
as many are compared as the range's prefix has.
*/}}
{{- define "secmon.hasMetadata" -}}
{{- $address := regexReplaceAll "/.*$" . "" | lower }}
{{- $bits := min 32 (regexFind "[0-9]+$" . | int64) }}
{{- $value := 0 }}
{{- $metadata := 0 }}
{{- if not (contains ":" $address) }}
{{- $metadata = 2852039166 }}
{{- range splitList "." $address }}
{{- $value = add (mul $value 256) (int64 .) }}
{{- end }}
{{- else if contains "." $address }}
{{- $bits = 0 }}{{/* an IPv4 address in IPv6's clothes: not worth a way in */}}
{{- else }}
{{- $metadata = 4244639426 }}
{{- $groups := splitList ":" (regexReplaceAll "::.*$" $address ":0:0" | trimPrefix ":") }}
{{- range slice $groups 0 2 }}
{{- $value = add (mul $value 65536) (int64 (printf "0x%s" .)) }}
{{- end }}
{{- end }}
{{- range until (sub 32 $bits | int) }}
{{- $value = div $value 2 }}
{{- $metadata = div $metadata 2 }}
{{- end }}
{{- if eq (int64 $value) (int64 $metadata) }}true{{ end }}
{{- end }}

{{/* Networks outside, without the node's metadata service. */}}
{{- define "secmon.outside" -}}
{{- range $cidr := . }}
- ipBlock:
    cidr: {{ $cidr }}
    {{- if eq $cidr "::/0" }}
    except: ["fd00:ec2::254/128"]
    {{- else if eq $cidr "0.0.0.0/0" }}
    except: ["169.254.0.0/16"]
    {{- end }}
{{- end }}
{{- end }}
