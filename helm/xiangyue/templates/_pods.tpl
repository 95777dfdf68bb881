{{/* What the pods of all components have in common. They take (dict "root" $ "component" "web" "part" .Values.web). */}}

{{- define "xiangyue.podMetadata" -}}
metadata:
  annotations:
    # Settings changed: pods are made anew.
    checksum/settings: {{ include "xiangyue.settings" .root | sha256sum }}
    {{- with .part.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    {{- with .part.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- include "xiangyue.labels" . | nindent 4 }}
{{- end }}

{{- define "xiangyue.podSpec" -}}
automountServiceAccountToken: false
# A Service called xiangyue would set XIANGYUE_PORT to an address.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .root.Values.user.uid | int64 }}
  runAsGroup: {{ .root.Values.user.gid | int64 }}
  fsGroup: {{ .root.Values.user.gid | int64 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .part.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "xiangyue.container" -}}
name: {{ .component }}
image: {{ include "xiangyue.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .part.resources | nindent 2 }}
{{- end }}

{{/* Secrets by reference that every component needs. */}}
{{- define "xiangyue.secretEnv" -}}
{{- range $name, $ref := dict "XIANGYUE_DATABASE_URL" .Values.secrets.database "XIANGYUE_REDIS_URL" .Values.secrets.redis }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $ref.name }}
      key: {{ $ref.key }}
{{- end }}
{{- end }}

{{/* Places to write, in memory of the pod only: the home folder and /tmp. */}}
{{- define "xiangyue.mounts" -}}
- name: home
  mountPath: /var/lib/xiangyue
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "xiangyue.volumes" -}}
- name: home
  emptyDir:
    sizeLimit: 64Mi
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmp.sizeLimit }}
{{- end }}

{{- define "xiangyue.keyMount" -}}
- name: keys
  mountPath: /etc/xiangyue/keys
  readOnly: true
{{- end }}

{{/* Readable by the pods' group alone: the software refuses a key file that is open to others. */}}
{{- define "xiangyue.keyVolume" -}}
- name: keys
  secret:
    secretName: {{ .Values.secrets.keyEncryption.name }}
    defaultMode: 0440
    items:
      - key: {{ .Values.secrets.keyEncryption.key }}
        path: kek
{{- end }}

{{- define "xiangyue.filesMount" -}}
- name: files
  mountPath: /var/lib/xiangyue/files
{{- end }}

{{- define "xiangyue.filesVolume" -}}
- name: files
  persistentVolumeClaim:
    claimName: {{ include "xiangyue.claimName" . }}
{{- end }}

{{/* Processes that answer no requests touch a file each time they come round. Takes the component's name. */}}
{{- define "xiangyue.signOfLife" -}}
startupProbe:
  exec:
    command: [test, -f, /var/lib/xiangyue/run/{{ . }}.alive]
  periodSeconds: 5
  failureThreshold: 60
livenessProbe:
  exec:
    command: [sh, -c, 'test -n "$(find /var/lib/xiangyue/run/{{ . }}.alive -mmin -5)"']
  periodSeconds: 60
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}
