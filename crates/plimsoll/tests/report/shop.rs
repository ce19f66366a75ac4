//! A shop: a Prometheus that has recorded it, and builds beside it.

use crate::common::{Bench, cgroups, eater};
use crate::recording::Recording;
use crate::{build, report, said};
use jiff::Timestamp;
use plimsoll_real::write::write_in_order;
use plimsoll_real::{Server, prometheus};
use serde_json::Value;
use std::process::Output;

/// A Prometheus with two weeks up to now, and the builds of the last minute.
pub struct Shop {
    pub prometheus: Server,
    pub bench: Bench,
    to_ms: i64,
}

impl Shop {
    pub fn open() -> Shop {
        let bench = Bench::new();
        build(&bench, "unit", &[], "exit 0");
        build(
            &bench,
            "bundle",
            &["--attempts", "1"],
            "echo 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' >&2; exit 134",
        );
        if cgroups() {
            let killed =
                bench.run(&["--job", "link", "--limit", "96MiB"], &[eater().to_str().expect("text"), "200"]);
            assert_eq!(killed.status.code(), Some(87), "{}", String::from_utf8_lossy(&killed.stderr));
        }
        let to_ms = Timestamp::now().as_millisecond() + 1000;
        let prometheus = prometheus(bench.folder.path(), &[]);
        write_in_order(&prometheus, &Recording { to_ms }.all());
        Shop { prometheus, bench, to_ms }
    }

    fn as_of(&self) -> String {
        Timestamp::from_millisecond(self.to_ms).expect("a time").to_string()
    }

    /// `plimsoll report ARGS`, as of the end of the recording.
    pub fn report(&self, args: &[&str]) -> Output {
        report(&self.bench, &[&["--as-of", &self.as_of()], args].concat())
    }

    pub fn store(&self) -> String {
        self.bench.path("store").display().to_string()
    }

    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.report(&[args, &["-o", "json", "--fail-on", "never"]].concat());
        serde_json::from_str(&said(&output)).expect("JSON")
    }
}
