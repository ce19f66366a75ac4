//! The admission policy that sizes new pods by the [`MemorySize`](super::MemorySize) of their workload.
//!
//! It runs within the API server, by its rules (CEL): no webhook stands in the way of scheduling, and a rule that fails
//! lets the pod in as it is. One policy and one binding serve all workloads of a cluster.

use serde_json::{Value, json};

/// What the policy is called.
pub const POLICY: &str = "plimsoll-sizes";
/// What its binding is called.
pub const BINDING: &str = "plimsoll-sizes";

/// The pod is one of the workload's: a Deployment runs its pods by a ReplicaSet that is named after it and the template.
const OF_WORKLOAD: &str = "has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(o, \
    has(o.controller) && o.controller && (\
    (o.kind == params.spec.workload.kind && o.name == params.spec.workload.name) || \
    (params.spec.workload.kind == 'Deployment' && o.kind == 'ReplicaSet' && has(object.metadata.labels) && \
    'pod-template-hash' in object.metadata.labels && \
    o.name == params.spec.workload.name + '-' + object.metadata.labels['pod-template-hash'])))";

/// The sizes of a container are those that the plan saw: where the template was changed since, it is the template's turn.
const UNCHANGED: &str = "o.?resources.?limits[?'memory'].orValue('') == c.before.?limit.orValue('') && \
    o.?resources.?requests[?'memory'].orValue(o.?resources.?limits[?'memory'].orValue('')) == \
    c.before.?request.orValue(c.before.?limit.orValue(''))";

/// The MutatingAdmissionPolicy (v1 from Kubernetes 1.36 on).
pub(super) fn policy() -> Value {
    let unchanged = format!(
        "params.spec.containers.all(c, (object.spec.containers + object.spec.?initContainers.orValue([]))\
         .exists(o, o.name == c.name && {UNCHANGED}))"
    );
    let sized = |list: &str| {
        let of = "Object.spec.containers".replace("containers", list);
        let there = format!("object.spec.?{list}.orValue([])");
        json!({
            "patchType": "ApplyConfiguration",
            "applyConfiguration": { "expression": format!(
                "Object{{spec: Object.spec{{{list}: params.spec.containers\
                 .filter(c, {there}.exists(o, o.name == c.name))\
                 .map(c, {of}{{name: c.name, resources: {of}.resources{{\
                 requests: {{?'memory': c.?request}}, limits: {{?'memory': c.?limit}}}}}})}}}}"
            ) },
        })
    };
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": { "name": POLICY },
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
            "paramKind": { "apiVersion": format!("{}/v1alpha1", super::GROUP), "kind": "MemorySize" },
            // Whole, with what the server would add: it takes this for one field, and what somebody else applied of it for another.
            "matchConstraints": {
                "matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {},
                "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"], "scope": "*",
                }],
            },
            "matchConditions": [
                { "name": "pod-of-workload", "expression": OF_WORKLOAD },
                { "name": "template-as-planned", "expression": unchanged },
            ],
            "mutations": [sized("containers"), sized("initContainers")],
        },
    })
}

/// Its binding: each pod is looked at with all `MemorySize`s of its namespace.
pub(super) fn binding() -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": { "name": BINDING },
        "spec": {
            "policyName": POLICY,
            "paramRef": { "selector": {}, "parameterNotFoundAction": "Allow" },
        },
    })
}
