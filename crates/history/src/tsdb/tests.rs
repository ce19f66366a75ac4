//! What holds for all blocks, shown with blocks of our own making; `tests/tsdb_real.rs` has Prometheus' own.

use super::write::{Files, Series};
use super::*;
use crate::{Labels, Point};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;

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
    read(folder, selector, range, &mut seen).map_err(|error| error.to_string())?;
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
        let folder = folder(&[(NAME, &Files::new(version, &sample(), &[(1, 2000, 2500)]))]);
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
        check(m().equal("namespace", "till"), 0, 9000, &[("b", &[5000])]);
        check(m().equal("namespace", "till").equal("pod", "a\"ü"), 0, 9000, &[]);
        check(m().equal("namespace", ""), 0, 9000, &[("", &[0])]);
        check(m().equal("node", "x"), 0, 9000, &[]);
        check(m().present("pod").equal("node", ""), 0, 9000, &[("a\"ü", &[1000, 3000]), ("b", &[5000])]);
        check(Selector::metric("o"), 0, 9000, &[]);
        let check = |label: &str, from_ms: i64, to_ms: i64, expect: &[&str]| {
            let values = values(folder.path(), label, "m", Range { from_ms, to_ms }).unwrap();
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
fn what_is_broken_is_named() {
    let check = |change: &dyn Fn(&mut Files), expect: &str| {
        let mut files = Files::new(2, &sample(), &[(1, 2000, 2500)]);
        change(&mut files);
        let folder = folder(&[(NAME, &files)]);
        let error = seen(folder.path(), &Selector::metric("m"), ALL).unwrap_err();
        let error = error.replace(&folder.path().join(NAME).display().to_string(), "BLOCK");
        assert_eq!(error, expect);
    };
    let whole = |text: &str| text.to_string() + "\ncheck that it is a whole TSDB block file";
    let newer = |text: &str| {
        text.to_string()
            + " is not known here\nthis reads what Prometheus writes by default; ask the server itself instead"
    };
    let last = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    check(
        &|files| files.meta.truncate(5),
        &whole("BLOCK/meta.json: EOF while parsing a string at line 1 column 5"),
    );
    check(&|files| files.meta[11] = b'2', &newer("BLOCK/meta.json: version 2 of a block"));
    check(&|files| files.index.clear(), &whole("BLOCK/index: the 4 bytes at byte 0 end early"));
    check(&|files| files.index[0] = 0, &whole("BLOCK/index: it does not begin as an index does"));
    check(&|files| files.index[4] = 9, &newer("BLOCK/index: version 9 of the index"));
    check(
        &|files| files.index.truncate(20),
        &whole("BLOCK/index: the checksum of what is at byte 0 is wrong"),
    );
    check(&|files| files.index[5] = 0xff, &whole("BLOCK/index: the 65536 bytes at byte 9 end early"));
    check(&|files| files.index[14] ^= 1, &whole("BLOCK/index: the checksum of what is at byte 9 is wrong"));
    check(&|files| files.segment[0] = 0, &whole("BLOCK/chunks/000001: it does not begin as a segment does"));
    check(&|files| files.segment[4] = 9, &newer("BLOCK/chunks/000001: version 9 of segments"));
    check(
        &|files| files.segment[20] ^= 1,
        &whole("BLOCK/chunks/000001: the checksum of what is at byte 8 is wrong"),
    );
    check(
        &|files| files.segment.truncate(12),
        &whole("BLOCK/chunks/000001: the 12 bytes at byte 9 end early"),
    );
    check(&|files| files.tombstones[0] = 0, &whole("BLOCK/tombstones: it does not begin as tombstones do"));
    check(&|files| files.tombstones[4] = 9, &newer("BLOCK/tombstones: version 9 of tombstones"));
    check(
        &|files| last(&mut files.tombstones),
        &whole("BLOCK/tombstones: the checksum of what is at byte 5 is wrong"),
    );
}

/// What checksums cannot tell.
#[test]
fn what_lies_is_named() {
    // Changes what follows a mark, and the checksum behind it.
    let lie = |bytes: &mut Vec<u8>, mark: &[u8], length: usize, change: &dyn Fn(&mut [u8])| {
        let start = bytes.windows(mark.len()).position(|window| window == mark).unwrap() + mark.len();
        let (told, sum) = bytes[start..start + length + 4].split_at_mut(length);
        change(told);
        sum.copy_from_slice(&crc32c::crc32c(told).to_be_bytes());
    };
    let check = |series: Vec<Series>, change: &dyn Fn(&mut Files), expect: &str| {
        let mut files = Files::new(2, &series, &[(1, 2000, 2500)]);
        change(&mut files);
        let folder = folder(&[(NAME, &files)]);
        let error = seen(folder.path(), &Selector::metric("m"), ALL).unwrap_err();
        assert!(error.contains(expect), "{error}");
    };
    // The list of the three series of the metric.
    let list = |files: &mut Files, change: &dyn Fn(&mut [u8])| {
        lie(&mut files.index, &[0, 0, 0, 16], 16, &|list| {
            assert_eq!(list[3], 3);
            change(list)
        });
    };
    check(sample(), &|files| list(files, &|list| list[3] = 4), "/index: the 4 postings at byte");
    check(sample(), &|files| list(files, &|list| list.copy_within(4..8, 8)), "do not ascend");
    check(sample(), &|files| list(files, &|list| list[12] = 0xff), "is past the end");
    // The first series: one label, of the symbols 0 and 4, and one chunk.
    let entry = |files: &mut Files, change: &dyn Fn(&mut [u8])| {
        lie(&mut files.index, &[0, 7], 7, &|entry| {
            assert_eq!(entry, [1, 0, 4, 1, 0, 0, 8]);
            change(entry)
        });
    };
    check(sample(), &|files| entry(files, &|entry| entry[0] = 9), "/index: the series at byte");
    check(sample(), &|files| entry(files, &|entry| entry[1] = 99), "/index: there is no symbol 99");
    check(sample(), &|files| entry(files, &|entry| entry[6] = 127), "/chunks/000001: ");
    // The chunk with the only sample of it.
    let chunk =
        |files: &mut Files, change: &dyn Fn(&mut [u8])| lie(&mut files.segment, &[0, 0, 0, 11], 12, change);
    check(sample(), &|files| chunk(files, &|chunk| chunk[2] = 2), "the chunk at byte 8 ends early");
    check(sample(), &|files| files.segment[8..20].fill(0xff), "the number before byte 18 never ends");
    let back = series(&[("__name__", "m")], &[&[(2000, 1.0), (1000, 1.0)]]);
    check(vec![back, sample().remove(1)], &|_| (), "the chunk at byte 8 goes back in time");
}

#[test]
fn what_is_missing_is_named() {
    let block = Files::new(2, &sample(), &[]);
    let folder = folder(&[(NAME, &block)]);
    let error = || seen(folder.path(), &Selector::metric("m"), ALL).unwrap_err();
    let block = folder.path().join(NAME);
    std::fs::remove_file(block.join("tombstones")).unwrap();
    assert!(seen(folder.path(), &Selector::metric("m"), ALL).is_ok());
    std::fs::remove_file(block.join("chunks/000001")).unwrap();
    assert!(error().contains("/chunks: segment 1 is missing\n"), "{}", error());
    std::fs::remove_file(block.join("index")).unwrap();
    assert!(error().contains("/index: No such file"), "{}", error());
    std::fs::remove_file(block.join("meta.json")).unwrap();
    assert!(
        error().contains(": there is no block of a Prometheus in this folder\nwhat a server"),
        "{}",
        error()
    );
    assert!(error().contains("/api/v1/admin/tsdb/snapshot"));
    drop(std::fs::remove_dir_all(folder.path()));
    assert!(error().contains("No such file"), "{}", error());
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

    /// A change of bytes, or an early end, is an error unless it is of bytes that say nothing.
    #[test]
    fn no_change_goes_unseen(
        version in 1u8..=3, file in 0usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..3), end in any::<prop::sample::Index>(), ends in any::<bool>(),
    ) {
        let mut files = Files::new(version, &sample(), &[(1, 2000, 2500)]);
        let expect = seen(folder(&[(NAME, &files)]).path(), &Selector::metric("m"), ALL).unwrap();
        let bytes = [&mut files.index, &mut files.segment, &mut files.tombstones].into_iter().nth(file).unwrap();
        if ends {
            bytes.truncate(end.index(bytes.len()));
        } else {
            for (place, change) in changes {
                let place = place.index(bytes.len());
                bytes[place] ^= change;
            }
        }
        let folder = folder(&[(NAME, &files)]);
        if let Ok(seen) = seen(folder.path(), &Selector::metric("m"), ALL) {
            prop_assert_eq!(seen, expect);
        }
        let _ = values(folder.path(), "namespace", "m", ALL);
    }

    #[test]
    fn never_panics(index in prop::collection::vec(any::<u8>(), 0..300), segment in prop::collection::vec(any::<u8>(), 0..100)) {
        let files = Files { index, segment, ..Files::new(2, &sample(), &[]) };
        let folder = folder(&[(NAME, &files)]);
        prop_assert!(seen(folder.path(), &Selector::metric("m"), ALL).is_err());
    }
}
