//! `VerticalPodAutoscaler` objects that recommend and change nothing, for those who read them.
//!
//! A server ignores the status of an object that is applied: since VPA 1.0 it is a subresource, so it has a file and a
//! command of its own.

use super::changes::Workload;
use super::strategic::Metadata;
use super::yaml::{self, Memory};
use crate::commands::CommandError;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    spec: Spec<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    target_ref: TargetRef<'a>,
    update_policy: UpdatePolicy,
    /// With one of another name, the stock recommender leaves the status alone.
    recommenders: [Recommender; 1],
    resource_policy: Policies<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TargetRef<'a> {
    api_version: String,
    kind: &'static str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UpdatePolicy {
    update_mode: &'static str,
}

#[derive(Debug, Serialize)]
struct Recommender {
    name: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Policies<'a> {
    container_policies: Vec<Policy<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", untagged, rename_all_fields = "camelCase")]
enum Policy<'a> {
    /// Whoever recommends, it stays between our request and our limit. Limits are ours, not in proportion to requests.
    Within {
        container_name: &'a str,
        controlled_resources: [&'static str; 1],
        controlled_values: &'static str,
        min_allowed: Memory,
        max_allowed: Memory,
    },
    Off {
        container_name: &'static str,
        mode: &'static str,
    },
}

#[derive(Debug, Serialize)]
struct Status<'a> {
    status: Said<'a>,
}

#[derive(Debug, Serialize)]
struct Said<'a> {
    conditions: [Condition<'a>; 1],
    recommendation: Recommendations<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition<'a> {
    r#type: &'static str,
    status: &'static str,
    last_transition_time: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Recommendations<'a> {
    container_recommendations: Vec<Recommendation<'a>>,
}

/// Of requests. An updater evicts where a request is out of the bounds: more than we limit to, or less than we request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Recommendation<'a> {
    container_name: &'a str,
    target: Memory,
    lower_bound: Memory,
    upper_bound: Memory,
}

pub(super) fn path(workload: &Workload) -> String {
    format!("vpa/{}/{}.yaml", workload.namespace, workload.stem())
}

pub(super) fn status_path(workload: &Workload) -> String {
    format!("vpa/{}/status/{}.yaml", workload.namespace, workload.stem())
}

/// Not the workload's own name: that may be of an object somebody else made.
fn name(workload: &Workload) -> String {
    format!("plimsoll-{}", workload.stem())
}

pub(super) fn object(workload: &Workload) -> Result<String, CommandError> {
    let within = workload.containers.iter().map(|one| Policy::Within {
        container_name: &one.container,
        controlled_resources: ["memory"],
        controlled_values: "RequestsOnly",
        min_allowed: Memory::new(Some(one.recommended_request_bytes)),
        max_allowed: Memory::new(Some(one.recommended_limit_bytes)),
    });
    let others = Policy::Off { container_name: "*", mode: "Off" };
    let object = Object {
        api_version: "autoscaling.k8s.io/v1",
        kind: "VerticalPodAutoscaler",
        metadata: Metadata { name: &name(workload), namespace: workload.namespace },
        spec: Spec {
            target_ref: TargetRef {
                api_version: workload.kind.api_version(),
                kind: workload.kind.name(),
                name: workload.name,
            },
            update_policy: UpdatePolicy { update_mode: "Off" },
            recommenders: [Recommender { name: "plimsoll" }],
            resource_policy: Policies { container_policies: within.chain([others]).collect() },
        },
    };
    let comments = [
        "Recommends and changes no pod: updateMode is Off.",
        &*format!("kubectl apply -f {}", path(workload)),
        &*format!("What it recommends is in {}, which is applied after it.", status_path(workload)),
    ];
    yaml::document(&comments, &object)
}

pub(super) fn status(workload: &Workload, as_of: &str) -> Result<String, CommandError> {
    let recommendations = workload.containers.iter().map(|one| {
        let [request, limit] = [one.recommended_request_bytes, one.recommended_limit_bytes].map(Some);
        Recommendation {
            container_name: &one.container,
            target: Memory::new(request),
            lower_bound: Memory::new(request),
            upper_bound: Memory::new(limit),
        }
    });
    let provided =
        Condition { r#type: "RecommendationProvided", status: "True", last_transition_time: as_of };
    let status = Status {
        status: Said {
            conditions: [provided],
            recommendation: Recommendations { container_recommendations: recommendations.collect() },
        },
    };
    let command = format!(
        "kubectl patch vpa {} -n {} --subresource=status --type=merge --patch-file {}",
        name(workload),
        workload.namespace,
        status_path(workload)
    );
    yaml::document(&[&command, "Before VPA 1.0 without --subresource=status."], &status)
}
