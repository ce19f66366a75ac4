//! One report and all its files; any report and what must hold of its files.

use super::super::report::{ContainerReport, RightsizeReport, SCHEMA, Skipped, Totals};
use super::changes::Changes;
use super::strategic::{Way, patch};
use super::yaml::quantity;
use super::{Files, files};
use plimsoll_core::size::MIB;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

type Sizes = (Option<u64>, Option<u64>);

/// Of `namespace/kind/workload/container`; sizes in MiB, request and limit, as they are and as they should be.
pub(in super::super) fn container(id: &str, now: Sizes, then: (u64, u64)) -> ContainerReport {
    let mut parts = id.split('/').map(String::from);
    let mut part = || parts.next().expect("four parts");
    let ratio = |now: Option<u64>, then: u64| now.map(|now| then as f64 / now as f64 - 1.0);
    ContainerReport {
        namespace: part(),
        kind: part(),
        workload: part(),
        container: part(),
        pods: 2,
        request_bytes: now.0.map(|size| size * MIB),
        limit_bytes: now.1.map(|size| size * MIB),
        recommended_request_bytes: then.0 * MIB,
        recommended_limit_bytes: then.1 * MIB,
        request_change_ratio: ratio(now.0, then.0),
        limit_change_ratio: ratio(now.1, then.1),
        request_reason: "nine days of ten stay below 400 MiB".into(),
        limit_reason: "daily peak of 600 MiB, about 09:00 UTC".into(),
        confidence: "high",
        peak_bytes: None,
        non_reclaimable_bytes: None,
        used_bytes: None,
        days_to_limit: None,
        warnings: Vec::new(),
    }
}

pub(in super::super) fn report(containers: Vec<ContainerReport>) -> RightsizeReport {
    RightsizeReport {
        schema: SCHEMA,
        source: "https://mimir/prometheus?token=secret".into(),
        as_of: "2026-11-25T00:00:00Z".into(),
        window_seconds: 14.0 * 86_400.0,
        horizon_seconds: 3.5 * 86_400.0,
        policy: "plimsoll",
        containers,
        totals: Totals::default(),
        skipped: Vec::new(),
        remarks: Vec::new(),
        cost: None,
    }
}

fn sample() -> RightsizeReport {
    let mut leaks = container("shop/CronJob/web/report", (None, None), (128, 256));
    leaks.warnings = vec!["leaks 12 MiB a day: it grows with the time since each start".into()];
    let skipped = |container: &str| Skipped {
        namespace: "shop".into(),
        kind: "Deployment".into(),
        workload: "new".into(),
        container: container.into(),
        reason: "only 3 hours of history, and no container like it to learn from".into(),
    };
    RightsizeReport {
        skipped: vec![skipped("new"), skipped("log")],
        ..report(vec![
            container("blog/StatefulSet/null/db", (Some(4096), Some(4096)), (2048, 3072)),
            leaks,
            container("shop/Deployment/web/web", (Some(1024), Some(2048)), (512, 768)),
            container("shop/Deployment/web/log", (Some(64), None), (64, 96)),
            container("shop/Deployment/web/istio-proxy", (Some(128), Some(1024)), (64, 96)),
            container("shop/DaemonSet/agent/agent", (Some(100), Some(200)), (98, 196)),
            container("shop/Job/once|only/once", (Some(1024), Some(1024)), (256, 512)),
        ])
    }
}

/// All files in one text.
fn shown(files: &Files) -> String {
    files.iter().map(|(path, text)| format!("==> {path} <==\n{text}\n")).collect()
}

#[test]
fn a_report_of_several_kinds() {
    insta::assert_snapshot!(shown(&files(&sample()).unwrap()));
}

#[test]
fn nothing_to_change() {
    let near = container("shop/Deployment/web/web", (Some(512), Some(1024)), (512, 1024));
    let pod = container("shop/Pod/web/web", (None, None), (512, 1024));
    let check = |containers: &[&ContainerReport], title: &str| {
        let files = files(&report(containers.iter().copied().cloned().collect())).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["merge-request.md"]);
        let text = &files["merge-request.md"];
        assert!(text.starts_with(title), "{text}");
        assert!(!text.contains("How to apply") && !text.contains("secret"), "{text}");
    };
    check(&[&near], "# Memory: nothing to change\n");
    check(&[&near, &pod], "# Memory: 1 container to change by hand\n");
    check(&[], "# Memory: nothing to change\n");
}

fn parsed(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Objects by key, containers by name; null takes away.
fn merge(into: &mut Value, patch: &Value) {
    match patch {
        Value::Object(patch) => {
            if !into.is_object() {
                *into = Value::Object(Map::new());
            }
            let into = into.as_object_mut().unwrap();
            for (key, value) in patch {
                if value.is_null() {
                    into.remove(key);
                } else {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        Value::Array(patches) => {
            for patch in patches {
                let there = into.as_array_mut().unwrap().iter_mut().find(|one| one["name"] == patch["name"]);
                merge(there.expect("a container that is there"), patch);
            }
        }
        scalar => *into = scalar.clone(),
    }
}

/// As a server has it: objects without anything in them are not there.
fn pruned(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map = map.into_iter().map(|(key, value)| (key, pruned(value)));
            Value::Object(map.filter(|(_, value)| !value.as_object().is_some_and(Map::is_empty)).collect())
        }
        Value::Array(values) => values.into_iter().map(pruned).collect(),
        scalar => scalar,
    }
}

fn sizes(request: Option<u64>, limit: Option<u64>) -> Value {
    let memory = |size: Option<u64>| size.map_or(json!({}), |size| json!({"memory": quantity(size)}));
    json!({"requests": memory(request), "limits": memory(limit)})
}

/// A workload of these containers and one that nobody spoke of.
fn workload(kind: &str, containers: &[&ContainerReport], is_after: bool) -> Value {
    let mut all = vec![json!({"name": "another", "image": "b", "resources": {"limits": {"cpu": "2"}}})];
    for one in containers {
        let mut sizes = match is_after {
            true => sizes(Some(one.recommended_request_bytes), Some(one.recommended_limit_bytes)),
            false => sizes(one.request_bytes, one.limit_bytes),
        };
        sizes["requests"]["cpu"] = json!("100m");
        all.push(json!({"name": one.container, "image": "a", "resources": sizes}));
    }
    let pods = json!({"replicas": 2, "template": {"spec": {"containers": all}}});
    let spec = if kind == "CronJob" { json!({"jobTemplate": {"spec": pods}}) } else { pods };
    let (name, namespace) = (&containers[0].workload, &containers[0].namespace);
    let group = if kind == "CronJob" { "batch/v1" } else { "apps/v1" };
    json!({"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

/// Names that Kubernetes takes, among them those that YAML takes for something else, and some it does not take.
fn names() -> impl Strategy<Value = String> {
    let odd = ["yes", "no", "off", "null", "true", "1e3", "0x1f", "010", "1.5", "2001-01-01", "resources"];
    let wrong = ["", "~", "A", "a\nb: c", "../a", "a: b", "a #b", "'", "ä", ".", "-"];
    prop_oneof![
        3 => "[a-c]([a-c.-]{0,2}[a-c1])?",
        2 => proptest::sample::select(odd.to_vec()).prop_map(String::from),
        1 => proptest::sample::select(wrong.to_vec()).prop_map(String::from),
    ]
}

fn containers() -> impl Strategy<Value = Vec<ContainerReport>> {
    let kinds = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "CronJob", "Pod", "Series", "a\nb"];
    let id = (names(), proptest::sample::select(kinds.to_vec()), names(), names());
    let now = || proptest::option::of(1_u64..40);
    let one =
        (id, now(), now(), 1_u64..40, 1_u64..40, 0_u64..2).prop_map(|(id, request, limit, a, b, odd)| {
            let mut one = container("///", (request, limit), (a, b));
            (one.namespace, one.kind, one.workload, one.container) = (id.0, id.1.into(), id.2, id.3);
            // What is there now may be no whole number of MiB.
            one.request_bytes = one.request_bytes.map(|bytes| bytes + odd);
            one
        });
    proptest::collection::vec(one, 0..12).prop_map(|mut all| {
        let id = |one: &ContainerReport| {
            [&one.namespace, &one.kind, &one.workload, &one.container].map(String::clone)
        };
        all.sort_by_key(id);
        all.dedup_by_key(|one| id(one));
        all
    })
}

/// Every pair of sizes below, whatever the keys above.
fn all_sizes(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(map) => match map.get("resources") {
            Some(sizes) if sizes.get("requests").is_some_and(|one| one.get("memory").is_some()) => {
                vec![sizes]
            }
            _ => map.values().flat_map(all_sizes).collect(),
        },
        Value::Array(values) => values.iter().flat_map(all_sizes).collect(),
        _ => Vec::new(),
    }
}

proptest! {
    #[test]
    fn every_container_is_somewhere_once(all in containers()) {
        let report = report(all);
        let changes = Changes::of(&report);
        let by_hand = changes.by_hand.iter().map(|(one, _)| *one);
        let mut found: Vec<_> = changes.patched().chain(by_hand).chain(changes.left.iter().copied()).collect();
        found.sort_by_key(|one| (&one.namespace, &one.kind, &one.workload, &one.container));
        prop_assert_eq!(found, report.containers.iter().collect::<Vec<_>>());
    }

    #[test]
    fn files_have_the_sizes_of_the_report(all in containers()) {
        let report = report(all);
        let changes = Changes::of(&report);
        let files = files(&report).unwrap();
        let yaml = files.keys().filter(|path| path.ends_with(".yaml")).count();
        prop_assert_eq!(yaml, changes.workloads.len() * 4 + changes.by_namespace().len() * 2);
        for (path, text) in &files {
            let is_safe = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "/.-".contains(letter);
            prop_assert!(path.chars().all(is_safe) && !path.split('/').any(|part| part.starts_with('.')), "{}", path);
            if path.ends_with(".yaml") {
                prop_assert!(parsed(text).is_object(), "{}", text);
            }
        }
        for (namespace, workloads) in changes.by_namespace() {
            let values = parsed(&files[&format!("helm/values-{namespace}.yaml")]);
            let mut found: Vec<String> = all_sizes(&values).iter().map(|one| one.to_string()).collect();
            let mut expect: Vec<String> = workloads.iter().flat_map(|workload| &workload.containers)
                .map(|one| sizes(Some(one.recommended_request_bytes), Some(one.recommended_limit_bytes)).to_string())
                .collect();
            found.sort();
            expect.sort();
            prop_assert_eq!(found, expect);
            let component = parsed(&files[&format!("kustomize/{namespace}/kustomization.yaml")]);
            for (patch, workload) in component["patches"].as_array().unwrap().iter().zip(workloads) {
                let path = format!("kustomize/{namespace}/{}", patch["path"].as_str().unwrap());
                prop_assert_eq!(&parsed(&files[&path])["metadata"]["name"], workload.name);
            }
        }
        for workload in &changes.workloads {
            let status = parsed(&files[&format!("vpa/{}/status/{}.yaml", workload.namespace, workload.stem())]);
            let object = parsed(&files[&format!("vpa/{}/{}.yaml", workload.namespace, workload.stem())]);
            prop_assert_eq!(&object["spec"]["updatePolicy"]["updateMode"], "Off");
            for (index, one) in workload.containers.iter().enumerate() {
                let [request, limit] = [one.recommended_request_bytes, one.recommended_limit_bytes].map(quantity);
                let said = &status["status"]["recommendation"]["containerRecommendations"][index];
                let policy = &object["spec"]["resourcePolicy"]["containerPolicies"][index];
                prop_assert_eq!(&said["containerName"], &json!(one.container));
                prop_assert_eq!(&policy["containerName"], &json!(one.container));
                prop_assert_eq!((&said["target"]["memory"], &said["upperBound"]["memory"]), (&json!(request), &json!(limit)));
                prop_assert_eq!((&policy["minAllowed"]["memory"], &policy["maxAllowed"]["memory"]), (&json!(request), &json!(limit)));
            }
        }
    }

    #[test]
    fn there_and_back(all in containers()) {
        let report = report(all);
        for one in &Changes::of(&report).workloads {
            let before = pruned(workload(one.kind.name(), &one.containers, false));
            let after = pruned(workload(one.kind.name(), &one.containers, true));
            let mut object = before.clone();
            merge(&mut object, &parsed(&patch(one, Way::There).unwrap()));
            prop_assert_eq!(&pruned(object.clone()), &after);
            merge(&mut object, &parsed(&patch(one, Way::Back).unwrap()));
            prop_assert_eq!(&pruned(object), &before);
        }
    }
}
