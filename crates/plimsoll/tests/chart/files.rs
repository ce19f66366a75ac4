//! What stands in the chart is what the binary prints.

use crate::common::PLIMSOLL;
use crate::helm::chart;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Holds a file to what it should be; `UPDATE_GOLDEN=1 cargo test` rewrites it.
pub fn is_golden(path: &Path, expect: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, expect).expect("a file");
    }
    let is = std::fs::read_to_string(path).unwrap_or_default();
    let path = path.display();
    assert!(
        is == expect,
        "{path} is old: run UPDATE_GOLDEN=1 cargo test --test chart\n{}",
        difference(&is, expect)
    );
}

/// The first lines that differ.
fn difference(is: &str, expect: &str) -> String {
    let same = is.lines().zip(expect.lines()).take_while(|(is, expect)| is == expect).count();
    let from = |text: &str| text.lines().skip(same).take(5).collect::<Vec<_>>().join("\n");
    format!("line {}, is:\n{}\nhas to be:\n{}", same + 1, from(is), from(expect))
}

fn printed(arguments: &[&str]) -> String {
    let output = Command::new(PLIMSOLL).args(arguments).output().expect("plimsoll starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// `customresourcedefinition-memorysizes.plimsoll.dev.yaml`
fn file_name(manifest: &str) -> String {
    let object: serde_json::Value = serde_saphyr::from_str(manifest).expect("YAML");
    let of =
        |pointer| object.pointer(pointer).and_then(serde_json::Value::as_str).expect("a name").to_lowercase();
    format!("{}-{}.yaml", of("/kind"), of("/metadata/name"))
}

#[test]
fn kinds_are_those_that_are_printed() {
    let text = printed(&["crd"]);
    let manifests = text.split("---\n").filter(|text| !text.is_empty());
    let expect: BTreeMap<String, &str> = manifests.map(|text| (file_name(text), text)).collect();
    let folder = chart().join("files/crds");
    for (name, text) in &expect {
        is_golden(&folder.join(name), text);
    }
    let there = std::fs::read_dir(&folder).expect("kinds").flatten();
    let mut there: Vec<_> = there.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    there.sort();
    assert_eq!(there, expect.keys().cloned().collect::<Vec<_>>());
}

#[test]
fn rights_are_those_that_are_printed() {
    // All that the chart has a part for, of those that there are.
    let there = printed(&["crd", "-h"]);
    let mut parts = vec!["agent", "controller", "serve", "tokens"];
    parts.retain(|part| there.contains(&format!(" {part}")));
    assert!(parts.len() >= 3, "{parts:?}");
    for purpose in parts {
        is_golden(&chart().join(format!("files/rbac/{purpose}.yaml")), &printed(&["crd", "--rbac", purpose]));
    }
}

/// Rules and dashboards, as far as there are any to render.
#[test]
fn what_is_rendered_for_monitoring_is_in_the_chart() {
    let there = Command::new(PLIMSOLL).args(["render", "--help"]).output().expect("plimsoll starts");
    let there = String::from_utf8_lossy(&there.stdout).into_owned();
    for (what, ending) in [("rules", ".yaml"), ("dashboards", ".json")] {
        if !there.contains(&format!("\n  {what} ")) {
            continue;
        }
        let folder = tempfile::tempdir().expect("a folder");
        printed(&["render", what, "--out", &folder.path().display().to_string()]);
        let names = |folder: &Path| {
            let all = std::fs::read_dir(folder).expect("a folder").flatten();
            let all = all.map(|file| file.file_name().to_string_lossy().into_owned());
            let mut all: Vec<String> = all.filter(|name| name.ends_with(ending)).collect();
            all.sort();
            all
        };
        let ours = chart().join("files").join(what);
        let expect = names(folder.path());
        for name in &expect {
            is_golden(&ours.join(name), &std::fs::read_to_string(folder.path().join(name)).expect("a file"));
        }
        assert!(!expect.is_empty() && names(&ours) == expect, "{what}: {:?}, not {expect:?}", names(&ours));
    }
}
