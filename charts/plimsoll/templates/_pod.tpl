{{/* What all our pods have in common. */}}

{{/* The second over the first, key by key; sprig's merges take a false for a value that is missing. Takes (list first second). */}}
{{- define "plimsoll.over" -}}
{{- $all := deepCopy (index . 0) -}}
{{- range $key, $value := index . 1 -}}
{{- $_ := set $all $key $value -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* Metadata of a pod template; without versions, as a new chart alone is no reason to roll pods. Takes (list $ "serve" settings annotations). */}}
{{- define "plimsoll.podMetadata" -}}
{{- $settings := index . 2 -}}
{{- with (include "plimsoll.over" (list (index . 3) $settings.podAnnotations) | fromYaml) -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{ end -}}
labels:
  {{- include "plimsoll.selector" (list (index . 0) (index . 1)) | nindent 2 }}
  {{- with $settings.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Where it runs and as whom. Takes (list $ settings). The user is the image's. */}}
{{- define "plimsoll.podSpec" -}}
{{- $root := index . 0 -}}
{{- $settings := index . 1 -}}
securityContext:
  {{- include "plimsoll.over" (list $root.Values.podSecurityContext $settings.podSecurityContext) | nindent 2 }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $settings.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $settings.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $settings.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Several of one part are not on one node, where there are others. Takes (list $ "serve" settings). */}}
{{- define "plimsoll.spread" -}}
{{- if gt (int (index . 2).replicas) 1 -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "plimsoll.selector" (list (index . 0) (index . 1)) | nindent 8 }}
{{- end }}
{{- end -}}

{{/* Image, rights and size of a container. Takes (list $ settings). */}}
{{- define "plimsoll.container" -}}
{{- $root := index . 0 -}}
{{- $settings := index . 1 -}}
image: {{ include "plimsoll.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  {{- include "plimsoll.over" (list $root.Values.securityContext $settings.securityContext) | nindent 2 }}
{{- with $settings.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Probes of a part. Takes the path that says whether it is ready. */}}
{{- define "plimsoll.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: {{ . }}, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end -}}
