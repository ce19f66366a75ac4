//! `plimsoll rightsize --patches` from a file to the folder.

mod common;

use common::{Bench, PLIMSOLL};
use std::fmt::Write;
use std::fs;
use std::process::{Command, Output};

/// A container that belongs to no workload, a reading a minute for two days.
fn usage() -> String {
    let mut text = "series_id,timestamp,bytes\n".to_string();
    for minute in 0..=2880 {
        let _ = writeln!(text, "shop/web/web,{},{}", minute * 60, (500 << 20) + minute % 7 * 1024);
    }
    text
}

fn patches(bench: &Bench, folder: &str) -> Output {
    Command::new(PLIMSOLL)
        .args(["rightsize", "--source", "usage.csv", "--patches", folder])
        .current_dir(bench.folder.path())
        .output()
        .expect("plimsoll starts")
}

#[test]
fn ours_is_replaced_and_nothing_else() {
    let bench = Bench::new();
    bench.file("usage.csv", &usage());
    for _ in 0..2 {
        let output = patches(&bench, "patches");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(bench.path("patches/merge-request.md")).expect("it was written");
        assert!(
            text.contains("# Memory: 1 container to change by hand") && text.contains("shop/web"),
            "{text}"
        );
        assert!(bench.path("patches").read_dir().expect("a folder").count() == 1, "a series has no template");
    }
    bench.file("mine/notes.md", "mine");
    let output = patches(&bench, "mine");
    assert_eq!(output.status.code(), Some(125));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "plimsoll: mine: is there, and not all of it is ours\nchoose another folder\n");
    let mut left: Vec<_> =
        bench.folder.path().read_dir().expect("a folder").map(|one| one.expect("one").file_name()).collect();
    left.sort();
    assert_eq!(left, ["mine", "patches", "usage.csv"]);
}
