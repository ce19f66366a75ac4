//! Knobs, seen by real runners of a monorepo's tasks: turbo, nx and pnpm, with three packages whose steps show how many
//! of them ran at once. `dev/tools` installs the runners; a test whose tool is missing says so and ends.

#[allow(dead_code)]
mod common;
#[allow(dead_code)]
mod tools;

use common::{Bench, cgroups};
use std::fs;
use tools::{ONE_JOB, STEPS, at_once, falls_after_a_death, link_modules, tool, write};

const TURBO_JSON: &str = r#""tasks": {"build": {"cache": false}}"#;
const TURBO_ENV: (&str, &str) = ("TURBO_TELEMETRY_DISABLED", "1");
/// No daemon, nothing remembered, nothing sent.
const NX_ENV: [(&str, &str); 4] =
    [("NX_DAEMON", "false"), ("NX_SKIP_NX_CACHE", "true"), ("NX_NO_CLOUD", "true"), ("DO_NOT_TRACK", "1")];

/// A workspace of three packages: package.json for turbo and pnpm, project.json for nx, which saves it npm.
fn workspace(root: &str) -> Bench {
    let bench = Bench::new();
    write(&bench, &[("plimsoll.yaml", ONE_JOB), ("package.json", root)]);
    for name in ["a", "b", "c"] {
        let step = format!("sh {}", bench.path("step.sh").display());
        let package =
            format!(r#"{{"name": "{name}", "version": "1.0.0", "scripts": {{"build": "{step}"}}}}"#);
        let project = format!(r#"{{"name": "{name}", "targets": {{"build": {{"command": "{step}"}}}}}}"#);
        write(
            &bench,
            &[
                (&format!("packages/{name}/package.json"), &package),
                (&format!("packages/{name}/project.json"), &project),
            ],
        );
    }
    bench
}

fn turbo() -> Option<(String, Bench)> {
    let turbo = tool("node/node_modules/.bin/turbo")?;
    let root = r#"{"private": true, "workspaces": ["packages/*"], "packageManager": "npm@10.0.0"}"#;
    let bench = workspace(root);
    write(&bench, &[("turbo.json", &format!("{{{TURBO_JSON}}}"))]);
    Some((turbo, bench))
}

fn nx() -> Option<(String, Bench)> {
    let nx = tool("node/node_modules/.bin/nx")?;
    let bench = workspace(r#"{"private": true}"#);
    link_modules(&bench);
    write(&bench, &[("nx.json", "{}")]);
    Some((nx, bench))
}

#[test]
fn turbo_runs_as_many_tasks_as_there_are_jobs() {
    let Some((turbo, bench)) = turbo() else { return };
    let command = [turbo.as_str(), "run", "build"];
    assert_eq!(at_once(&bench, &[TURBO_ENV], &command, 1), 1);
    let user = [TURBO_ENV, ("TURBO_CONCURRENCY", "3")];
    assert_eq!(at_once(&bench, &user, &command, STEPS), STEPS, "the user's variable");
    write(&bench, &[("turbo.json", &format!(r#"{{"concurrency": "3", {TURBO_JSON}}}"#))]);
    assert_eq!(at_once(&bench, &[TURBO_ENV], &command, STEPS), STEPS, "the project's own number");
}

#[test]
fn turbo_s_tasks_see_the_truth_too() {
    let Some((turbo, bench)) = turbo() else { return };
    let see = "node -e \\\"require('fs').writeFileSync('seen', String(require('os').totalmem()))\\\"";
    let package = format!(r#"{{"name": "a", "version": "1.0.0", "scripts": {{"build": "{see}"}}}}"#);
    write(&bench, &[("packages/a/package.json", &package)]);
    let mut run = bench.command(&["--limit", "1GiB"], &[&turbo, "run", "build", "--filter=a"]);
    let output = run.env(TURBO_ENV.0, TURBO_ENV.1).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(fs::read_to_string(bench.path("packages/a/seen")).unwrap(), (1u64 << 30).to_string());
}

#[test]
fn nx_runs_as_many_tasks_as_there_are_jobs() {
    let Some((nx, bench)) = nx() else { return };
    let command = [nx.as_str(), "run-many", "-t", "build"];
    assert_eq!(at_once(&bench, &NX_ENV, &command, 1), 1);
    let user = [&NX_ENV[..], &[("NX_PARALLEL", "3")]].concat();
    assert_eq!(at_once(&bench, &user, &command, STEPS), STEPS, "the user's variable");
    write(&bench, &[("nx.json", r#"{"parallel": 3}"#)]);
    assert_eq!(at_once(&bench, &NX_ENV, &command, STEPS), STEPS, "the project's own number");
}

/// `own` is the file that this pnpm lets its variable beat, and the number three in it.
fn pnpm_runs_as_many_packages_as_there_are_jobs(program: &str, variable: &str, own: (&str, &str)) {
    let Some(program) = tool(program) else { return };
    let bench = workspace(r#"{"private": true}"#);
    write(&bench, &[("pnpm-workspace.yaml", "packages: ['packages/*']\n"), ("bin/README", "")]);
    std::os::unix::fs::symlink(fs::canonicalize(program).unwrap(), bench.path("bin/pnpm")).unwrap();
    let path = format!("{}:{}", bench.path("bin").display(), std::env::var("PATH").unwrap());
    let env = [("PATH", path.as_str())];
    // Without the preload, which tells a pnpm that is Node of one core already.
    let command = ["env", "-u", "NODE_OPTIONS", "pnpm", "-r", "build"];
    assert_eq!(at_once(&bench, &env, &command, 1), 1);
    assert_eq!(at_once(&bench, &[env[0], (variable, "3")], &command, STEPS), STEPS, "the user's variable");
    write(&bench, &[own]);
    assert_eq!(at_once(&bench, &env, &command, STEPS), STEPS, "the project's own number");
}

#[test]
fn pnpm_10_runs_as_many_packages_as_there_are_jobs() {
    pnpm_runs_as_many_packages_as_there_are_jobs(
        "node/node_modules/pnpm-10/bin/pnpm.cjs",
        "npm_config_workspace_concurrency",
        (".npmrc", "workspace-concurrency=3\n"),
    );
}

#[test]
fn pnpm_12_runs_as_many_packages_as_there_are_jobs() {
    pnpm_runs_as_many_packages_as_there_are_jobs(
        "node/node_modules/pnpm/pnpm",
        "PNPM_CONFIG_WORKSPACE_CONCURRENCY",
        ("pnpm-workspace.yaml", "packages: ['packages/*']\nworkspaceConcurrency: 3\n"),
    );
}

#[test]
fn turbo_s_number_falls_after_a_death() {
    let Some((turbo, bench)) = turbo().filter(|_| cgroups()) else { return };
    falls_after_a_death(&bench, &[TURBO_ENV], &[&turbo, "run", "build", "--concurrency=3"]);
}

#[test]
fn nx_s_number_falls_after_a_death() {
    let Some((nx, bench)) = nx().filter(|_| cgroups()) else { return };
    falls_after_a_death(&bench, &NX_ENV, &[&nx, "run-many", "-t", "build", "--parallel=3"]);
}
