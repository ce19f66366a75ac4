//! A kustomize component for each namespace.

use super::changes::Workload;
use super::yaml;
use crate::commands::CommandError;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    api_version: &'static str,
    kind: &'static str,
    patches: Vec<Patch>,
}

#[derive(Debug, Serialize)]
struct Patch {
    path: String,
    target: Target,
}

/// What a patch is for. Without it kustomize fails where a workload is not part of the build; a report is of a cluster,
/// an overlay mostly of one part of it.
#[derive(Debug, Serialize)]
struct Target {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    name: String,
    namespace: String,
}

pub(super) fn path(namespace: &str) -> String {
    format!("kustomize/{namespace}/kustomization.yaml")
}

/// An overlay's components are applied before its own `namespace:`, and kustomize takes what has no namespace for one
/// of `default`. That is why there is a component for each namespace: one for all of them could not tell workloads of
/// one name apart.
pub(super) fn component(namespace: &str, workloads: &[&Workload]) -> Result<String, CommandError> {
    let patches = workloads.iter().map(|workload| Patch {
        path: format!("{}.yaml", workload.stem()),
        target: Target {
            group: workload.kind.group(),
            version: "v1",
            kind: workload.kind.name(),
            // Both are regular expressions.
            name: workload.name.replace('.', "\\."),
            namespace: format!("({}|default)", namespace.replace('.', "\\.")),
        },
    });
    let component = Component {
        api_version: "kustomize.config.k8s.io/v1alpha1",
        kind: "Component",
        patches: patches.collect(),
    };
    let reference = format!("  components: [<path to>/kustomize/{namespace}]");
    let comments = [
        &format!(
            "Memory of namespace {namespace}. In the kustomization.yaml of the overlay that deploys it:"
        ),
        &reference,
        "Workloads that this overlay does not build are passed over. Where it renames them (namePrefix,",
        "nameSuffix), put the component into a kustomization.yaml of its own above it: names are those of the cluster.",
    ];
    yaml::document(&comments, &component)
}
