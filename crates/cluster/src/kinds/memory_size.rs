//! `MemorySize`: the sizes that new pods of a workload get on admission, while its template stays as it is.

use kube::api::{ObjectMeta, Resource};
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{Kind, Sizes, WorkloadId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Sizes for the new pods of one workload.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemorySize {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    pub(crate) spec: MemorySizeSpec,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemorySizeSpec {
    /// The plan it belongs to.
    pub plan: String,
    pub workload: WorkloadRef,
    pub containers: Vec<ContainerSize>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WorkloadRef {
    pub kind: String,
    pub name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ContainerSize {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Quantity>,
    /// As the template has it: a template that somebody has changed since is left alone.
    pub before: Before,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Before {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Quantity>,
}

impl MemorySize {
    /// For a workload, by a plan: the name of each container, what it had, and what it gets.
    pub fn new(plan: &str, workload: &WorkloadId, containers: &[(String, Sizes, Sizes)]) -> MemorySize {
        let containers = containers.iter().map(|(name, before, after)| ContainerSize {
            name: name.clone(),
            request: after.request.clone(),
            limit: after.limit.clone(),
            before: Before { request: before.request.clone(), limit: before.limit.clone() },
        });
        MemorySize {
            api_version: Self::api_version(&()).into_owned(),
            kind: Self::kind(&()).into_owned(),
            metadata: ObjectMeta {
                name: Some(Self::name(workload)),
                namespace: Some(workload.namespace.clone()),
                ..ObjectMeta::default()
            },
            spec: MemorySizeSpec {
                plan: plan.into(),
                workload: WorkloadRef { kind: format!("{:?}", workload.kind), name: workload.name.clone() },
                containers: containers.collect(),
            },
        }
    }

    /// Of which workload it is, and the sizes of its containers by name.
    pub(crate) fn sizes(&self) -> Option<(WorkloadId, Vec<(String, Sizes)>)> {
        let kind = Kind::from_name(&self.spec.workload.kind)?;
        let (namespace, name) = (self.metadata.namespace.clone()?, self.spec.workload.name.clone());
        let of = |one: &ContainerSize| {
            (one.name.clone(), Sizes { request: one.request.clone(), limit: one.limit.clone() })
        };
        Some((WorkloadId { namespace, kind, name }, self.spec.containers.iter().map(of).collect()))
    }

    /// What the template said of each container when this was written.
    pub(crate) fn befores(&self) -> impl Iterator<Item = (&str, Sizes)> {
        self.spec.containers.iter().map(|one| {
            let Before { request, limit } = one.before.clone();
            (one.name.as_str(), Sizes { request, limit })
        })
    }

    /// What that of a workload is called.
    pub fn name(workload: &WorkloadId) -> String {
        format!("{:?}-{}", workload.kind, workload.name).to_lowercase()
    }
}

impl Resource for MemorySize {
    type DynamicType = ();
    type Scope = kube::core::NamespaceResourceScope;

    fn kind(_: &()) -> Cow<'_, str> {
        "MemorySize".into()
    }
    fn group(_: &()) -> Cow<'_, str> {
        super::GROUP.into()
    }
    fn version(_: &()) -> Cow<'_, str> {
        "v1alpha1".into()
    }
    fn plural(_: &()) -> Cow<'_, str> {
        "memorysizes".into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// The CustomResourceDefinition.
pub(super) fn definition() -> Value {
    let amount = json!({
        "type": "string",
        "maxLength": 32,
        "pattern": "^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$",
    });
    let container = json!({
        "type": "object",
        "required": ["name", "before"],
        "properties": {
            "name": { "type": "string", "maxLength": 63 },
            "request": amount,
            "limit": amount,
            "before": { "type": "object", "properties": { "request": amount, "limit": amount } },
        },
    });
    let workload = json!({
        "type": "object",
        "required": ["kind", "name"],
        "properties": {
            "kind": { "type": "string", "enum": ["Deployment", "StatefulSet", "DaemonSet"] },
            "name": { "type": "string", "maxLength": 253 },
        },
    });
    let spec = json!({
        "type": "object",
        "required": ["plan", "workload", "containers"],
        "properties": {
            "plan": { "type": "string", "maxLength": 63 },
            "workload": workload,
            "containers": {
                "type": "array",
                "minItems": 1,
                "maxItems": 50,
                "items": container,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("memorysizes.{}", super::GROUP) },
        "spec": {
            "group": super::GROUP,
            "scope": "Namespaced",
            "names": { "kind": "MemorySize", "plural": "memorysizes", "singular": "memorysize" },
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "additionalPrinterColumns": [
                    { "name": "Kind", "type": "string", "jsonPath": ".spec.workload.kind" },
                    { "name": "Workload", "type": "string", "jsonPath": ".spec.workload.name" },
                    { "name": "Plan", "type": "string", "jsonPath": ".spec.plan" },
                ],
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "required": ["spec"],
                    "properties": { "spec": spec },
                } },
            }],
        },
    })
}
