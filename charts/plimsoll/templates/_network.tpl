{{/* Who may be reached. All of it only where networkPolicy is enabled. */}}

{{- define "plimsoll.toDns" -}}
- to:
    - namespaceSelector:
        matchLabels: {kubernetes.io/metadata.name: kube-system}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end -}}

{{/* It is no pod, so it is known by its addresses and ports. */}}
{{- define "plimsoll.toApiServer" -}}
{{- with .Values.networkPolicy.apiServer -}}
- ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .cidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Ports are named as in the pods. Takes (list peers "http"); no peers are nobody. */}}
{{- define "plimsoll.fromPeers" -}}
{{- if index . 0 -}}
- from:
    {{- toYaml (index . 0) | nindent 4 }}
  ports:
    - {port: {{ index . 1 }}, protocol: TCP}
{{- end }}
{{- end -}}
