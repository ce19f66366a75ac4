//! How it ends: by what is found, and by mistakes.

use crate::common::Bench;
use crate::shop::Shop;
use crate::{build, report};

pub fn codes(shop: &Shop) {
    let url = shop.prometheus.url.as_str();
    let check = |args: &[&str], code: i32, error: &str| {
        let output = shop.report(&[&["--source", url], args].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.contains(error)), (Some(code), true), "{args:?}: {said}");
        assert!(!output.stdout.is_empty(), "what was found is shown in any case");
    };
    // The worker, killed again: in what was killed and in what to change.
    check(&[], 1, "2 findings at or above critical");
    check(&["--fail-on", "warning"], 1, "at or above warning");
    check(&["--fail-on", "info"], 1, "at or above info");
    check(&["--fail-on", "never"], 0, "");
    let quiet = Bench::new();
    build(&quiet, "unit", &[], "exit 0");
    let output = report(&quiet, &["--store", "store"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

pub fn mistakes(shop: &Shop) {
    let bench = Bench::new();
    let check = |args: &[&str], expect: &str| {
        let output = report(&bench, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0), "{args:?}: {error}");
        assert!(error.contains(expect) && !error.contains("panicked"), "{args:?}: {error}");
    };
    check(&[], "nothing to report on: no --source, no --server, and no builds are remembered in ");
    check(&["--store", "gone"], "gone: nothing is remembered there\ncheck --store and its rights");
    for since in ["week", "0d", "1h", "93d", "-7d"] {
        check(&[&format!("--since={since}")], &format!("'{since}' is "));
    }
    check(&["--source", "http://127.0.0.1:1"], "127.0.0.1:1");
    check(&["--source", "ftp://me:secret@host"], "is not known");
    check(&["--source", "usage.csv"], "name a server or a folder of blocks");
    check(
        &["--source", &shop.prometheus.url, "-n", "shopp"],
        "there is no memory of a container in namespace 'shopp'",
    );
    check(&["--server", "http://127.0.0.1:1"], "http://127.0.0.1:1: ");
    check(&["--server", "gone.db"], "gone.db: ");
    check(&["--source", &shop.prometheus.url, "--gib-hour-price", "-1"], "-1");
    let store = shop.store();
    check(&["--store", &store, "--html", "gone/report.html"], "gone/report.html: ");
}
