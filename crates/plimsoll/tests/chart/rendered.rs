//! What the chart renders of each set of values in its `ci` folder, and what it refuses.

use crate::files::is_golden;
use crate::helm::{Rendered, chart, refused, rendered, rendered_of, root, said, template, value_sets};
use serde_json::{Value, json};
use std::path::Path;

/// What stands in files of its own, which is not shown a second time.
const FROM_FILES: [&str; 3] = ["kinds.yaml", "rules.yaml", "dashboards.yaml"];

/// Kinds that have pods, and where their template is.
fn pod(object: &Value) -> Option<&Value> {
    ["Deployment", "DaemonSet", "Job"]
        .contains(&object["kind"].as_str()?)
        .then(|| &object["spec"]["template"])
}

#[test]
fn each_set_renders_as_it_did() {
    let sets = value_sets();
    assert!(sets.len() >= 5, "{sets:?}");
    for (name, values) in sets {
        let shown = |it: &Rendered| {
            (!FROM_FILES.contains(&it.template.as_str()))
                .then(|| format!("---\n# {}\n{}\n", it.template, it.text.trim_end()))
        };
        let text: String = rendered(&values).iter().filter_map(shown).collect();
        is_golden(&root().join(format!("crates/plimsoll/tests/chart/golden/{name}.yaml")), &text);
    }
}

#[test]
fn helm_finds_nothing_to_complain_of() {
    let home = tempfile::tempdir().expect("a folder");
    for (name, values) in value_sets() {
        let (chart, values) = (chart().display().to_string(), values.display().to_string());
        let lint =
            crate::helm::helm(home.path(), &["lint", "--strict", &chart, "--values", &values]).output();
        let text = said(&lint.expect("helm starts"));
        assert!(text.contains("0 chart(s) failed") && !text.contains("[WARNING]"), "{name}: {text}");
    }
}

/// Of every pod of every set.
#[test]
fn no_pod_may_more_than_it_needs() {
    let mut seen = 0;
    for (name, values) in value_sets() {
        for Rendered { template, object, .. } in rendered(&values) {
            let Some(pod) = pod(&object) else { continue };
            seen += 1;
            let (what, spec) = (format!("{name}: {template}"), &pod["spec"]);
            let security = &spec["securityContext"];
            assert_eq!(security["runAsNonRoot"], true, "{what}");
            assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{what}");
            let containers = spec["containers"].as_array().expect("containers");
            assert_eq!(containers.len(), 1, "{what}");
            let container = &containers[0];
            let mut expect = json!({
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
            });
            if spec["hostPID"] == true {
                assert!(template == "agent/daemonset.yaml" && name == "all", "{what}");
                expect["capabilities"]["add"] = json!(["SYS_PTRACE"]);
                (expect["runAsUser"], expect["runAsNonRoot"]) = (json!(0), json!(false));
            }
            assert_eq!(container["securityContext"], expect, "{what}");
            let sizes = &container["resources"];
            assert!(sizes["requests"]["memory"].is_string(), "{what}");
            assert_eq!(sizes["requests"]["memory"], sizes["limits"]["memory"], "{what}");
            assert_eq!(sizes["limits"]["cpu"], Value::Null, "{what}: it would only be slowed down");
            for field in ["hostNetwork", "hostIPC"] {
                assert_eq!(spec[field], Value::Null, "{what}: {field}");
            }
            let is_agent = template.starts_with("agent/");
            let volumes = spec["volumes"].as_array().into_iter().flatten();
            let of_the_node: Vec<_> = volumes.filter(|volume| volume.get("hostPath").is_some()).collect();
            assert_eq!(of_the_node.len(), usize::from(is_agent), "{what}");
            let mounts = container["volumeMounts"].as_array().into_iter().flatten();
            let writes: Vec<_> =
                mounts.filter(|mount| mount["readOnly"] != true).map(|mount| &mount["name"]).collect();
            assert!(
                writes.iter().all(|name| ["store", "tmp", "state"].iter().any(|it| **name == *it)),
                "{what}: {writes:?}"
            );
            if object["kind"] != "Job" {
                for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                    assert!(container[probe]["httpGet"]["path"].is_string(), "{what}: {probe}");
                }
            }
        }
    }
    assert!(seen >= 8, "{seen} pods");
}

/// A token of the cluster is mounted only where the cluster is asked, and what it allows is bound to no one else.
#[test]
fn who_asks_nothing_of_the_cluster_has_no_token() {
    let check = |set: &str, part: &str, expect: bool| {
        let values = chart().join(format!("ci/{set}-values.yaml"));
        let all = rendered(&values);
        let of =
            |kind: &str, file: &str| all.iter().find(|it| it.object["kind"] == kind && it.template == file);
        let pods = ["deployment", "daemonset", "test"].map(|file| format!("{part}/{file}.yaml"));
        let found = all.iter().find(|it| pods.contains(&it.template)).expect("a part").object.clone();
        let spec = &pod(&found).expect("pods")["spec"];
        assert_eq!(spec["automountServiceAccountToken"], expect, "{set}: {part}");
        let rights = of("ClusterRoleBinding", &format!("{part}/rights.yaml")).is_some();
        assert_eq!(rights, expect, "{set}: {part}");
    };
    check("default", "serve", true);
    check("postgresql", "serve", false);
    check("all", "serve", true);
    check("all", "agent", true);
    check("all", "controller", true);
}

#[test]
fn what_cannot_work_is_refused_and_why() {
    let check = |settings: &[&str], words: &str| {
        let more: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        let why = refused(&template(&more));
        assert!(why.contains(words), "{settings:?}: {why}");
    };
    check(&["serve.replicas=2"], "serve.replicas above 1 needs PostgreSQL");
    check(&["serve.replicas=0"], "serve/replicas");
    check(&["serve.access.kubernetes.enabled=false"], "nobody would be let in");
    check(
        &["serve.access.existingSecret=s", "serve.access.kubernetes.groups.a=read"],
        "put kubernetes.users and kubernetes.groups into that file",
    );
    check(&["serve.access.kubernetes.groups.a=write"], "groups");
    check(&["monitoring.enabled=true"], "serve.monitor.tokenSecret");
    check(&["serve.replica=2"], "replica");
    check(&["nonsense=1"], "nonsense");
    check(&["serve.resources.limits.memory=much"], "memory");
    check(&["image.digest=sha256:1"], "digest");
    check(&["controller.every=often"], "every");
    check(&["serve.ahead.namespaces[0]=Not_One"], "namespaces");
}

/// What a cluster is too old for is left out, or the chart is refused.
#[test]
fn old_clusters_get_what_they_can_take() {
    let policies = |version: &str| {
        let text = said(&template(&["--kube-version", version]));
        assert_eq!(text.matches("\nkind: CustomResourceDefinition").count(), 2, "{version}");
        text.matches("\nkind: MutatingAdmissionPolicy").count()
    };
    assert_eq!((policies("1.36.0"), policies("1.35.4"), policies("1.33.0-gke.1")), (2, 0, 0));
    assert!(refused(&template(&["--kube-version", "1.32.9"])).contains(">=1.33.0-0"));
}

/// A rule and a dashboard in which braces are for Prometheus and Grafana.
const BRACED: [(&str, &str); 2] = [
    (
        "rules/braced.yaml",
        "groups:\n- name: braced\n  rules:\n  - alert: Braced\n    expr: up == 0\n    annotations:\n      \
         description: '{{ $labels.pod }} at {{ $value | humanizePercentage }}'\n",
    ),
    ("dashboards/a_board.json", "{\n  \"title\": \"{{pod}}: {{ .Values.nonsense }}\"\n}\n"),
];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).expect("a copy")),
        }
    }
}

/// Texts of a folder in the order of their names.
fn texts(folder: &Path, ending: &str) -> Vec<String> {
    let all = std::fs::read_dir(folder).expect("a folder").flatten().map(|file| file.path());
    let mut all: Vec<_> = all.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    all.sort();
    all.iter().map(|path| std::fs::read_to_string(path).expect("a file")).collect()
}

#[test]
fn rules_and_dashboards_are_taken_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&chart(), folder.path());
    let files = folder.path().join("files");
    for (name, text) in BRACED {
        std::fs::write(files.join(name), text).expect("a file");
    }
    let all = rendered_of(folder.path(), &folder.path().join("ci/all-values.yaml"));
    let of = |template: &str| -> Vec<&Value> {
        all.iter().filter(|it| it.template == template).map(|it| &it.object).collect()
    };
    let rules = of("rules.yaml");
    let expect = texts(&files.join("rules"), ".yaml");
    let expect: Vec<Value> = expect.iter().map(|text| serde_saphyr::from_str(text).expect("YAML")).collect();
    assert_eq!(rules.iter().map(|rule| rule["spec"].clone()).collect::<Vec<_>>(), expect);
    for rule in &rules {
        assert_eq!(rule["metadata"]["labels"]["release"], "kube-prometheus-stack");
    }
    let expect = texts(&files.join("dashboards"), ".json");
    let boards = of("dashboards.yaml");
    let shown = boards.iter().flat_map(|board| board["data"].as_object().expect("a board").values());
    assert_eq!(shown.map(|text| text.as_str().expect("text")).collect::<Vec<_>>(), expect);
    for board in &boards {
        assert_eq!(board["metadata"]["labels"]["grafana_dashboard"], "1");
    }
    assert!(boards.iter().any(|board| board["metadata"]["name"] == "plimsoll-dashboard-a-board"));
}
