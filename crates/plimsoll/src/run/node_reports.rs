//! Node's reports of a fatal error: what a build's text would have said, where that goes to a terminal past us.

use plimsoll_core::knobs::is_heap_report;
use plimsoll_core::signature::{Sighting, Signature};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Bytes of a report that are read: its header is at the start.
const HEAD_BYTES: u64 = 16 * 1024;
/// Reports looked at; a build with more dead Nodes has said enough.
const REPORTS_MAX: usize = 64;

/// Takes the reports in this folder away and tells what they say.
pub fn take(folder: &Path) -> Vec<Sighting> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let reports = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).take(REPORTS_MAX);
    let heaps = reports.filter(|path| {
        let is_heap = head(path).is_some_and(|text| is_heap_report(&text));
        // One that cannot be removed is counted again; the folder goes with the run.
        let _ = fs::remove_file(path);
        is_heap
    });
    let count = heaps.count() as u64;
    let line = "Node's report: the heap limit was reached".to_string();
    if count > 0 { vec![Sighting { signature: Signature::V8Heap, count, line }] } else { Vec::new() }
}

fn head(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_reports_are_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("report.1.json", r#"{"header":{"reportVersion":3,"event":"x","trigger":"OOMError"}}"#);
        write("report.2.json", r#"{"header":{"reportVersion":3,"event":"x","trigger":"Exception"}}"#);
        write("preload.cjs", "'use strict'");
        let found = take(folder.path());
        assert_eq!((found.len(), found[0].count), (1, 1));
        assert_eq!(take(folder.path()), []);
        assert!(folder.path().join("preload.cjs").exists());
        assert_eq!(take(Path::new("/nowhere")), []);
    }
}
