//! Strategic merge patches: each names its workload, so kubectl and kustomize both find it.

use super::changes::{Kind, Workload};
use super::yaml::{self, Sizes};
use crate::commands::CommandError;
use serde::Serialize;

/// To what is recommended, and back to what is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    There,
    Back,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Patch<'a> {
    api_version: String,
    kind: &'static str,
    metadata: Metadata<'a>,
    spec: Spec<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Metadata<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Spec<'a> {
    Pods(Pods<'a>),
    Jobs {
        #[serde(rename = "jobTemplate")]
        job_template: Template<Pods<'a>>,
    },
}

#[derive(Debug, Serialize)]
struct Pods<'a> {
    template: Template<Containers<'a>>,
}

#[derive(Debug, Serialize)]
struct Template<T> {
    spec: T,
}

/// Merged by name: what is not named stays.
#[derive(Debug, Serialize)]
struct Containers<'a> {
    containers: Vec<Container<'a>>,
}

#[derive(Debug, Serialize)]
struct Container<'a> {
    name: &'a str,
    resources: Sizes,
}

impl Way {
    pub fn path(self, workload: &Workload) -> String {
        let folder = if self == Way::There { "kustomize" } else { "undo" };
        format!("{folder}/{}/{}.yaml", workload.namespace, workload.stem())
    }
}

pub(super) fn patch(workload: &Workload, way: Way) -> Result<String, CommandError> {
    let containers = workload.containers.iter().map(|one| Container {
        name: &one.container,
        resources: match way {
            Way::There => Sizes::new(Some(one.recommended_request_bytes), Some(one.recommended_limit_bytes)),
            Way::Back => Sizes::new(one.request_bytes, one.limit_bytes),
        },
    });
    let pods = Pods { template: Template { spec: Containers { containers: containers.collect() } } };
    let patch = Patch {
        api_version: workload.kind.api_version(),
        kind: workload.kind.name(),
        metadata: Metadata { name: workload.name, namespace: workload.namespace },
        spec: match workload.kind {
            Kind::CronJob => Spec::Jobs { job_template: Template { spec: pods } },
            Kind::DaemonSet | Kind::Deployment | Kind::StatefulSet => Spec::Pods(pods),
        },
    };
    let command = format!(
        "kubectl patch {} {} -n {} --patch-file {}",
        workload.kind.lowercase(),
        workload.name,
        workload.namespace,
        way.path(workload)
    );
    yaml::document(&[&command], &patch)
}
