{{/*
What a schema cannot say: values that are each right and do not fit together.
Called by templates/checks.yaml, so that a wrong installation fails before
anything is sent to the cluster.
*/}}
{{- define "secmon.checks" -}}
{{- $v := .Values }}
{{- if and $v.mysql.enabled (or $v.database.external.host $v.database.external.dsnInSecret) }}
{{- fail "mysql.enabled and database.external name two databases: choose one" }}
{{- end }}
{{- if not (or $v.mysql.enabled $v.database.external.host $v.database.external.dsnInSecret) }}
{{- fail "no database: set database.external.host, or database.external.dsnInSecret with the key database-dsn in the Secret, or mysql.enabled to try it out" }}
{{- end }}
{{- if and $v.database.external.host $v.database.external.dsnInSecret }}
{{- fail "database.external.host and database.external.dsnInSecret both say where the database is: choose one" }}
{{- end }}
{{- if and $v.redis.enabled $v.redis.external.url }}
{{- fail "redis.enabled and redis.external.url name two Redis servers: choose one" }}
{{- end }}
{{- if not (or $v.redis.enabled $v.redis.external.url) }}
{{- fail "no Redis: set redis.external.url, or redis.enabled to try it out; without one the replicas would not hear of each other's changes" }}
{{- end }}
{{- if and $v.secrets.existingSecret $v.secrets.externalSecrets.enabled }}
{{- fail "secrets.existingSecret and secrets.externalSecrets.enabled both name the Secret: choose one" }}
{{- end }}
{{- if and $v.secrets.externalSecrets.enabled (not $v.secrets.externalSecrets.data) (not $v.secrets.externalSecrets.dataFrom) }}
{{- fail "secrets.externalSecrets.enabled needs secrets.externalSecrets.data or dataFrom: what is to be fetched" }}
{{- end }}
{{- if include "secmon.ownsSecret" . }}
{{- if and $v.database.external.host (not $v.secrets.values.databasePassword) }}
{{- fail "database.external.host needs a password: secrets.existingSecret, secrets.externalSecrets or secrets.values.databasePassword" }}
{{- end }}
{{- if and $v.database.external.dsnInSecret (not $v.secrets.values.databaseDSN) }}
{{- fail "database.external.dsnInSecret needs secrets.existingSecret, secrets.externalSecrets or secrets.values.databaseDSN" }}
{{- end }}
{{- if and $v.redis.external.auth (not $v.secrets.values.redisPassword) }}
{{- fail "redis.external.auth needs a password: secrets.existingSecret, secrets.externalSecrets or secrets.values.redisPassword" }}
{{- end }}
{{- if and $v.oidc.clientSecret (not $v.secrets.values.oidcClientSecret) }}
{{- fail "oidc.clientSecret needs secrets.existingSecret, secrets.externalSecrets or secrets.values.oidcClientSecret" }}
{{- end }}
{{- if and $v.archive.to $v.archive.identity (not $v.secrets.values.archiveIdentity) }}
{{- fail "archive.identity needs secrets.existingSecret, secrets.externalSecrets or secrets.values.archiveIdentity" }}
{{- end }}
{{- end }}
{{- if not (index $v.blueGreen $v.blueGreen.active).enabled }}
{{- fail (printf "blueGreen.active is %s, which is not enabled: nothing would answer" $v.blueGreen.active) }}
{{- end }}
{{- $colours := include "secmon.colours" . | fromJsonArray }}
{{- range $colours }}
{{- $colour := index $v.blueGreen . }}
{{- if and (or $colour.digest $colour.frontendDigest) (not $colour.tag) }}
{{- fail (printf "blueGreen.%s has a digest and no tag: nobody could tell which version it is" .) }}
{{- end }}
{{- end }}
{{- include "secmon.checkServing" . }}
{{- range $component := list "backend" "frontend" }}
{{- $c := index $v $component }}
{{- if and $c.image.digest (gt (len $colours) 1) (not $v.blueGreen.blue.tag) (not $v.blueGreen.green.tag) }}
{{- fail (printf "%s.image.digest pins one image, and blueGreen has two colours: name at least one by blueGreen.blue.tag or blueGreen.green.tag, and its digest there" $component) }}
{{- end }}
{{- include "secmon.checkScaling" (dict "component" $component "c" $c) }}
{{- end }}
{{- if $v.backup.enabled }}
{{- if not $v.backup.to }}
{{- fail "backup.enabled needs backup.to: the bucket, s3://BUCKET/PREFIX/" }}
{{- end }}
{{- if not $v.backup.recipients }}
{{- fail "backup.enabled needs backup.recipients: a public key of `secmon backup keygen`, whose private one stays out of the cluster" }}
{{- end }}
{{- if and $v.backup.keep (not (hasSuffix "/" $v.backup.to)) }}
{{- fail "backup.keep needs a prefix in backup.to, with / at its end: one name would be written over and over" }}
{{- end }}
{{- end }}
{{- include "secmon.checkSyslog" . }}
{{- if $v.networkPolicy.enabled }}
{{- $open := dict }}
{{- with index $v.config "webhook-allow" }}
{{- $_ := set $open "webhooks" . }}
{{- end }}
{{- if $v.networkPolicy.smtp.enabled }}
{{- $_ := set $open "smtp" $v.networkPolicy.smtp.cidrs }}
{{- end }}
{{- if hasPrefix "s3://" $v.archive.to }}
{{- $_ := set $open "archive" $v.networkPolicy.archive.cidrs }}
{{- end }}
{{- if $v.networkPolicy.https.enabled }}
{{- $_ := set $open "https" $v.networkPolicy.https.cidrs }}
{{- end }}
{{- if $v.backup.enabled }}
{{- $_ := set $open "backup" $v.networkPolicy.backup.cidrs }}
{{- end }}
{{- range $what, $cidrs := $open }}
{{- range $cidrs }}
{{- if and (not (has . (list "0.0.0.0/0" "::/0"))) (include "secmon.hasMetadata" .) }}
{{- fail (printf "%s: %s leaves the node's metadata service open: take 0.0.0.0/0 or ::/0, out of which it is taken, or ranges without 169.254.169.254 and fd00:ec2::/32" (eq $what "webhooks" | ternary "config.webhook-allow" (printf "networkPolicy.%s.cidrs" $what)) .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (index $v.config "no-password-login") (not (index $v.config "oidc-issuer")) }}
{{- fail "config.no-password-login without config.oidc-issuer would leave nobody a way in" }}
{{- end }}
{{- if and (index $v.config "oidc-issuer") (not $v.ingress.enabled) (not (index $v.config "public-url")) }}
{{- fail "config.oidc-issuer needs config.public-url or ingress.enabled: the provider sends people back there" }}
{{- end }}
{{- end }}

{{/*
Syslog has no token: without a certificate or a network the program does not start, and
without a peer the policy's rule would let everybody in.
*/}}
{{- define "secmon.checkSyslog" -}}
{{- $v := .Values }}
{{- with $v.syslog }}
{{- if and .tls.enabled (not .tls.secret) }}
{{- fail "syslog.tls.enabled needs syslog.tls.secret: the certificate that senders are shown" }}
{{- end }}
{{- if and .tcp.enabled (not .networks) }}
{{- fail "syslog.tcp.enabled needs syslog.networks: syslog has no token, so its address says who may send" }}
{{- end }}
{{- if and .tls.enabled (not .tls.clientCASecret) (not .networks) }}
{{- fail "syslog.tls.enabled needs syslog.tls.clientCASecret or syslog.networks: somebody has to say who may send" }}
{{- end }}
{{- if and .tls.clientNames (not .tls.clientCASecret) }}
{{- fail "syslog.tls.clientNames needs syslog.tls.clientCASecret: without it no certificate is asked for" }}
{{- end }}
{{- if and .tls.enabled .tcp.enabled (eq (int .tls.port) (int .tcp.port)) }}
{{- fail "syslog.tls.port and syslog.tcp.port are one port" }}
{{- end }}
{{- if and (include "secmon.syslog" $) $v.networkPolicy.enabled (not $v.networkPolicy.syslog.cidrs) (not $v.networkPolicy.syslog.peers) (not .networks) }}
{{- fail "networkPolicy.syslog needs cidrs or peers: where senders with a certificate are" }}
{{- end }}
{{- end }}
{{- end }}

{{/*
An upgrade that takes away the colour that serves would leave the Services without
pods until the other one has started: blueGreen.active is blue again wherever the
values do not say what a switch has changed. What serves is asked of the cluster,
which `helm template` and a dry run in the client cannot.
*/}}
{{- define "secmon.checkServing" -}}
{{- if .Release.IsUpgrade }}
{{- $service := lookup "v1" "Service" .Release.Namespace (printf "%s-backend" (include "secmon.fullname" .)) | default dict }}
{{- $serving := dig "spec" "selector" "security-monitor/colour" "" $service }}
{{- if and (has $serving (list "blue" "green")) (not (has $serving (include "secmon.colours" . | fromJsonArray))) }}
{{- fail (printf "%s serves, and blueGreen.%s is not enabled: this upgrade would take the service down. Give the release's own blueGreen (helm get values %s --all), or upgrade with --reset-then-reuse-values; to change the colour: scripts/blue-green.sh" $serving $serving .Release.Name) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
An HPA divides a pod's use by its request, a VPA changes the request. Both over
one resource feed on each other, so that the number of pods and their size swing.
*/}}
{{- define "secmon.checkScaling" -}}
{{- $hpa := .c.autoscaling }}
{{- $vpa := .c.verticalAutoscaling }}
{{- if and $hpa.enabled $vpa.enabled (ne $vpa.updateMode "Off") }}
{{- if and (has "cpu" $vpa.controlledResources) $hpa.cpuUtilization }}
{{- fail (printf "%s: autoscaling.cpuUtilization and verticalAutoscaling (updateMode %s) would fight over cpu: take cpu out of verticalAutoscaling.controlledResources, or set autoscaling.cpuUtilization to null" .component $vpa.updateMode) }}
{{- end }}
{{- if and (has "memory" $vpa.controlledResources) $hpa.memoryUtilization }}
{{- fail (printf "%s: autoscaling.memoryUtilization and verticalAutoscaling (updateMode %s) would fight over memory: set autoscaling.memoryUtilization to null, or verticalAutoscaling.updateMode to Off" .component $vpa.updateMode) }}
{{- end }}
{{- end }}
{{- if and $hpa.enabled (gt (int $hpa.minReplicas) (int $hpa.maxReplicas)) }}
{{- fail (printf "%s: autoscaling.minReplicas is more than maxReplicas" .component) }}
{{- end }}
{{- if and $hpa.enabled (not (or $hpa.cpuUtilization $hpa.memoryUtilization (dig "liveConnections" "enabled" false $hpa))) }}
{{- fail (printf "%s: autoscaling.enabled with nothing to scale by" .component) }}
{{- end }}
{{- end }}
