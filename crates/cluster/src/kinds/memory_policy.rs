//! `MemoryPolicy`: what people allow the controller to do with which workloads of a namespace.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::api::{ObjectMeta, Resource};
use plimsoll_core::inventory::quantity::Quantity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A policy, and how it stands with it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryPolicy {
    metadata: ObjectMeta,
    /// What is allowed.
    #[serde(default)]
    pub spec: MemoryPolicySpec,
    /// How it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<MemoryPolicyStatus>,
}

/// What is allowed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryPolicySpec {
    /// Workloads, by their labels; all of the namespace where there is none.
    #[serde(default)]
    pub selector: LabelSelector,
    /// `Off`, `Recommend`, `Initial` or `Auto`.
    #[serde(default)]
    pub mode: String,
    /// Bounds of containers' limits.
    #[serde(default)]
    pub bounds: Vec<BoundSpec>,
    /// What is left alone.
    #[serde(default)]
    pub exclude: Exclude,
    /// The share of decisions whose limit may be passed before the next, such as `0.1%`.
    pub risk: Option<String>,
    /// When sizes may go down; at any time where there is none.
    pub schedule: Option<ScheduleSpec>,
    /// How fast sizes may change.
    #[serde(default)]
    pub budget: BudgetSpec,
    /// Whether what is right is also written down as VerticalPodAutoscalers that change nothing.
    #[serde(default)]
    pub publish_vertical_pod_autoscalers: bool,
}

/// Bounds of a container's limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BoundSpec {
    /// Of this container; of any where there is none.
    pub container: Option<String>,
    /// At least.
    pub min: Option<Quantity>,
    /// At the most.
    pub max: Option<Quantity>,
}

/// What is left alone, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exclude {
    /// Workloads.
    #[serde(default)]
    pub workloads: Vec<String>,
    /// Containers.
    #[serde(default)]
    pub containers: Vec<String>,
}

/// When sizes may go down.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleSpec {
    /// On these days, such as `Mon`; on all where there is none.
    #[serde(default)]
    pub days: Vec<String>,
    /// From this time of day on, such as `22:00`.
    pub from: String,
    /// Until this time, which may be of the next day.
    pub to: String,
    /// Where that is, such as `Europe/Berlin`; UTC where there is none.
    pub time_zone: Option<String>,
}

/// How fast sizes may change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetSpec {
    /// Workloads that change at the same time.
    pub workloads_at_once: Option<u32>,
    /// Pods of a workload whose resize is under way at the same time.
    pub resizes_at_once: Option<u32>,
    /// Memory of a workload that may be moved in a minute, in MiB.
    pub mib_per_minute: Option<u64>,
    /// How long each wave is watched, in seconds.
    pub watch_seconds: Option<u32>,
    /// How long a resize may take before it is taken back, in seconds.
    pub patience_seconds: Option<u32>,
}

/// How it stands with a policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryPolicyStatus {
    /// Which specification this is about.
    pub observed_generation: Option<i64>,
    /// `Ready`: it is followed; else why not.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Workloads that it governs.
    pub workloads: u32,
    /// Workloads that an older policy governs.
    pub contested: u32,
    /// Workloads whose new pods have our sizes.
    pub sized: u32,
    /// Workloads that are being changed.
    pub changing: u32,
    /// Containers of which nothing can be said yet.
    pub learning: u32,
    /// What all pods would request by their templates.
    pub requested_by_templates: String,
    /// What the scheduler counts for them.
    pub requested: String,
    /// How many workloads are left alone.
    pub left_alone_count: u32,
    /// Some of them, and why.
    #[serde(default)]
    pub left_alone: Vec<LeftAloneStatus>,
}

/// A workload that is left alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeftAloneStatus {
    /// Its kind and name.
    pub workload: String,
    /// Why.
    pub reason: String,
}

impl Resource for MemoryPolicy {
    type DynamicType = ();
    type Scope = kube::core::NamespaceResourceScope;

    fn kind(_: &()) -> Cow<'_, str> {
        "MemoryPolicy".into()
    }
    fn group(_: &()) -> Cow<'_, str> {
        super::GROUP.into()
    }
    fn version(_: &()) -> Cow<'_, str> {
        "v1alpha1".into()
    }
    fn plural(_: &()) -> Cow<'_, str> {
        "memorypolicies".into()
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
    let column = |name: &str, kind: &str, path: &str| json!({ "name": name, "type": kind, "jsonPath": path });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("memorypolicies.{}", super::GROUP) },
        "spec": {
            "group": super::GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": "MemoryPolicy", "plural": "memorypolicies", "singular": "memorypolicy", "shortNames": ["mempol"],
            },
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "additionalPrinterColumns": [
                    column("Mode", "string", ".spec.mode"),
                    column("Workloads", "integer", ".status.workloads"),
                    column("Sized", "integer", ".status.sized"),
                    column("Requested", "string", ".status.requested"),
                    column("By Templates", "string", ".status.requestedByTemplates"),
                    column("Left Alone", "integer", ".status.leftAloneCount"),
                    column("Ready", "string", ".status.conditions[?(@.type=='Ready')].status"),
                    column("Age", "date", ".metadata.creationTimestamp"),
                ],
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "required": ["spec"],
                    "properties": { "spec": spec(), "status": status() },
                } },
            }],
        },
    })
}

fn spec() -> Value {
    let name = || json!({ "type": "string", "minLength": 1, "maxLength": 253 });
    let names = || json!({ "type": "array", "maxItems": 200, "items": name() });
    let count = |description: &str| json!({ "type": "integer", "minimum": 1, "maximum": 100_000, "description": description });
    let amount =
        json!({ "type": "string", "maxLength": 32, "pattern": "^[0-9]+(\\.[0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$" });
    let requirement = json!({
        "type": "object",
        "required": ["key", "operator"],
        "properties": {
            "key": name(),
            "operator": { "type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"] },
            "values": names(),
        },
        "x-kubernetes-validations": [{
            "rule": "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
            "message": "In and NotIn need values, Exists and DoesNotExist have none",
        }],
    });
    let bound = json!({
        "type": "object",
        "properties": { "container": name(), "min": amount, "max": amount },
        "x-kubernetes-validations": [{
            "rule": "!has(self.min) || !has(self.max) || quantity(self.min).compareTo(quantity(self.max)) <= 0",
            "message": "min must not be above max",
        }],
    });
    let time = json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" });
    json!({
        "type": "object",
        "required": ["mode"],
        "properties": {
            "mode": {
                "type": "string",
                "enum": ["Off", "Recommend", "Initial", "Auto"],
                "description": "Off: nothing, and what was done is taken back. Recommend: it is said what would be right. \
                                Initial: new pods get it. Auto: pods that run get it too.",
            },
            "selector": {
                "type": "object",
                "description": "Workloads by their labels; all of the namespace without it.",
                "properties": {
                    "matchLabels": { "type": "object", "maxProperties": 50, "additionalProperties": { "type": "string", "maxLength": 63 } },
                    "matchExpressions": { "type": "array", "maxItems": 50, "items": requirement },
                },
            },
            "bounds": {
                "type": "array", "maxItems": 100, "items": bound,
                "description": "Bounds of limits; the first that names the container, or none, holds.",
            },
            "exclude": { "type": "object", "properties": { "workloads": names(), "containers": names() } },
            "risk": {
                "type": "string", "maxLength": 12, "pattern": "^[0-9]+(\\.[0-9]+)?%$",
                "description": "Share of decisions whose limit may be passed before the next one, such as 0.1%; as little as \
                                four fifths of the usual slack buy without it.",
                "x-kubernetes-validations": [{
                    "rule": "double(self.substring(0, self.size() - 1)) > 0.0 && double(self.substring(0, self.size() - 1)) <= 50.0",
                    "message": "risk must be above 0% and at most 50%",
                }],
            },
            "schedule": {
                "type": "object",
                "required": ["from", "to"],
                "description": "When sizes may go down. They may go up at any time.",
                "properties": {
                    "days": { "type": "array", "maxItems": 7, "items": { "type": "string", "enum": super::DAYS } },
                    "from": time, "to": time,
                    "timeZone": { "type": "string", "minLength": 1, "maxLength": 64 },
                },
                "x-kubernetes-validations": [{ "rule": "self.from != self.to", "message": "from and to must differ" }],
            },
            "budget": {
                "type": "object",
                "properties": {
                    "workloadsAtOnce": count("Workloads that change at the same time; 10 without it."),
                    "resizesAtOnce": count("Pods of a workload whose resize is under way at the same time; 10 without it."),
                    "mibPerMinute": count("Memory of a workload that may be moved in a minute, in MiB; 65536 without it."),
                    "watchSeconds": count("How long each wave is watched; 60 without it."),
                    "patienceSeconds": count("How long a resize may take before it is taken back; 300 without it."),
                },
            },
            "publishVerticalPodAutoscalers": {
                "type": "boolean",
                "description": "Also write what is right as VerticalPodAutoscalers of mode Off.",
            },
        },
    })
}

fn status() -> Value {
    json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}
