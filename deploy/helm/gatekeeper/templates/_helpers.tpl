{{/* Names, labels and hardening; the same in each of childlink's charts. */}}
{{- define "childlink.name" -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "childlink.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: childlink
{{- end }}

{{- define "childlink.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "childlink.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "childlink.containerSecurity" -}}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
privileged: false
capabilities: {drop: [ALL]}
{{- end }}

{{/* Kubernetes mounts secrets so that a group can read them, and childlink refuses such key files: they are copied, in memory. */}}
{{- define "childlink.copyKeys" -}}
name: copy-keys
image: {{ include "childlink.image" . }}
command:
  - /app/bin/python
  - -c
  - |
    import os, pathlib, shutil
    for path in pathlib.Path("/secrets").glob("*/[!.]*"):
        target = pathlib.Path("/keys") / path.name
        shutil.copyfile(path, target)
        os.chmod(target, 0o600)
securityContext:
  {{- include "childlink.containerSecurity" . | nindent 2 }}
resources:
  requests: {cpu: 10m, memory: 32Mi}
  limits: {memory: 64Mi}
{{- end }}

{{- define "childlink.probes" -}}
startupProbe:
  httpGet: {path: /metrics, port: metrics}
  periodSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /metrics, port: metrics}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{/* Egress to one address and port, given as {cidr, port}. */}}
{{- define "childlink.to" -}}
- to: [{ipBlock: {cidr: {{ .cidr }}}}]
  ports: [{protocol: TCP, port: {{ .port }}}]
{{- end }}

{{- define "childlink.toDns" -}}
- to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
{{- end }}

{{- define "childlink.fromMonitoring" -}}
- from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ .Values.monitoringNamespace }}}}}]
  ports: [{protocol: TCP, port: 9100}]
{{- end }}
