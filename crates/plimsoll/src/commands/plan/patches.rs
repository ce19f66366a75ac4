//! Folders of patches that people wrote: each file's documents are read, and what is wrong with one is said with its place.

use crate::commands::CommandError;
use plimsoll_core::inventory::Inventory;
use plimsoll_core::plan::Recommended;
use plimsoll_core::plan::patches::{Patch, PatchedSizes, of_patch};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::{Error, Spanned};
use std::path::{Path, PathBuf};

/// A patch is a text that somebody wrote.
const PATCH_MAX_BYTES: u64 = 4 << 20;

/// Sizes that a patch names, and where it begins.
pub(super) struct Written {
    pub sizes: PatchedSizes,
    /// `path:line`
    place: String,
}

/// The sizes of all patches of a folder; those that name no namespace are of `namespace`.
pub(super) fn of_folder(folder: &Path, namespace: &str) -> Result<Vec<Written>, CommandError> {
    let entries = std::fs::read_dir(folder).map_err(|error| input(folder, error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let ending = |path: &Path| path.extension().and_then(|ending| ending.to_str()).map(str::to_string);
    paths.retain(|path| {
        ending(path).is_some_and(|ending| ["yaml", "yml", "json"].contains(&ending.as_str()))
            && path.is_file()
    });
    paths.sort();
    let mut all = Vec::new();
    for path in &paths {
        of_file(path, namespace, &mut all)?;
    }
    if all.is_empty() {
        let why = "there is no patch of a workload's memory in it\nput patches of Deployments, StatefulSets or \
                   DaemonSets there, as .yaml or .json";
        return Err(wrong(folder.display().to_string(), why.to_string()));
    }
    Ok(all)
}

/// What patches come to on what is there. Where history says how much a container needs, it has the last word.
pub(super) fn recommended(
    written: &[Written],
    history: &[Recommended],
    inventory: &Inventory,
) -> Result<Vec<Recommended>, CommandError> {
    let mut all = Vec::new();
    for Written { sizes, place } in written {
        let evidence = format!("as {place} says");
        let one = sizes
            .recommended(inventory, evidence)
            .map_err(|error| wrong(place.clone(), error.to_string()))?;
        let Some(mut one) = one else { continue };
        let of_it = |known: &&Recommended| known.workload == one.workload && known.container == one.container;
        if let Some(known) = history.iter().find(of_it) {
            one.floor_bytes = known.floor_bytes;
            one.evidence = format!("{}; {}", one.evidence, known.evidence);
        }
        all.push(one);
    }
    Ok(all)
}

fn of_file(path: &Path, namespace: &str, all: &mut Vec<Written>) -> Result<(), CommandError> {
    let name = path.display().to_string();
    let length = std::fs::metadata(path).map_err(|error| input(path, error))?.len();
    if length > PATCH_MAX_BYTES {
        return Err(wrong(
            name,
            format!("{length} bytes are too many for a patch\ntake it out of the folder"),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| input(path, error))?;
    if is_kustomization(&name, &text)? {
        return Ok(());
    }
    let patches: Vec<Spanned<Patch>> =
        serde_saphyr::from_multiple(&text).map_err(|error| unreadable(&name, &text, &error))?;
    for patch in patches {
        let place = format!("{name}:{}", patch.referenced.line());
        let sizes =
            of_patch(&patch.value, namespace).map_err(|error| wrong(place.clone(), error.to_string()))?;
        for sizes in sizes {
            let is_same = |other: &&Written| {
                (&other.sizes.workload, &other.sizes.container) == (&sizes.workload, &sizes.container)
            };
            if let Some(other) = all.iter().find(is_same) {
                let PatchedSizes { workload, container, .. } = &sizes;
                let why = format!("container '{container}' of {workload} is also in {}", other.place);
                return Err(wrong(place, format!("{why}\ntake one of them out")));
            }
            all.push(Written { sizes, place: place.clone() });
        }
    }
    Ok(())
}

/// It only lists the patches beside it; those that are written into it cannot be passed over in silence.
fn is_kustomization(name: &str, text: &str) -> Result<bool, CommandError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kustomization {
        kind: Option<String>,
        api_version: Option<String>,
        #[serde(default)]
        patches: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        patch: Option<IgnoredAny>,
    }
    let Ok(read) = serde_saphyr::from_str::<Kustomization>(text) else { return Ok(false) };
    let is_one = read.api_version.is_some_and(|version| version.starts_with("kustomize.config.k8s.io/"));
    if !is_one && read.kind.as_deref() != Some("Kustomization") {
        return Ok(false);
    }
    if read.patches.iter().any(|listed| listed.patch.is_some()) {
        let why = "patches that are written into a kustomization are not read\nput each into a file of its own, as a \
                   strategic merge";
        return Err(wrong(name.to_string(), why.to_string()));
    }
    Ok(true)
}

fn unreadable(name: &str, text: &str, error: &Error) -> CommandError {
    if serde_saphyr::from_multiple::<Vec<IgnoredAny>>(text).is_ok() {
        let why = "a list of operations (JSON 6902) names no workload\nwrite it as a strategic merge of one";
        return wrong(name.to_string(), why.to_string());
    }
    let place =
        error.location().map_or(name.to_string(), |at| format!("{name}:{}:{}", at.line(), at.column()));
    let why = match error.without_snippet() {
        Error::Message { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let todo = if why.contains('\n') { "" } else { "\nset it right, or take the file out of the folder" };
    wrong(place, format!("{why}{todo}"))
}

fn input(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::Input { path: path.display().to_string(), error }
}

fn wrong(place: String, why: String) -> CommandError {
    CommandError::Patch { place, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";
    const CONTAINERS: &str = "spec:\n  template:\n    spec:\n      containers:\n";
    const APP: &str =
        "      - name: app\n        resources: {requests: {memory: 96Mi, cpu: 1}, limits: {memory: 128Mi}}\n";
    const BARE: &str = "      - name: proxy\n        image: proxy:2\n";

    /// Of files by name; errors without the folder.
    fn read(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        let place = |text: &str| text.replace(&format!("{}/", folder.path().display()), "");
        let all = of_folder(folder.path(), "shop").map_err(|error| place(&error.to_string()))?;
        let of = |Written { sizes: one, place: at }: &Written| {
            let text = |size: &Option<_>| {
                let size: &Option<plimsoll_core::inventory::quantity::Quantity> = size;
                size.as_ref().map_or("-".into(), ToString::to_string)
            };
            let (request, limit) = (text(&one.sizes.request), text(&one.sizes.limit));
            format!("{} {} {} {request} {limit}", place(at), one.workload, one.container)
        };
        Ok(all.iter().map(of).collect())
    }

    #[test]
    fn as_people_write_them() {
        let check = |files: &[(&str, &str)], expect: &[&str]| {
            assert_eq!(
                read(files).as_deref(),
                Ok(&expect.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
            );
        };
        let web = format!("{HEAD}{CONTAINERS}{APP}{BARE}");
        check(
            &[("a.yaml", &web), ("notes.txt", "not a patch")],
            &["a.yaml:1 shop/Deployment/web app 96Mi 128Mi"],
        );
        let db = HEAD.replace("Deployment", "StatefulSet").replace("web\n", "db\n  namespace: data\n");
        let limit = APP.replace("requests: {memory: 96Mi, cpu: 1}, ", "");
        let several = format!("# two of them\n{web}---\n# nothing\n---\n{db}{CONTAINERS}{limit}");
        let all =
            ["a.yaml:2 shop/Deployment/web app 96Mi 128Mi", "a.yaml:17 data/StatefulSet/db app - 128Mi"];
        check(&[("a.yaml", &several)], &all);
        let json = r#"{"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "log"}, "spec": {"template":
            {"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": 134217728}}}]}}}}"#;
        let list =
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\npatches:\n- path: a.json\n";
        let log = ["a.json:1 shop/DaemonSet/log app - 134217728"];
        check(&[("a.json", json), ("kustomization.yaml", list)], &log);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let check = |text: &str, place: &str, words: &str| {
            let error = read(&[("a.yaml", text)]).expect_err("an error");
            assert!(
                error.starts_with(place) && error.contains(words) && error.lines().count() > 1,
                "{error}"
            );
        };
        let web = format!("{HEAD}{CONTAINERS}{APP}");
        check(&web.replace("96Mi", "much"), "a.yaml:10:40: ", "'much' is no amount of memory\nwrite it as");
        check(&web.replace("128Mi", "null"), "a.yaml:10:72: ", "null takes the size away");
        check(&web.replace("{memory: 128Mi}", "~"), "a.yaml:10:63: ", "or take the line out");
        check(&format!("---\n{}", web.replace("Deployment", "CronJob")), "a.yaml:2: ", "'CronJob'");
        check(&format!("{HEAD}{CONTAINERS}{BARE}"), "", "there is no patch of a workload's memory in it\n");
        check(&format!("{web}---\n{web}"), "a.yaml:12: ", "is also in a.yaml:1\n");
        check("- op: replace\n  path: /spec\n  value: 1\n", "a.yaml: ", "JSON 6902");
        check("a: [", "a.yaml:", "");
        let inline = "kind: Kustomization\npatches:\n- patch: |-\n    a\n";
        check(inline, "a.yaml: ", "written into a kustomization");
    }
}
