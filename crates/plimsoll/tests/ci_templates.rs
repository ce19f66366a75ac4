//! The component of GitLab and the action of GitHub, as CI runs them: by gitlab-ci-local, which merges pipelines, checks them against GitLab's
//! schema, runs jobs and keeps caches; by actionlint; and by the shell that the action's steps are for.

mod common;

use common::{PLIMSOLL, eater, tools};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A repository with these files, all committed.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), &["init", "-q", "-b", "main"]);
    git(folder.path(), &["remote", "add", "origin", "git@gitlab.com:group/app.git"]);
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    commit(folder.path());
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("written");
}

fn commit(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "as it is"]);
}

fn git(folder: &Path, args: &[&str]) {
    let done = Command::new("git").args(args).current_dir(folder).output().expect("git starts");
    assert!(done.status.success(), "git {args:?}: {}", said(&done));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// gitlab-ci-local in a repository; whatever a job's image is, its shell is this machine's.
fn gitlab(folder: &Path, args: &[&str]) -> Output {
    let program = tools().join("gitlab-ci/node_modules/gitlab-ci-local/src/index.js");
    assert!(program.exists(), "gitlab-ci-local is not there\nmake tools gets it");
    let mut command = Command::new("node");
    command.arg(program).args(["--no-color", "--force-shell-executor", "--shell-isolation", "--home"]);
    command.arg(folder.join(".git/home")).args(args).current_dir(folder).stdin(Stdio::null());
    command.env_remove("PLIMSOLL_STORE").env_remove("CI").output().expect("node starts")
}

/// A pipeline with all that it includes, as gitlab-ci-local puts it together.
fn merged(folder: &Path) -> Value {
    let done = gitlab(folder, &["--preview"]);
    assert!(done.status.success(), "{}", said(&done));
    serde_saphyr::from_str(&String::from_utf8_lossy(&done.stdout)).expect("YAML")
}

#[test]
fn a_job_of_the_component_remembers_also_what_failed() {
    let whole = fs::read_to_string(root().join("templates/build/template.yml")).expect("the template");
    // With an image gitlab-ci-local tells a job that its project is where that would have it, also where no image is used.
    let template = whole.replace("  image: $[[ inputs.image ]]\n", "");
    assert_ne!(template, whole);
    let pipeline = format!(
        "include:\n  - local: templates/build/template.yml\n    inputs:\n      job: compile\n      image: debian:12\n      \
         command: sh build.sh\n      plimsoll: {PLIMSOLL}\n      version: {}\n      memory_limit: 2Gi\nstages: [build]\n",
        env!("CARGO_PKG_VERSION")
    );
    let repository = repository(&[
        ("templates/build/template.yml", &template),
        (".gitlab-ci.yml", &pipeline),
        ("build.sh", "test -e source && echo built > out\n"),
    ]);
    let folder = repository.path();
    let first = gitlab(folder, &["compile"]);
    assert!(!first.status.success() && said(&first).contains("cache created"), "{}", said(&first));
    write(folder, "source", "");
    commit(folder);
    let second = gitlab(folder, &["compile"]);
    assert!(second.status.success() && said(&second).contains("imported cache"), "{}", said(&second));

    let store = folder.join(".gitlab-ci-local/cache/plimsoll-compile/.plimsoll");
    let jobs =
        Command::new(PLIMSOLL).args(["jobs", "-o", "json", "--store"]).arg(store).output().expect("starts");
    let jobs: Value = serde_json::from_slice(&jobs.stdout).expect("JSON");
    let expect = serde_json::json!([["group/app", "compile", "sh build.sh", 2, "succeeded"]]);
    let seen = |job: &Value| {
        serde_json::json!([job["project"], job["job"], job["command"], job["runs"], job["outcome"]])
    };
    assert_eq!(Value::from_iter(jobs.as_array().expect("a list").iter().map(seen)), expect);

    let checked = Command::new(PLIMSOLL).args(["check", "."]).current_dir(folder).output().expect("starts");
    assert!(checked.status.success() && said(&checked).ends_with("nothing found\n"), "{}", said(&checked));
}

#[test]
fn what_is_rendered_is_merged_and_taken_back() {
    let pipeline = "include:\n  - local: plimsoll.gitlab-ci.yml\ndefault:\n  cache: {key: npm, paths: [.npm]}\n\
                    build:\n  image: debian:12\n  variables: {A: b}\n  script: [plimsoll run -- make]\n";
    let repository = repository(&[
        (".gitlab-ci.yml", pipeline),
        ("plimsoll.gitlab-ci.yml", ".plimsoll: {variables: {}}\n"),
    ]);
    let folder = repository.path();
    let plimsoll = |args: &[&str]| {
        let mut command = Command::new(PLIMSOLL);
        command.args(args).current_dir(folder).env("PLIMSOLL_STORE", folder.join(".git/store"));
        let done = command
            .envs([("CI_PROJECT_PATH", "group/app"), ("CI_JOB_NAME", "build")])
            .output()
            .expect("starts");
        assert!(done.status.success(), "{}", said(&done));
    };
    plimsoll(&["run", "--limit", "1GiB", "--", &eater().display().to_string(), "40", "100", "300"]);
    let before = merged(folder);
    let render = ["render", "runner", "--ci", ".gitlab-ci.yml", "--values", ".git/values.yaml", "--out", "."];
    write(folder, ".git/values.yaml", "runners:\n  config: |\n    [[runners]]\n      [runners.kubernetes]\n");
    plimsoll(&[&render[..], &["--min-runs", "1"]].concat());
    let applied = merged(folder);
    let job = &applied["build"];
    assert_eq!(job["variables"]["A"], "b");
    assert!(
        job["variables"]["KUBERNETES_MEMORY_LIMIT"].as_str().is_some_and(|limit| limit.ends_with("Mi")),
        "{job}"
    );
    assert_eq!(
        job["retry"],
        serde_json::json!({"max": 2, "when": ["runner_system_failure"], "exit_codes": [86, 137]})
    );
    assert_eq!(
        (&job["cache"][0]["key"], &job["cache"][1]["when"]),
        (&"npm".into(), &"always".into()),
        "{job}"
    );
    plimsoll(&[&render[..], &["--undo"]].concat());
    assert_eq!(merged(folder), before);
}

#[test]
fn the_action_is_called_as_it_is_written() {
    let workflow = fs::read_to_string(root().join("examples/github-actions/build.yml")).expect("the example");
    let version = env!("CARGO_PKG_VERSION");
    let here = workflow.replace(&format!("plimsoll-dev/plimsoll@v{version}"), "./");
    assert_ne!(here, workflow, "the example calls the action of this version");
    let action = fs::read_to_string(root().join("action.yml")).expect("the action");
    let repository = repository(&[("action.yml", &action), (".github/workflows/build.yml", &here)]);
    let lint = |expect: Option<&str>| {
        let done = Command::new(tools().join("bin/actionlint")).current_dir(repository.path()).output();
        let done = done.unwrap_or_else(|error| panic!("actionlint: {error}\nmake tools gets it"));
        assert_eq!(done.status.success(), expect.is_none(), "{}", said(&done));
        assert!(said(&done).contains(expect.unwrap_or_default()), "{}", said(&done));
    };
    lint(None);
    write(repository.path(), ".github/workflows/build.yml", &here.replace("command:", "comand:"));
    lint(Some("missing input \"command\""));
}

/// The action's steps for a shell, one after the other, as GitHub runs them; caches are the folder, which stays.
#[test]
fn the_action_builds_and_remembers() {
    let action: Value =
        serde_saphyr::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let given = [
        ("command", "test -e source\necho built | cat > out"),
        ("job", "build, all"),
        ("binary", PLIMSOLL),
        ("limit", "1GiB"),
    ];
    let mut inputs: BTreeMap<String, String> = BTreeMap::new();
    for (name, input) in action["inputs"].as_object().unwrap() {
        let default = input["default"].as_str().unwrap_or_default().to_string();
        let set = given.iter().find(|(given, _)| given == name).map(|(_, value)| value.to_string());
        inputs.insert(format!("inputs.{name}"), set.unwrap_or(default));
    }
    let run = |expect: i32| {
        let mut known = inputs.clone();
        let mut path = std::env::var("PATH").unwrap();
        let mut code = 0;
        for step in action["runs"]["steps"].as_array().unwrap() {
            let Some(script) = step["run"].as_str() else { continue };
            let (added, said) = (folder.path().join("path"), folder.path().join("output"));
            fs::write(&added, "").unwrap();
            fs::write(&said, "").unwrap();
            let mut bash = Command::new("bash");
            bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(folder.path());
            for (name, value) in step["env"].as_object().unwrap() {
                bash.env(name, evaluated(value.as_str().unwrap(), &known));
            }
            bash.env("PATH", &path).env("RUNNER_TEMP", folder.path()).env("GITHUB_WORKSPACE", folder.path());
            bash.env("GITHUB_PATH", &added).env("GITHUB_OUTPUT", &said).env("GITHUB_REPOSITORY", "group/app");
            code = bash.status().unwrap().code().unwrap();
            let id = step["id"].as_str().unwrap();
            for line in fs::read_to_string(&said).unwrap().lines() {
                let (name, value) = line.split_once('=').unwrap();
                known.insert(format!("steps.{id}.outputs.{name}"), value.to_string());
            }
            path = format!("{}:{path}", fs::read_to_string(&added).unwrap().trim());
        }
        assert_eq!(code, expect);
        assert_eq!(known["steps.binary.outputs.key"], "plimsoll-build--all");
        let report: Value =
            serde_json::from_str(&fs::read_to_string(&known["steps.run.outputs.report"]).unwrap()).unwrap();
        assert_eq!(report["schema"], "plimsoll.run/1");
        PathBuf::from(&known["steps.binary.outputs.store"])
    };
    run(1);
    write(folder.path(), "source", "");
    let store = run(0);
    let jobs = Command::new(PLIMSOLL).args(["jobs", "-o", "json", "--store"]).arg(store).output().unwrap();
    let jobs: Value = serde_json::from_slice(&jobs.stdout).unwrap();
    assert_eq!((&jobs[0]["job"], &jobs[0]["runs"]), (&"build, all".into(), &2.into()), "{jobs}");
}

/// `${{ inputs.x }}` and the like put in.
fn evaluated(text: &str, known: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_string() };
    let (name, after) = rest.split_once("}}").expect("it ends");
    let value = known.get(name.trim()).unwrap_or_else(|| panic!("{name} is not known"));
    format!("{before}{value}{}", evaluated(after, known))
}
