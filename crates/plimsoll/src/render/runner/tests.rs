//! What is written, by example; and that what was is had back, whatever it was.

use super::now::{PipelineNow, pipeline};
use super::values::Before;
use super::{CI_FILE, ci};
use plimsoll_core::runner::{JobSize, Size};
use plimsoll_core::size::MIB;
use plimsoll_lint::document::{Node, yaml};
use plimsoll_lint::project::{Files, Project};
use plimsoll_lint::source::Source;
use proptest::prelude::*;
use std::collections::BTreeMap;

const VALUES: &str = "\
gitlabUrl: https://gitlab.example.com/
runners:
  config: |
    [[runners]]
      name = \"kubernetes\"
      executor = \"kubernetes\"
      [runners.kubernetes]
        namespace = \"{{ .Release.Namespace }}\"
        memory_request = \"1Gi\"
        memory_limit = \"2Gi\" # too little
        [runners.kubernetes.node_selector]
          pool = \"ci\"
";

fn sized(job: &str, request_mib: u64, limit_mib: u64) -> JobSize {
    let evidence =
        vec![format!("npm run {job}: highest of 3 runs in mode critical: 1.9 GiB; 2 died in 2.0 GiB")];
    let size = Size {
        request_bytes: request_mib * MIB,
        limit_bytes: limit_mib * MIB,
        peak_bytes: 1950 * MIB,
        peaks: 3,
        evidence,
    };
    let (project, job) = ("group/app".to_string(), job.to_string());
    JobSize { project, job, is_named: true, runs: 5, kills: 2, size: Ok(size) }
}

fn unsized_job(job: &str) -> JobSize {
    let size = Err("make: 1 run has passed alike (peak 1.0 GiB), of 3".to_string());
    JobSize { size, runs: 1, kills: 0, ..sized(job, 1, 1) }
}

/// Files by name.
struct Texts(BTreeMap<String, String>);

impl Files for Texts {
    fn read(&self, name: &str) -> Option<String> {
        self.0.get(name.trim_start_matches("./")).cloned()
    }

    fn names(&self, _: &str) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

fn texts(ours: Option<&str>, others: &[(&str, &str)]) -> Texts {
    let others = others.iter().map(|(name, text)| (name.to_string(), text.to_string()));
    Texts(others.chain(ours.map(|text| (CI_FILE.to_string(), text.to_string()))).collect())
}

fn root(text: &str) -> Source {
    Source { name: ".gitlab-ci.yml".into(), text: text.into() }
}

fn now(text: &str, others: &[(&str, &str)]) -> PipelineNow {
    pipeline(root(text), &texts(None, others)).unwrap()
}

/// Each job's variables, retry and cache, as GitLab merges them.
fn effective(text: &str, ours: Option<&str>, others: &[(&str, &str)]) -> BTreeMap<String, String> {
    let project = Project::of(vec![root(text)], &texts(ours, others));
    assert_eq!(project.syntax, vec![], "{text}\n{ours:?}");
    let shown = |node: Option<&Node>| node.map(super::yaml::flow);
    let jobs = project.jobs.iter().filter(|job| !job.name.starts_with('.'));
    jobs.map(|job| {
        let variables: BTreeMap<&str, Option<&str>> =
            job.variants[0].iter().map(|variable| (variable.name.as_str(), variable.value.text())).collect();
        let (retry, cache) = (shown(job.node.get("retry")), shown(job.node.get("cache")));
        (job.name.clone(), format!("{variables:?} {retry:?} {cache:?}"))
    })
    .collect()
}

fn before(config: Option<&str>) -> Before {
    Before {
        name: Some("values.yaml".into()),
        config: config.map(String::from),
        asked_limit_bytes: None,
        asked_request_bytes: None,
    }
}

#[test]
fn values_keep_what_is_there() {
    let before = before(super::now::config(VALUES).unwrap().as_deref());
    let changes = before.changes(&[sized("build", 1984, 2688), unsized_job("lint")]).unwrap();
    insta::assert_snapshot!("values", before.overlay(&changes).unwrap());
    insta::assert_snapshot!("values_undo", before.undo());
}

#[test]
fn values_of_nothing() {
    let before = Before { name: None, ..before(None) };
    let changes = before.changes(&[sized("build", 1984, 2688)]).unwrap();
    insta::assert_snapshot!("values_new", before.overlay(&changes).unwrap());
    insta::assert_snapshot!("values_new_undo", before.undo());
}

const PIPELINE: &str = "\
include:
  - local: plimsoll.gitlab-ci.yml
default:
  cache:
    key: {files: [package-lock.json]}
    paths: [.npm]
variables:
  KUBERNETES_MEMORY_REQUEST: 1Gi
build:
  script: [plimsoll run -- npm run build]
tsc:
  variables: {KUBERNETES_MEMORY_LIMIT: 8Gi}
  retry: {max: 1, when: runner_system_failure}
  cache: {key: own, paths: [.plimsoll/]}
  script: [plimsoll run -- npm run tsc]
lint:
  script: [make]
";

#[test]
fn jobs_keep_what_is_there() {
    let jobs =
        [sized("build", 1984, 2688), sized("gone", 64, 64), unsized_job("lint"), sized("tsc", 1024, 1216)];
    let now = now(PIPELINE, &[]);
    let written = ci::include(&jobs, Some(&now), &[]);
    insta::assert_snapshot!("ci", written.text);
    insta::assert_snapshot!("ci_notes", written.notes.join("\n"));
    insta::assert_snapshot!("ci_undo", ci::undo(&jobs, &now));
    let after = effective(PIPELINE, Some(&written.text), &[]);
    assert!(after["build"].contains("\"KUBERNETES_MEMORY_LIMIT\": Some(\"2688Mi\")"), "{}", after["build"]);
    assert!(
        after["build"].contains(".npm") && after["build"].contains("plimsoll-$CI_JOB_NAME_SLUG"),
        "{}",
        after["build"]
    );
    assert!(!after.contains_key("gone"));
}

#[test]
fn jobs_that_cannot_be_seen() {
    let jobs = [sized("build", 1984, 2688), sized("far", 64, 128)];
    let text = "include: [{remote: 'https://x/y.yml'}]\nbuild: {script: [make]}\n";
    let check = |named: &[&str], expect: &[&str]| {
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        let written = ci::include(&jobs, Some(&now(text, &[])), &named);
        let (documents, _) = yaml::parse(0, &written.text);
        let keys: Vec<&str> = documents[0].entries().iter().filter_map(|(key, _)| key.text()).collect();
        assert_eq!(keys, expect);
    };
    check(&[], &[".plimsoll", "build"]);
    check(&["build", "far"], &[".plimsoll", "build", "far"]);
    let unnamed = JobSize { is_named: false, ..sized("npx tsc", 64, 128) };
    assert_eq!(ci::include(&[unnamed], None, &[]).notes.len(), 1);
}

#[test]
fn what_comes_from_a_shell_stays_a_comment() {
    let mut job = sized("a\nb: {{ x }}", 64, 128);
    job.size.as_mut().unwrap().evidence[0].push_str("\nscript: [rm]");
    let written = ci::include(&[job.clone()], None, &[]);
    let (documents, error) = yaml::parse(0, &written.text);
    assert_eq!((error, documents[0].entries().len()), (None, 2));
    let before = before(Some("[[runners]]\n[runners.kubernetes]\n"));
    let text = before.overlay(&before.changes(&[job]).unwrap()).unwrap();
    assert!(!text.contains("{{") && super::now::config(&text).unwrap().is_some());
}

/// A pipeline of pieces, with a file that it includes.
fn pipelines() -> impl Strategy<Value = (String, String)> {
    let amount = prop_oneof!["[1-9]Gi", "[1-9]00Mi", Just("2147483648".to_string())];
    let variables = |name: &'static str| {
        prop::option::of((Just(name), amount.clone()))
            .prop_map(|of| of.map(|(name, value)| format!("{name}: {value}")))
    };
    let retry = prop_oneof![
        Just(""),
        Just("  retry: 2\n"),
        Just("  retry: {max: 1, when: [runner_system_failure]}\n"),
        Just("  retry: {max: 2, when: always}\n"),
        Just("  retry: {exit_codes: 137, max: 2}\n"),
    ];
    let cache = prop_oneof![
        Just(""),
        Just("  cache: {key: a, paths: [a/*, b]}\n"),
        Just("  cache: [{key: a, paths: [a]}, {key: p, paths: [.plimsoll]}]\n"),
        Just("  cache: []\n"),
        Just(
            "  cache: [{key: a, paths: [a]}, {key: b, paths: [a]}, {key: c, paths: [a]}, {key: d, paths: [a]}]\n"
        ),
    ];
    let job = (variables("KUBERNETES_MEMORY_LIMIT"), variables("KUBERNETES_MEMORY_REQUEST"), retry, cache)
        .prop_map(|(limit, request, retry, cache)| {
            let all: Vec<String> = limit.into_iter().chain(request).chain(["A: b".to_string()]).collect();
            format!("  variables: {{{}}}\n{retry}{cache}", all.join(", "))
        });
    (job.clone(), job.clone(), job.clone(), job, any::<bool>(), any::<bool>()).prop_map(
        |(default, parent, own, included, is_defaulted, extends)| {
            let default = if is_defaulted {
                default.lines().filter(|line| !line.contains("variables")).map(|line| format!("{line}\n")).collect()
            } else {
                String::new()
            };
            let default = if default.is_empty() { default } else { format!("default:\n{default}") };
            let extends = if extends { "  extends: .parent\n" } else { "" };
            let root = format!(
                "include: [{{local: other.yml}}, {{local: {CI_FILE}}}]\nvariables: {{KUBERNETES_MEMORY_LIMIT: 3Gi}}\n{default}\
                 .parent:\n{parent}one:\n{extends}{own}  script: [make]\ntwo:\n{extends}  script: [make]\n"
            );
            (root, format!("three:\n{included}  script: [make]\n"))
        },
    )
}

proptest! {
    #[test]
    fn a_pipeline_that_was_undone_is_what_it_was((root, other) in pipelines()) {
        let others = [("other.yml", other.as_str())];
        let jobs = [sized("one", 1024, 2048), sized("three", 64, 64), sized("two", 512, 1024)];
        let before = effective(&root, Some(".plimsoll: {}"), &others);
        // What is set now is the same whether ours is in it already or not.
        let once = ci::include(&jobs, Some(&now(&root, &others)), &[]);
        let with_ours = texts(Some(&once.text), &others);
        let seen = pipeline(self::root(&root), &with_ours).unwrap();
        prop_assert_eq!(&ci::include(&jobs, Some(&seen), &[]), &once);

        let applied = effective(&root, Some(&once.text), &others);
        prop_assert!(applied["two"].contains("\"KUBERNETES_MEMORY_LIMIT\": Some(\"1Gi\")"), "{}", applied["two"]);
        // Nothing that a job has kept from run to run is lost.
        for (name, was) in &before {
            for path in ["a/*", "key: b", "key: c", "key: d"] {
                prop_assert!(!was.contains(path) || applied[name].contains(path), "{name}: {was}\n{}", applied[name]);
            }
        }
        prop_assert_eq!(effective(&root, Some(&ci::undo(&jobs, &seen)), &others), before);
    }

    #[test]
    fn values_that_were_undone_are_what_they_were(
        keys in prop::collection::btree_set(0usize..8, 0..8), indent in 0usize..5, ends in 0usize..3, two: bool,
    ) {
        let all = ["namespace = \"{{ .Release.Namespace }}\"", "memory_limit = \"2Gi\" # x", "memory_request = '1Gi'",
            "memory_limit_overwrite_max_allowed = \"9Gi\"", "helper_memory_limit = \"300Mi\"", "# text: [", "hosts = [\n\"a\",\n]", "poll = 1"];
        let pad = " ".repeat(indent);
        let one = |name: &str| {
            let keys: String = keys.iter().map(|key| format!("{pad}{}\n", all[*key])).collect();
            format!("[[runners]]\n{pad}name = \"{name}\"\n{pad}[runners.kubernetes]\n{keys}{pad}[runners.kubernetes.node_selector]\n{pad}a = \"b\"\n\n")
        };
        let config = one("a") + &if two { one("b") } else { String::new() };
        let config = format!("{}{}", config.trim_end(), "\n".repeat(ends));
        let values = format!("a: 1\nrunners:\n  config:{}", super::yaml::block(&config, 4));
        let read = super::now::config(&values).unwrap();
        prop_assert_eq!(read.as_deref(), Some(config.as_str()));
        let before = before(read.as_deref());
        let jobs = [sized("one", 1024, 4096)];
        let overlay = before.overlay(&before.changes(&jobs).unwrap()).unwrap();
        let applied = super::now::config(&overlay).unwrap().unwrap();
        // Every line that was there is there, but for the values that are set.
        for line in config.lines().filter(|line| !line.contains("memory_")) {
            prop_assert!(applied.contains(line), "{line}\n{applied}");
        }
        // Laid over what was applied before, nothing changes any more but the words of the reasons.
        let again = self::before(Some(&applied));
        prop_assert!(again.changes(&jobs).unwrap().iter().all(|changed| changed.settings.is_empty()));
        let undone = super::now::config(&before.undo()).unwrap();
        prop_assert_eq!(undone.as_deref(), Some(config.as_str()));
    }
}
