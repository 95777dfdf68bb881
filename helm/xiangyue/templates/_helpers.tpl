{{- define "xiangyue.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Beginning of every object's name; leaves room for "-scheduler". */}}
{{- define "xiangyue.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := include "xiangyue.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a selector matches. Takes (dict "root" $ "component" "web"). It may never change for a release. */}}
{{- define "xiangyue.selectorLabels" -}}
app.kubernetes.io/name: {{ include "xiangyue.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "xiangyue.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "xiangyue.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: xiangyue
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "xiangyue.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "xiangyue.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "xiangyue.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "xiangyue.claimName" -}}
{{ default (printf "%s-files" (include "xiangyue.fullname" .)) .Values.persistence.existingClaim }}
{{- end }}

{{/* Settings that are no secrets, as a map of environment variables: the ConfigMap, and the migration's own copy. */}}
{{- define "xiangyue.settings" -}}
{{- with .Values -}}
XIANGYUE_BASE_DOMAIN: {{ .baseDomain | quote }}
XIANGYUE_BEHIND_PGBOUNCER: {{ .settings.behindPgbouncer | quote }}
XIANGYUE_BIND: "0.0.0.0"
XIANGYUE_HOME: /var/lib/xiangyue
XIANGYUE_INSTANCE: {{ default (include "xiangyue.fullname" $) .settings.instance | quote }}
XIANGYUE_KEK_PROVIDER: file
XIANGYUE_LOG_LEVEL: {{ .settings.logLevel | quote }}
XIANGYUE_MAX_UPLOAD_BYTES: {{ .settings.maxUploadBytes | int64 | quote }}
XIANGYUE_PLUGINS: {{ join "," .plugins | quote }}
XIANGYUE_POOL_SIZE: {{ .settings.poolSize | int64 | quote }}
XIANGYUE_PORT: "8000"
XIANGYUE_PUBLIC_PORT: {{ .publicPort | default (eq .scheme "https" | ternary 443 80) | int64 | quote }}
XIANGYUE_PUBLIC_SCHEME: {{ .scheme | quote }}
XIANGYUE_SECRET_KEY_FILE: /etc/xiangyue/keys/kek
XIANGYUE_SESSION_HOURS: {{ .settings.sessionHours | int64 | quote }}
XIANGYUE_STATEMENT_TIMEOUT_MS: {{ .settings.statementTimeoutMs | int64 | quote }}
XIANGYUE_TRUSTED_PROXIES: {{ .settings.trustedProxies | int64 | quote }}
XIANGYUE_WEB_WORKERS: {{ .web.workers | int64 | quote }}
XIANGYUE_WORKER_PROCESSES: {{ .worker.processes | int64 | quote }}
{{- end }}
{{- end }}
