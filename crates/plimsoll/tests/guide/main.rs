//! docs/guide.md, walked from its first command to its last: in one shell, with a real API server, Prometheus, Node and Helm. What the
//! guide shows of an answer has to be in it.

#[path = "../common/mod.rs"]
mod common;
#[path = "../chart/helm.rs"]
#[allow(dead_code)]
mod helm;
mod shell;
mod steps;

use common::{PLIMSOLL, tools};
use helm::root;
use plimsoll_real::cluster::{Cluster, Node};
use plimsoll_real::write::write_in_order;
use plimsoll_real::{hub, prometheus};
use shell::Shell;
use std::ffi::OsString;
use std::path::Path;

/// Where the guide's programs are found.
fn path() -> OsString {
    let ours = Path::new(PLIMSOLL).parent().expect("a folder").to_path_buf();
    let usual = std::env::var_os("PATH").unwrap_or_default();
    let all =
        [ours, helm::TOOLS.clone(), tools().join("bin")].into_iter().chain(std::env::split_paths(&usual));
    std::env::join_paths(all).expect("a path")
}

#[test]
fn every_step_does_what_the_guide_says() {
    let text = std::fs::read_to_string(root().join("docs/guide.md")).expect("docs/guide.md");
    let steps = steps::of(&text).unwrap_or_else(|error| panic!("docs/guide.md: {error}"));
    let folder = tempfile::tempdir().expect("a folder");
    let nodes = ["one", "two", "three", "four"].map(|name| Node::new(name, "7Gi", "4"));
    let cluster = Cluster::start(folder.path(), &nodes);
    let recorded = hub::recorded();
    hub::open(&cluster, &recorded);
    let prometheus = prometheus(folder.path(), &[]);
    write_in_order(&prometheus, &recorded);
    let home = tempfile::tempdir().expect("a folder");
    let mut shell = Shell::start(
        &root().canonicalize().expect("the repository"),
        &[
            ("PATH", path()),
            ("HOME", home.path().into()),
            ("KUBECONFIG", cluster.kubeconfig.clone().into()),
            ("PROMETHEUS", prometheus.url.clone().into()),
        ],
    );
    for step in &steps {
        println!("docs/guide.md:{}:\n{}", step.line, step.commands);
        let said = shell.run(&step.commands).unwrap_or_else(|(said, error)| {
            panic!("docs/guide.md:{}: {error}\n{}\n{said}", step.line, step.commands)
        });
        println!("{said}");
        if let Some(missing) = step.missing(&said) {
            panic!("docs/guide.md:{}: not in the answer: {missing:?}\n{said}", step.line);
        }
    }
}
