//! `plimsoll render runner` by the built binary: from real runs to files that `plimsoll check` finds nothing in, and back.

mod common;

use common::{PLIMSOLL, eater};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PIPELINE: &str = "\
include:
  - local: plimsoll.gitlab-ci.yml
build:web:
  script: [plimsoll run -- make]
lint:
  script: [make lint]
";
const VALUES: &str = "\
gitlabUrl: https://gitlab.example.com/
runners:
  config: |
    [[runners]]
      name = \"kubernetes\"
      [runners.kubernetes]
        namespace = \"{{ .Release.Namespace }}\"
        memory_request = \"32Mi\"
        memory_limit = \"64Mi\"
";

/// A folder as a project has it, without a store.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".gitlab-ci.yml"), PIPELINE).expect("written");
    fs::write(folder.path().join("values.yaml"), VALUES).expect("written");
    folder
}

/// Runs as a CI job does, in 160 MiB.
fn run_job(folder: &Path, job: &str, times: usize) {
    for _ in 0..times {
        let mut run = Command::new(PLIMSOLL);
        run.args(["run", "--limit", "160MiB", "--"])
            .arg(eater())
            .args(["90", "200", "300"])
            .current_dir(folder);
        run.envs([("CI", "true"), ("CI_PROJECT_PATH", "group/app"), ("CI_JOB_NAME", job)]);
        run.env("CI_PROJECT_DIR", folder).env_remove("PLIMSOLL_STORE").env_remove("NODE_OPTIONS");
        let done = run.output().expect("plimsoll starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn plimsoll(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(PLIMSOLL);
    command.args(args).current_dir(folder).env_remove("PLIMSOLL_STORE").env("CI", "true");
    command.env("CI_PROJECT_DIR", folder).output().expect("plimsoll starts")
}

fn render(folder: &Path, args: &[&str]) -> Output {
    plimsoll(folder, &[&["render", "runner"], args].concat())
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const NOW: [&str; 4] = ["--values", "values.yaml", "--ci", ".gitlab-ci.yml"];

#[test]
fn what_real_runs_took_is_what_files_say() {
    let project = project();
    let folder = project.path();
    run_job(folder, "build:web", 3);
    run_job(folder, "lint", 1);
    run_job(folder, "build:gone", 3);

    let buildkit = ["--buildkit-memory", "4GiB", "--out", "."];
    let done = render(folder, &[&NOW[..], &buildkit].concat());
    assert!(done.status.success(), "{}", err(&done));
    assert_eq!(
        String::from_utf8_lossy(&done.stdout),
        "./runner-values.yaml\n./plimsoll.gitlab-ci.yml\n./buildkitd.toml\n"
    );
    assert!(
        err(&done).contains("lint: no size yet: ")
            && err(&done).contains("build:gone: not in .gitlab-ci.yml"),
        "{}",
        err(&done)
    );

    // What was measured, between what was touched and what it ran in.
    let ci = read(folder, "plimsoll.gitlab-ci.yml");
    let read_ci: Value = serde_saphyr::from_str(&ci).expect("YAML");
    let asked = &read_ci["build:web"]["variables"];
    let bytes = |text: &Value| text.as_str().unwrap().trim_end_matches("Mi").parse::<u64>().unwrap();
    let (request, limit) =
        (bytes(&asked["KUBERNETES_MEMORY_REQUEST"]), bytes(&asked["KUBERNETES_MEMORY_LIMIT"]));
    assert!((90..=192).contains(&request) && request <= limit && limit <= 192, "{ci}");
    assert!(read_ci.get("lint").is_none() && read_ci.get("build:gone").is_none(), "{ci}");
    assert!(ci.contains("# build:web: 3 runs, 0 kernel kills"), "{ci}");
    let values = read(folder, "runner-values.yaml");
    assert!(values.contains(&format!("memory_limit = \"{limit}Mi\"")), "{values}");
    assert!(values.contains("namespace = \"{{ .Release.Namespace }}\""), "{values}");
    assert!(read(folder, "buildkitd.toml").contains("max-parallelism = 2"));

    // Nothing is wrong with them: the runner is judged with what is laid over it.
    let check = plimsoll(
        folder,
        &["check", ".gitlab-ci.yml", "plimsoll.gitlab-ci.yml", "runner-values.yaml", "buildkitd.toml"],
    );
    let found = String::from_utf8_lossy(&check.stdout).into_owned() + &err(&check);
    assert_eq!((check.status.code(), found.as_str()), (Some(0), "4 files, nothing found\n"));

    // The same is written again, with what was written before in the pipeline.
    let before: Vec<String> =
        ["runner-values.yaml", "plimsoll.gitlab-ci.yml"].map(|name| read(folder, name)).into();
    assert!(render(folder, &[&NOW[..], &["--out", "."]].concat()).status.success());
    assert_eq!(
        ["runner-values.yaml", "plimsoll.gitlab-ci.yml"].map(|name| read(folder, name)).to_vec(),
        before
    );

    // And what was is had back.
    let undone = render(folder, &[&NOW[..], &["--undo", "--out", "."]].concat());
    assert!(undone.status.success(), "{}", err(&undone));
    let config = |name: &str| {
        serde_saphyr::from_str::<Value>(&read(folder, name)).expect("YAML")["runners"]["config"].clone()
    };
    assert_eq!(config("runner-values.yaml"), config("values.yaml"));
    assert!(read(folder, "plimsoll.gitlab-ci.yml").contains("# build:web: nothing was set"));
}

#[test]
fn decisions_for_programs() {
    let project = project();
    run_job(project.path(), "build:web", 1);
    let check = |args: &[&str], expect: bool| {
        let done = render(project.path(), &[&NOW[..], &["--format", "json"], args].concat());
        let json: Value =
            serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", err(&done)));
        assert_eq!(json["schema"], "plimsoll.runner/1");
        assert_eq!(json["jobs"][0]["limit_bytes"].is_u64(), expect, "{json}");
        assert_eq!(json["jobs"][0]["not_yet"].is_null(), expect, "{json}");
        let settings = json["runners"][0]["settings"].as_array().expect("settings");
        assert_eq!(
            settings.iter().any(|it| it["key"] == "memory_limit" && it["before"] == "64Mi"),
            expect,
            "{json}"
        );
    };
    check(&[], false);
    check(&["--min-runs", "1"], true);
}

#[test]
fn mistakes_are_told() {
    let project = project();
    let folder = project.path();
    let check = |args: &[&str], expect: &str| {
        let done = render(folder, args);
        assert!(!done.status.success() && err(&done).contains(expect), "{args:?}: {}", err(&done));
    };
    check(&[], "nothing is remembered in ");
    run_job(folder, "build:web", 1);
    check(&["--job", "other"], "no job 'other' is remembered");
    check(&["--project", "other"], "no job of project 'other' is remembered");
    check(&["--ci", "none.yml"], "none.yml: ");
    check(&["--values", "none.yaml"], "none.yaml: ");
    check(&["--min-runs", "0"], "at least 1");
    check(&["--buildkit-memory", "much"], "'much' is not a size");
    check(&["--format", "buildkitd"], "--buildkit-memory SIZE");
    check(&["--buildkit-memory", "4GiB"], "--out DIR");
    check(&["--undo"], "--undo: what was set before is not known");
    check(&["--undo", "--format", "json"], "leave --format out");
    fs::write(folder.join("odd.yaml"), "runners:\n  config: |\n    [[runners]\n").unwrap();
    check(&["--values", "odd.yaml"], "odd.yaml: runners.config: line 1: ");
    fs::write(folder.join("odd.yaml"), "runners: [\n").unwrap();
    check(&["--values", "odd.yaml"], "odd.yaml: line");
    fs::write(
        folder.join("odd.yaml"),
        "runners:\n  config: |\n    [[runners]]\n      executor = \"docker\"\n",
    )
    .unwrap();
    check(&["--values", "odd.yaml"], "odd.yaml: no runner under runners.config is one of Kubernetes");
    let mut run = Command::new(PLIMSOLL);
    run.args(["run", "--", "true"]).current_dir(folder).envs([
        ("CI", "true"),
        ("CI_PROJECT_PATH", "group/other"),
        ("CI_JOB_NAME", "x"),
    ]);
    assert!(run.env("CI_PROJECT_DIR", folder).env_remove("PLIMSOLL_STORE").status().unwrap().success());
    check(&[], "a pipeline is of one: group/app, group/other");
    fs::write(folder.join(".gitlab-ci.yml"), "lint:\n  script: [make]\n").unwrap();
    check(
        &["--ci", ".gitlab-ci.yml", "--job", "build:web"],
        "there is no job 'build:web' in .gitlab-ci.yml\nits jobs are: lint",
    );
}
