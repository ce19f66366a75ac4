//! Prometheus' blocks: never a panic, never an endless loop, never more memory than the files have. A block that is whole is
//! changed here and there, as chance would never make one; checksums are not checked in this build.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_history::tsdb::write::{Files, Series};
use plimsoll_history::tsdb::Folder;
use plimsoll_history::{Labels, Point, Range, Selector, Sink};

struct Nowhere;

impl Sink for Nowhere {
    fn series(&mut self, _: &Labels) {}

    fn points(&mut self, points: &[Point]) {
        assert!(points.is_sorted_by_key(|point| point.at_ms));
    }
}

fn series(namespace: &str, pod: &str) -> Series {
    let labels = [("__name__", "m"), ("namespace", namespace), ("pod", pod)];
    let samples = |from_ms| vec![(from_ms, 1.0), (from_ms + 1000, 2.0), (from_ms + 2500, 5e8)];
    Series {
        labels: labels.map(|(label, value)| (label.to_string(), value.to_string())).to_vec(),
        chunks: vec![(1, samples(0)), (1, samples(10_000))],
    }
}

// The version of the index, where it ends, and then changes: where in two bytes, and to what.
fuzz_target!(|bytes: &[u8]| {
    let Some(([version, end @ ..], changes)) = bytes.split_first_chunk::<3>() else { return };
    let all = [series("shop", "a"), series("shop", "b"), series("till", "a")];
    let mut files = Files::new(version % 3 + 1, &all, &[(1, 500, 1500)]);
    for change in changes.chunks_exact(3) {
        let places = files.index.iter_mut().chain(&mut files.segment).chain(&mut files.tombstones);
        if let Some(byte) = places.skip(usize::from(u16::from_be_bytes([change[0], change[1]]))).next() {
            *byte = change[2];
        }
    }
    files.index.truncate(files.index.len().saturating_sub(usize::from(u16::from_be_bytes(*end))));
    let folder = std::env::temp_dir().join(format!("plimsoll-fuzz-{}.tsdb", std::process::id()));
    files.write(&folder).expect("a temporary folder");
    let range = Range { from_ms: 900, to_ms: 20_000 };
    let _ = Folder::open(&folder).and_then(|folder| {
        folder.read(&Selector::metric("m").equal("namespace", "shop"), range, &mut Nowhere)?;
        folder.values("pod", "m", range)
    });
});
