{{/* Roles as `plimsoll crd --rbac` prints them, which a test holds these files to. */}}

{{/* The rules of a kind of role in files/rbac. Takes (list $ "controller" "ClusterRole"). */}}
{{- define "plimsoll.rules" -}}
{{- $kind := index . 2 -}}
{{- range splitList "---\n" ((index . 0).Files.Get (printf "files/rbac/%s.yaml" (index . 1))) -}}
{{- $role := fromYaml . -}}
{{- if eq (get $role "kind" | toString) $kind -}}
{{- toYaml $role.rules -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A ClusterRole of the table. Takes (list $ "serve" "tokens"): part and purpose. */}}
{{- define "plimsoll.clusterRole" -}}
{{- $root := index . 0 -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ include "plimsoll.clusterName" (list $root (index . 2)) }}
  labels:
    {{- include "plimsoll.labels" (list $root (index . 1)) | nindent 4 }}
rules:
  {{- include "plimsoll.rules" (list $root (index . 2) "ClusterRole") | nindent 2 }}
{{- end -}}

{{/* What is in no namespace is called by it, so that two releases of one name do not meet. Takes (list $ "controller"). */}}
{{- define "plimsoll.clusterName" -}}
{{- $root := index . 0 -}}
{{ printf "%s-%s-%s" $root.Release.Namespace (include "plimsoll.fullname" $root) (index . 1) }}
{{- end -}}

{{/* Who a binding is for. Takes (list $ "serve"). */}}
{{- define "plimsoll.subjects" -}}
{{- $root := index . 0 -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "plimsoll.account" . }}
    namespace: {{ $root.Release.Namespace }}
{{- end -}}

{{/* Takes (list $ "serve"). */}}
{{- define "plimsoll.account" -}}
{{- $root := index . 0 -}}
{{ include "plimsoll.fullname" $root }}-{{ index . 1 }}
{{- end -}}
