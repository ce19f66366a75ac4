//! `plimsoll check` as people call it: on what a team had before and after, in each form, and as it mends.

mod common;

use common::{PLIMSOLL, tools};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Files as people have them: before the team's change, and after it.
fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lint/corpus").join(name)
}

fn check(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(PLIMSOLL);
    command.arg("check").args(args).current_dir(folder).stdin(Stdio::null());
    command.output().expect("plimsoll starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", err(output)))
}

/// A copy that may be changed, in a folder of its own without a repository.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    copy_below(&corpus(name), folder.path());
    folder
}

fn copy_below(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).expect("made");
            copy_below(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("copied");
        }
    }
}

#[test]
fn what_was_wrong_is_found_and_what_is_right_is_not() {
    let before = check(&corpus("before"), &[]);
    assert_eq!(before.status.code(), Some(1), "{}", err(&before));
    insta::assert_snapshot!("before", out(&before));
    assert!(err(&before).contains("--explain"), "{}", err(&before));
    let after = check(&corpus("after"), &["--fail-on", "warning"]);
    assert_eq!(after.status.code(), Some(0), "{}{}", out(&after), err(&after));
}

#[test]
fn json_has_the_contract_and_no_more() {
    let output = check(&corpus("before"), &["-o", "json", ".gitlab-ci.yml"]);
    let answer = json(&output);
    let findings = answer["findings"].as_array().expect("a list");
    let keys: Vec<&String> = findings[0].as_object().expect("a map").keys().collect();
    assert_eq!(keys, ["column", "file", "fix", "line", "message", "rule", "severity"]);
    let refused = findings.iter().find(|finding| finding["rule"] == "node-options-refused").expect("found");
    let text = fs::read_to_string(corpus("before").join(".gitlab-ci.yml")).expect("a file");
    let line = text.lines().nth(refused["line"].as_u64().expect("a line") as usize - 1).expect("a line");
    let column = refused["column"].as_u64().expect("a column") as usize - 1;
    assert!(line[column..].starts_with("--optimize-for-size"), "{line}");
}

#[test]
fn severities_decide_how_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "build:\n  variables: {KUBERNETES_MEMORY_LIMIT: 2Gi}\n  script: [make -j$(nproc)]\n";
    fs::write(folder.path().join(".gitlab-ci.yml"), text).expect("written");
    let run = |args: &[&str], expect: i32| {
        let output = check(folder.path(), args);
        assert_eq!(output.status.code(), Some(expect), "{args:?} {}{}", out(&output), err(&output));
        output
    };
    run(&[], 0);
    run(&["--fail-on", "warning"], 1);
    run(&["--fail-on", "warning", "--allow", "jobs-by-nproc"], 0);
    run(&["--fail-on", "info"], 1);
    run(&["--fail-on", "never"], 0);
    run(&["--allow", "no-such-rule"], 125);
    run(&["missing.yml"], 125);
    let comment = text.replace(")]\n", ")] # plimsoll: allow jobs-by-nproc large nodes\n");
    fs::write(folder.path().join(".gitlab-ci.yml"), comment).expect("written");
    run(&["--fail-on", "info"], 0);
    fs::write(folder.path().join("notes.txt"), "x").expect("written");
    assert!(err(&run(&["notes.txt"], 0)).contains("notes.txt: nothing is known"));
    fs::write(folder.path().join("web.yaml"), "{{- if x }}\nkind: Pod\napiVersion: v1\n{{ end }}\n")
        .expect("written");
    assert!(err(&run(&["web.yaml"], 0)).contains("a template"));
    fs::write(folder.path().join("bad.gitlab-ci.yml"), "a: [\n").expect("written");
    assert!(
        out(&run(&["bad.gitlab-ci.yml", ".gitlab-ci.yml"], 1))
            .contains("bad.gitlab-ci.yml:1:4: error syntax")
    );
}

#[test]
fn stdin_has_a_name() {
    let mut command = Command::new(PLIMSOLL);
    command.args(["check", "-", "--stdin-name", "Dockerfile", "-o", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("plimsoll starts");
    let text = "FROM node:20\nENV NODE_OPTIONS=--gc-interval=100\n";
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), text.as_bytes()).expect("written");
    let answer = json(&child.wait_with_output().expect("it is over"));
    let finding = &answer["findings"][0];
    let seen = (&finding["rule"], &finding["file"], &finding["line"], &finding["column"]);
    assert_eq!(seen, (&"node-options-refused".into(), &"Dockerfile".into(), &2.into(), &18.into()));
}

#[test]
fn fixes_change_what_they_say_and_nothing_else() {
    let folder = copy("before");
    let path = folder.path().join(".gitlab-ci.yml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("rights");
    let before = fs::read_to_string(&path).expect("a file");
    let diff = check(folder.path(), &["--diff"]);
    assert_eq!(diff.status.code(), Some(0), "{}", err(&diff));
    assert_eq!(fs::read_to_string(&path).expect("a file"), before, "--diff changes nothing");
    insta::assert_snapshot!("diff", out(&diff));
    check(folder.path(), &["--fix"]);
    let after = fs::read_to_string(&path).expect("a file");
    assert_ne!(after, before);
    assert!(after.contains("# evicted nodes"), "{after}");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o640);
    // What patch makes of the diff is what --fix has written.
    let patched = copy("before");
    let mut patch = Command::new("patch");
    patch.args(["-s", "-p1"]).current_dir(patched.path()).stdin(Stdio::piped());
    let Ok(mut child) = patch.spawn() else { return eprintln!("skipped: there is no patch here") };
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), &diff.stdout).expect("written");
    assert!(child.wait().expect("it is over").success());
    for name in [".gitlab-ci.yml", "Dockerfile", "ci/memory-ladder.sh", "package.json", "k8s/web.yaml"] {
        let read = |folder: &Path| fs::read_to_string(folder.join(name)).expect("a file");
        assert_eq!(read(patched.path()), read(folder.path()), "{name}");
    }
    assert_eq!(out(&check(folder.path(), &["--diff"])), "", "nothing is left to mend");
}

/// GitLab tells new findings from old ones by fingerprints: lines above do not change them.
#[test]
fn code_quality_knows_findings_again() {
    let folder = copy("before");
    let fingerprints = || {
        let output = check(folder.path(), &["-o", "gitlab-codequality"]);
        let issues = json(&output);
        let all = issues.as_array().expect("a list").clone();
        for issue in &all {
            assert!(issue["description"].is_string() && issue["check_name"].is_string(), "{issue}");
            assert!(
                issue["location"]["path"].is_string() && issue["location"]["lines"]["begin"].is_u64(),
                "{issue}"
            );
            let known = ["info", "minor", "major", "critical", "blocker"];
            assert!(known.contains(&issue["severity"].as_str().unwrap_or_default()), "{issue}");
        }
        let mut prints: Vec<String> = all.iter().map(|issue| issue["fingerprint"].to_string()).collect();
        prints.sort();
        let count = prints.len();
        prints.dedup();
        assert_eq!(prints.len(), count, "each of its own");
        prints
    };
    let before = fingerprints();
    let path = folder.path().join(".gitlab-ci.yml");
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(&path, format!("# a line\n\n# more\n{text}")).expect("written");
    assert_eq!(fingerprints(), before);
}

#[test]
fn what_is_ignored_is_not_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    };
    let wrong = "FROM node:20\nENV NODE_OPTIONS=--gc-interval=100\n";
    write(".git/HEAD", "");
    write(".gitignore", "/out/\n");
    write("out/Dockerfile", wrong);
    write("node_modules/a/Dockerfile", wrong);
    write("a/Dockerfile", wrong);
    let answer = json(&check(folder.path(), &["-o", "json"]));
    let files: Vec<&str> =
        answer["findings"].as_array().expect("a list").iter().filter_map(|f| f["file"].as_str()).collect();
    assert_eq!(files, ["a/Dockerfile"]);
    let named = json(&check(folder.path(), &["-o", "json", "out/Dockerfile"]));
    assert_eq!(named["findings"].as_array().expect("a list").len(), 1);
}

#[test]
fn rules_are_listed_and_explained() {
    let list = out(&check(Path::new("."), &["--list"]));
    let names: Vec<&str> = list.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
    assert!(names.len() > 20, "{list}");
    for name in names {
        assert!(out(&check(Path::new("."), &["--explain", name])).starts_with(&format!("# {name}\n")));
    }
    assert_eq!(check(Path::new("."), &["--explain", "x"]).status.code(), Some(125));
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/check.md"))
        .expect("a page");
    for line in list.lines().skip(1) {
        let name = line.split(' ').next().unwrap_or_default();
        assert!(page.contains(&format!("[`{name}`](check/{name}.md)")), "docs/check.md has no {name}");
    }
}

/// Against the schema of SARIF itself, by ajv: `dev/tools` fetches both.
#[test]
fn sarif_is_as_its_schema_says() {
    let output = check(&corpus("before"), &["-o", "sarif"]);
    let log = json(&output);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in run["results"].as_array().expect("results") {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(
            region["startLine"].as_u64() >= Some(1) && region["startColumn"].as_u64() >= Some(1),
            "{result}"
        );
    }
    let folder = tools().join("sarif/node_modules");
    if !folder.is_dir() {
        return eprintln!("skipped: there is no schema of SARIF here, see dev/tools");
    }
    let script = "const Ajv = require('ajv');\
        const ajv = new Ajv({schemaId: 'auto', allErrors: true});\
        ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-04.json'));\
        const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');\
        const log = JSON.parse(require('fs').readFileSync(0));\
        if (!ajv.validate(schema, log)) { console.error(ajv.errorsText()); process.exit(1); }";
    let mut node = Command::new("node");
    node.args(["-e", script]).env("NODE_PATH", folder).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = node.spawn().expect("node starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), &output.stdout).expect("written");
    let ended = child.wait_with_output().expect("it is over");
    assert!(ended.status.success(), "{}", err(&ended));
}
