//! What holds for all blocks, shown with blocks of our own making; `tests/tsdb_real.rs` has Prometheus' own.

use super::write::{Files, Series};
use super::*;
use crate::{Labels, Point};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;

mod broken;

const ALL: Range = Range { from_ms: i64::MIN, to_ms: i64::MAX };
const NAME: &str = "01BZJ9WJQPWHGNC2W4J9TA62KC";

/// Times and values, these as bits, by series.
#[derive(Debug, Default, PartialEq, Clone)]
struct Seen {
    series: BTreeMap<Labels, Vec<(i64, u64)>>,
    of: Labels,
}

impl Sink for Seen {
    fn series(&mut self, labels: &Labels) {
        self.of = labels.clone();
        self.series.entry(labels.clone()).or_default();
    }

    fn points(&mut self, points: &[Point]) {
        assert!(!points.is_empty() && points.is_sorted_by_key(|point| point.at_ms));
        let points = points.iter().map(|point| (point.at_ms, point.value.to_bits()));
        self.series.entry(self.of.clone()).or_default().extend(points);
    }
}

fn seen(
    folder: &Path,
    selector: &Selector,
    range: Range,
) -> Result<BTreeMap<Labels, Vec<(i64, u64)>>, String> {
    let mut seen = Seen::default();
    let read = Folder::open(folder).and_then(|folder| folder.read(selector, range, &mut seen));
    read.map_err(|error| error.to_string())?;
    Ok(seen.series)
}

fn series(labels: &[(&str, &str)], chunks: &[&[(i64, f64)]]) -> Series {
    let owned = |(label, value): &(&str, &str)| (label.to_string(), value.to_string());
    Series {
        labels: labels.iter().map(owned).collect(),
        chunks: chunks.iter().map(|samples| (1, samples.to_vec())).collect(),
    }
}

/// Two metrics, two namespaces, a series without any.
fn sample() -> Vec<Series> {
    vec![
        series(&[("__name__", "m")], &[&[(0, 7.0)]]),
        series(
            &[("__name__", "m"), ("namespace", "shop"), ("pod", "a\"ü")],
            &[&[(1000, 1.0), (2000, 2.0)], &[(3000, 3.0), (3500, f64::NAN)]],
        ),
        series(&[("__name__", "m"), ("namespace", "till"), ("pod", "b")], &[&[(5000, 5.0)]]),
        series(&[("__name__", "n"), ("namespace", "else"), ("pod", "b")], &[&[(9000, 9.0)]]),
    ]
}

fn folder(blocks: &[(&str, &Files)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    blocks.iter().for_each(|(name, files)| files.write(&folder.path().join(name)).unwrap());
    folder
}

#[test]
fn by_labels_and_range_in_all_versions() {
    for version in 1..=3 {
        let folder = folder(&[(NAME, &Files::new(version, &sample(), &[(1, 1500, 2000)]))]);
        let check = |selector: Selector, from_ms: i64, to_ms: i64, expect: &[(&str, &[i64])]| {
            let seen = seen(folder.path(), &selector, Range { from_ms, to_ms }).unwrap();
            let times = |points: &[(i64, u64)]| points.iter().map(|(at_ms, _)| *at_ms).collect::<Vec<_>>();
            let seen: Vec<_> =
                seen.iter().map(|(labels, points)| (labels.get("pod"), times(points))).collect();
            let expect: Vec<_> = expect.iter().map(|(pod, times)| (*pod, times.to_vec())).collect();
            assert_eq!(seen, expect, "version {version}: {selector:?}");
        };
        let m = || Selector::metric("m");
        check(m(), 0, 9000, &[("", &[0]), ("a\"ü", &[1000, 3000]), ("b", &[5000])]);
        check(m(), 1000, 2999, &[("a\"ü", &[1000])]);
        check(m(), 2000, 2999, &[]);
        check(m(), 4000, 5000, &[("b", &[5000])]);
        check(m().equal("namespace", "till"), 0, 9000, &[("b", &[5000])]);
        check(m().equal("namespace", "till").equal("pod", "a\"ü"), 0, 9000, &[]);
        check(m().equal("namespace", ""), 0, 9000, &[("", &[0])]);
        check(m().equal("node", "x"), 0, 9000, &[]);
        check(m().present("pod").equal("node", ""), 0, 9000, &[("a\"ü", &[1000, 3000]), ("b", &[5000])]);
        check(Selector::metric("o"), 0, 9000, &[]);
        let check = |label: &str, from_ms: i64, to_ms: i64, expect: &[&str]| {
            let opened = Folder::open(folder.path()).unwrap();
            let values = opened.values(label, "m", Range { from_ms, to_ms }).unwrap();
            assert_eq!(values.iter().map(String::as_str).collect::<Vec<_>>(), expect, "version {version}");
        };
        check("namespace", 0, 9000, &["shop", "till"]);
        check("namespace", 0, 4000, &["shop"]);
        check("__name__", 0, 9000, &["m"]);
        check("node", 0, 9000, &[]);
    }
}

#[test]
fn what_is_no_block_is_skipped() {
    let block = Files::new(2, &sample(), &[]);
    let later = Files::new(2, &[series(&[("__name__", "m")], &[&[(10_000, 8.0)]])], &[]);
    let broken = Files { meta: b"{".to_vec(), ..block.clone() };
    let folder = folder(&[
        ("01BZJ9WJQPWHGNC2W4J9TA62KD", &block),
        (NAME, &later),
        ("01BZJ9WJQPWHGNC2W4J9TA62KE.tmp-for-creation", &broken),
        ("01BZJ9WJQPWHGNC2W4J9TA62KF.tmp-for-deletion", &broken),
        ("wal", &broken),
        ("chunks_head", &broken),
    ]);
    std::fs::create_dir(folder.path().join("01BZJ9WJQPWHGNC2W4J9TA62KG")).unwrap();
    std::fs::write(folder.path().join("lock"), "").unwrap();
    // Blocks come in the order of time, not of their names.
    let nameless = Selector::metric("m").equal("namespace", "");
    let expect = vec![(0, 7f64.to_bits()), (10_000, 8f64.to_bits())];
    assert_eq!(seen(folder.path(), &nameless, ALL).unwrap().into_values().collect::<Vec<_>>(), [expect]);
    // A block may be asked itself.
    let itself = folder.path().join(NAME);
    assert_eq!(seen(&itself, &nameless, ALL).unwrap().into_values().flatten().count(), 1);
    // One that does not overlap is not opened, and its end does not belong to it.
    std::fs::write(itself.join("index"), "broken").unwrap();
    let until = |to_ms: i64| seen(folder.path(), &nameless, Range { from_ms: 0, to_ms }).is_ok();
    assert!(until(9999) && !until(10_000));
    let from = |from_ms: i64| seen(&itself, &nameless, Range { from_ms, to_ms: i64::MAX }).is_ok();
    assert!(from(10_001) && !from(10_000));
}

#[test]
fn only_histograms_are_left_out() {
    let check = |encoding: u8, expect: Result<usize, &str>| {
        let mut series = sample();
        series[1].chunks[0].0 = encoding;
        let folder = folder(&[(NAME, &Files::new(2, &series, &[]))]);
        let seen = seen(folder.path(), &Selector::metric("m").equal("namespace", "shop"), ALL);
        let seen = seen.map(|series| series.into_values().flatten().count());
        match expect {
            Ok(points) => assert_eq!(seen, Ok(points)),
            Err(what) => assert!(seen.clone().is_err_and(|error| error.contains(what)), "{seen:?}"),
        }
    };
    check(1, Ok(3));
    check(2, Ok(1));
    check(3, Ok(1));
    check(4, Err("chunks/000001: chunk encoding 4 is not known here\n"));
    check(255, Err("chunk encoding 255"));
}

#[test]
fn only_what_matches_is_looked_at() {
    let mut files = Files::new(2, &sample(), &[]);
    // Some bytes are of series and lists that only the other namespace needs.
    let mut broken = 0;
    let folder = folder(&[(NAME, &files)]);
    for place in 0..files.index.len() {
        files.index[place] ^= 1;
        std::fs::write(folder.path().join(NAME).join("index"), &files.index).unwrap();
        let shop = seen(folder.path(), &Selector::metric("m").equal("namespace", "shop"), ALL);
        let all = seen(folder.path(), &Selector::metric("m"), ALL);
        broken += usize::from(shop.is_ok() && all.is_err());
        files.index[place] ^= 1;
    }
    assert!(broken > 20, "{broken}");
}

#[test]
fn a_reference_names_a_segment_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("chunks")).unwrap();
    for (name, at_ms) in [("000007", 7), ("000003", 3), ("000010", 10), ("x", 99)] {
        let files = Files::new(2, &[series(&[("__name__", "m")], &[&[(at_ms, 1.0)]])], &[]);
        std::fs::write(folder.path().join("chunks").join(name), &files.segment).unwrap();
    }
    let mut segments = segments::Segments::of(folder.path()).unwrap();
    let mut points = Vec::new();
    for reference in [1 << 32 | 8, 8, 2 << 32 | 8] {
        segments.points(reference, &mut points).unwrap();
    }
    assert_eq!(points.iter().map(|point| point.at_ms).collect::<Vec<_>>(), [7, 3, 10]);
    let error = segments.points(3 << 32 | 8, &mut points).unwrap_err().to_string();
    assert!(error.contains("/chunks: segment 4 is missing"), "{error}");
}

/// A series by the numbers of its labels' values, and chunks of times by their distances.
fn any_series() -> impl Strategy<Value = ([u8; 3], Vec<Vec<(i64, f64)>>)> {
    let value = prop_oneof![4 => 0f64..1e12, 1 => Just(f64::NAN)];
    let chunk = prop::collection::vec((1i64..100_000, value), 1..20);
    ([0u8..3, 0u8..4, 0u8..60], prop::collection::vec(chunk, 0..4))
}

proptest! {
    #[test]
    fn what_was_written_comes_out(
        version in 1u8..=3,
        made in prop::collection::vec(any_series(), 0..40),
        stones in prop::collection::vec((any::<prop::sample::Index>(), 0i64..2_000_000, 0i64..500_000), 0..5),
        metric in 0u8..3, namespace in 0u8..4, from_ms in 0i64..2_000_000, length_ms in 0i64..2_000_000,
    ) {
        // No two series have the same labels.
        let made: BTreeMap<[u8; 3], _> = made.into_iter().collect();
        let name = |what: &str, number: u8| format!("{what}{number}");
        let series: Vec<Series> = made.iter().map(|([metric, namespace, pod], chunks)| {
            let mut at_ms = 0;
            let mut timed = |(step, value): &(i64, f64)| { at_ms += step; (at_ms, *value) };
            let mut labels = vec![("__name__".to_string(), name("m", *metric))];
            // The first one stands for none.
            if *namespace > 0 {
                labels.push(("namespace".to_string(), name("s", *namespace)));
            }
            labels.push(("pod".to_string(), name("p", *pod)));
            let chunks = chunks.iter().map(|chunk| (1, chunk.iter().map(&mut timed).collect()));
            Series { labels, chunks: chunks.collect() }
        }).collect();
        let stones: Vec<(usize, i64, i64)> = match series.len() {
            0 => Vec::new(),
            many => stones.iter().map(|(index, from, length)| (index.index(many), *from, from + length)).collect(),
        };
        let folder = folder(&[(NAME, &Files::new(version, &series, &stones))]);
        let range = Range { from_ms, to_ms: from_ms + length_ms };
        let of = if namespace > 0 { name("s", namespace) } else { String::new() };
        let selector = Selector::metric(&name("m", metric)).equal("namespace", &of);
        let expect: BTreeMap<Labels, Vec<(i64, u64)>> = series.iter().enumerate().filter_map(|(number, series)| {
            let labels = Labels::new(series.labels.clone());
            let is_there = |(at_ms, value): &(i64, f64)| {
                let is_deleted = |(of, from, to): &(usize, i64, i64)| *of == number && (*from..=*to).contains(at_ms);
                range.has(*at_ms) && !value.is_nan() && !stones.iter().any(is_deleted)
            };
            let points = series.chunks.iter().flat_map(|(_, samples)| samples).filter(|sample| is_there(sample));
            let points: Vec<(i64, u64)> = points.map(|(at_ms, value)| (*at_ms, value.to_bits())).collect();
            (selector.takes(&labels) && !points.is_empty()).then_some((labels, points))
        }).collect();
        prop_assert_eq!(seen(folder.path(), &selector, range).unwrap(), expect);
    }
}
