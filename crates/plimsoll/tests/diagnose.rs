//! `plimsoll diagnose` by the built binary: of a real Node that dies at its heap, of a job that the kernel killed, of nothing.

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

mod common;

const PLIMSOLL: &str = env!("CARGO_BIN_EXE_plimsoll");

fn diagnose(folder: &Path, arguments: &[&str], stdin: &[u8]) -> Output {
    let mut started = Command::new(PLIMSOLL)
        .arg("diagnose")
        .args(arguments)
        .current_dir(folder)
        .env("PLIMSOLL_STORE", folder.join("store"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("plimsoll starts");
    started.stdin.take().expect("a stdin").write_all(stdin).expect("it reads");
    started.wait_with_output().expect("an output")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_real_node_that_dies_at_its_heap_wants_a_larger_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let code = "const held = []; for (;;) held.push(new Array(1e5).fill(held.length + 0.5));";
    let node = Command::new("node").args(["--max-old-space-size=64", "-e", code]).output().expect("node");
    assert!(!node.status.success());
    let log =
        [node.stdout, node.stderr, b"ERROR: Job failed: command terminated with exit code 134\n".to_vec()]
            .concat();
    std::fs::write(folder.path().join("build.log"), &log).expect("a log");
    let text = said(&diagnose(folder.path(), &["build.log"], b""));
    for part in [
        "build.log died of memory",
        "its own heap limit",
        "exit code 134",
        "a larger heap, not a smaller one",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(text.lines().count(), 5, "{text}");
    let json: Value =
        serde_json::from_str(&said(&diagnose(folder.path(), &["-", "-o", "json"], &log))).expect("JSON");
    assert_eq!(json["what"], "stdin died of memory");
}

#[test]
fn a_job_that_the_kernel_killed_is_told_with_its_numbers() {
    if !common::cgroups() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let eater = common::eater();
    let run = Command::new(PLIMSOLL)
        .args(["run", "--limit", "64MiB", "--attempts", "1", "--job", "eats", "--"])
        .arg(eater)
        .arg("200")
        .env("PLIMSOLL_STORE", folder.path().join("store"))
        .current_dir(folder.path())
        .output()
        .expect("plimsoll starts");
    assert!(!run.status.success());
    let text = said(&diagnose(folder.path(), &["eats"], b""));
    for part in
        ["job eats of", "died of memory", "the kernel killed", "of 64 MiB", "plimsoll jobs show 'eats'"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn what_is_nothing_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |arguments: &[&str], expect: &str| {
        let done = diagnose(folder.path(), arguments, b"");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && said.contains(expect), "{arguments:?}: {said}");
    };
    check(&["nobody"], "'nobody' is no file, no job that is remembered, and no NAMESPACE/POD");
    check(&["a/b/c"], "is no file, no job");
    check(&["shop/web,metadata.name=x"], "is no file, no job");
    let quiet = said(&diagnose(folder.path(), &["-"], b"all is well\nexit code 0\n"));
    assert!(quiet.contains("nothing in stdin speaks of memory"), "{quiet}");
}
