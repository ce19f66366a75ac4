//! The forms: on a terminal, into files, and the same by a server and by its blocks.

use crate::common::{Bench, PLIMSOLL};
use crate::shop::Shop;
use crate::{build, said};
use plimsoll_real::snapshot;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

pub fn forms(shop: &Shop) {
    let (url, store) = (shop.prometheus.url.as_str(), shop.store());
    let check = |form: &str, expect: &[&str]| {
        let args = ["--source", url, "--store", &store, "--fail-on", "never", "-o", form];
        let text = said(&shop.report(&args));
        expect.iter().for_each(|part| assert!(text.contains(part), "{form}: {part}\n{text}"));
        assert_eq!(said(&shop.report(&args)), text, "{form}: the same bytes");
        text
    };
    let text = check(
        "table",
        &[
            "What was killed\n  critical  shop/worker: 2 kills, 1 in the period before",
            "critical  job bundle of ",
            "capacity      not asked",
        ],
    );
    assert!(!text.contains('\u{1b}'), "no colour where there is no terminal");
    check(
        "markdown",
        &["### What grew\n\n- info `shop/web`: holds ", "- **critical** `shop/worker`: 2 kills"],
    );
    let page = check("html", &["<!doctype html>", "<code>shop/worker</code>"]);
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href"), "self-contained");
    check("yaml", &["schema: plimsoll.report/1", "subject: shop/web"]);
}

/// With `script`, plimsoll has a terminal: it is coloured and wrapped, unless NO_COLOR says otherwise.
#[test]
fn on_a_terminal() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: script(1) is missing");
        return;
    }
    let bench = Bench::new();
    build(
        &bench,
        "bundle",
        &["--attempts", "1"],
        "echo 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' >&2; exit 134",
    );
    let shown = |columns: u16, no_color: &str| {
        let inner = format!(
            "stty cols {columns}; {PLIMSOLL} report --store {} --fail-on never",
            bench.path("store").display()
        );
        let output =
            Command::new("script").args(["-qec", &inner, "/dev/null"]).env("NO_COLOR", no_color).output();
        String::from_utf8_lossy(&output.expect("script starts").stdout).replace('\r', "")
    };
    let coloured = shown(60, "");
    assert!(coloured.contains("\u{1b}[1;31mcritical\u{1b}[0m"), "{coloured}");
    let plain = shown(60, "1");
    assert!(!plain.contains('\u{1b}') && plain.contains("critical"), "{plain}");
    let is_command = |line: &&str| {
        !line.starts_with("  next: ") && !line.starts_with("Memory, ") && !line.contains(PLIMSOLL)
    };
    let long: Vec<&str> = plain
        .lines()
        .filter(is_command)
        .filter(|line| line.chars().count() > 60 && !line.contains('/'))
        .collect();
    assert!(long.is_empty(), "{long:?}\n{plain}");
    assert!(shown(200, "1").lines().any(|line| line.chars().count() > 80), "a wide one is used");
}

pub fn files(shop: &Shop) {
    let (url, place) =
        (shop.prometheus.url.as_str(), |name: &str| shop.bench.path(name).display().to_string());
    let [html, markdown, json] = ["r.html", "r.md", "r.json"].map(place);
    let output = shop.report(&["--source", url, "--html", &html, "--markdown", &markdown, "--json", &json]);
    assert_eq!(output.status.code(), Some(1), "files are written although it fails");
    let read = |path: &str| std::fs::read_to_string(PathBuf::from(path)).expect("a file");
    assert!(read(&html).starts_with("<!doctype html>") && read(&markdown).starts_with("## Memory"));
    assert_eq!(serde_json::from_str::<Value>(&read(&json)).expect("JSON")["counts"]["critical"], 2);
}

/// The same by the blocks on disk: no server is asked.
pub fn blocks(shop: &Shop) {
    let by_server = shop.json(&["--source", &shop.prometheus.url]);
    let folder = snapshot(&shop.prometheus, shop.bench.folder.path()).display().to_string();
    let by_blocks = shop.json(&["--source", &folder]);
    let without_place = |mut report: Value| {
        report["sources"] = Value::Null;
        for section in ["grew", "wasted", "killed", "change"] {
            report[section]["findings"]
                .as_array_mut()
                .expect("findings")
                .iter_mut()
                .for_each(|one| one["next"] = Value::Null);
        }
        report
    };
    assert_eq!(without_place(by_blocks), without_place(by_server));
}
