{{/* What agent and controller have alike: nobody needs their ports but who collects metrics. */}}

{{/* Takes (list $ "agent"). */}}
{{- define "plimsoll.networkOfPart" -}}
{{- $root := index . 0 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "plimsoll.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "plimsoll.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- include "plimsoll.fromPeers" (list $root.Values.networkPolicy.metrics "http") | nindent 4 }}
  egress:
    {{- include "plimsoll.toDns" $root | nindent 4 }}
    {{- include "plimsoll.toApiServer" $root | nindent 4 }}
    {{- with $root.Values.networkPolicy.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Their metrics are about other pods, whose labels are not to be taken for their own. Takes (list $ "agent"). */}}
{{- define "plimsoll.monitorOfPart" -}}
{{- $root := index . 0 -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  {{- include "plimsoll.metadata" . | nindent 2 }}
    {{- with $root.Values.monitoring.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "plimsoll.selector" . | nindent 6 }}
  podMetricsEndpoints:
    - port: http
      path: /metrics
      interval: {{ $root.Values.monitoring.interval }}
      honorLabels: true
      relabelings:
        - {targetLabel: job, replacement: plimsoll-{{ index . 1 }}}
{{- end -}}
