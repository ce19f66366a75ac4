//! Patches that people wrote: strategic merges of workloads, of which only the memory of containers is read.

use crate::commands::CommandError;
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{Kind, WorkloadId};
use plimsoll_core::plan::Recommended;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A patch is a text that somebody wrote.
const PATCH_MAX_BYTES: u64 = 4 << 20;

#[derive(Debug, Deserialize)]
struct Patch {
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Spec {
    template: Template,
}

#[derive(Debug, Deserialize)]
struct Template {
    spec: PodSpec,
}

#[derive(Debug, Deserialize)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Debug, Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    resources: Resources,
}

#[derive(Debug, Default, Deserialize)]
struct Resources {
    #[serde(default)]
    requests: Amounts,
    #[serde(default)]
    limits: Amounts,
}

/// Amounts of other things are nobody's business here.
#[derive(Debug, Default, Deserialize)]
struct Amounts {
    memory: Option<Quantity>,
}

/// The sizes of all patches of a folder; those that name no namespace are of `namespace`.
pub(super) fn of_folder(folder: &Path, namespace: &str) -> Result<Vec<Recommended>, CommandError> {
    let entries = std::fs::read_dir(folder).map_err(|error| input(folder, error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let ending = |path: &Path| path.extension().and_then(|ending| ending.to_str()).map(str::to_string);
    paths.retain(|path| {
        ending(path).is_some_and(|ending| ["yaml", "yml", "json"].contains(&ending.as_str()))
            && path.is_file()
    });
    paths.sort();
    let mut sizes = Vec::new();
    for path in &paths {
        sizes.extend(of_file(path, namespace)?);
    }
    if sizes.is_empty() {
        return Err(no(folder, "there is no patch of a workload's memory in it".into()));
    }
    Ok(sizes)
}

fn of_file(path: &Path, namespace: &str) -> Result<Vec<Recommended>, CommandError> {
    let length = std::fs::metadata(path).map_err(|error| input(path, error))?.len();
    if length > PATCH_MAX_BYTES {
        return Err(no(path, format!("{length} bytes are too many for a patch")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| input(path, error))?;
    let patches: Vec<Patch> =
        serde_saphyr::from_multiple(&text).map_err(|error| no(path, error.to_string()))?;
    let mut sizes = Vec::new();
    for patch in patches {
        let Some(kind) = Kind::from_name(&patch.kind) else {
            return Err(no(path, format!("a {} has no template that we change", patch.kind)));
        };
        let Metadata { name, namespace: named } = patch.metadata;
        let workload = WorkloadId { namespace: named.unwrap_or_else(|| namespace.into()), kind, name };
        let containers = patch.spec.template.spec.containers.into_iter();
        sizes.extend(containers.filter_map(|container| size(&workload, container, path)));
    }
    Ok(sizes)
}

/// What somebody wrote has no history: nothing is known that it would have to stay above.
fn size(workload: &WorkloadId, container: Container, path: &Path) -> Option<Recommended> {
    let Resources { requests, limits } = container.resources;
    Some(Recommended {
        workload: workload.clone(),
        container: container.name,
        request: requests.memory.or_else(|| limits.memory.clone())?,
        limit: limits.memory,
        floor_bytes: 0,
        evidence: format!("as {} says", path.display()),
    })
}

fn input(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::Input { path: path.display().to_string(), error }
}

fn no(path: &Path, why: String) -> CommandError {
    CommandError::NoPlan { path: path.display().to_string(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.yaml"), text).expect("a patch");
        std::fs::write(folder.path().join("notes.txt"), "not a patch").expect("a note");
        let sizes = of_folder(folder.path(), "shop").map_err(|error| {
            error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_string()
        })?;
        let of = |one: &Recommended| {
            let limit = one.limit.as_ref().map_or("-".into(), ToString::to_string);
            format!("{} {} {} {limit}", one.workload, one.container, one.request)
        };
        Ok(sizes.iter().map(of).collect())
    }

    #[test]
    fn as_people_write_them() {
        let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";
        let containers = "spec:\n  template:\n    spec:\n      containers:\n";
        let app = "      - name: app\n        resources: {requests: {memory: 96Mi, cpu: 1}, limits: {memory: 128Mi}}\n";
        let bare = "      - name: proxy\n        image: proxy:2\n";
        let check = |text: String, expect: Result<Vec<&str>, &str>| {
            let expect = expect.map(|all| all.into_iter().map(String::from).collect()).map_err(String::from);
            assert_eq!(read(&text), expect, "{text}");
        };
        check(format!("{head}{containers}{app}{bare}"), Ok(vec!["shop/Deployment/web app 96Mi 128Mi"]));
        let other = head.replace("Deployment", "StatefulSet").replace("web\n", "db\n  namespace: data\n");
        let limit = app.replace("requests: {memory: 96Mi, cpu: 1}, ", "");
        check(
            format!("{head}{containers}{app}---\n{other}{containers}{limit}"),
            Ok(vec!["shop/Deployment/web app 96Mi 128Mi", "data/StatefulSet/db app 128Mi 128Mi"]),
        );
        let service = head.replace("Deployment", "CronJob");
        check(format!("{service}{containers}{app}"), Err("a.yaml: a CronJob has no template that we change"));
        assert!(read(&format!("{head}{containers}{}", app.replace("96Mi", "much"))).is_err());
        assert!(read(&format!("{head}{containers}{bare}")).is_err());
    }
}
