//! Whatever is broken is an error that names it.

use super::*;

#[test]
fn what_is_broken_is_named() {
    let check = |change: &dyn Fn(&mut Files), expect: &str| {
        let mut files = Files::new(2, &sample(), &[(1, 1500, 2000)]);
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
        let mut files = Files::new(2, &series, &[(1, 1500, 2000)]);
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
    let long = "x".repeat(3 << 20);
    let many: Vec<(&str, &str)> =
        std::iter::once(("__name__", "m")).chain([("x", long.as_str()); 6]).collect();
    check(
        vec![series(&many, &[&[(0, 1.0)]]), sample().remove(1)],
        &|_| (),
        "a series' 7 labels are too long",
    );
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

proptest! {
    /// A change of bytes, or an early end, is an error unless it is of bytes that say nothing.
    #[test]
    fn no_change_goes_unseen(
        version in 1u8..=3, file in 0usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..3), end in any::<prop::sample::Index>(), ends in any::<bool>(),
    ) {
        let mut files = Files::new(version, &sample(), &[(1, 1500, 2000)]);
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
        let _ = Folder::open(folder.path()).and_then(|folder| folder.values("namespace", "m", ALL));
    }

    #[test]
    fn never_panics(index in prop::collection::vec(any::<u8>(), 0..300), segment in prop::collection::vec(any::<u8>(), 0..100)) {
        let files = Files { index, segment, ..Files::new(2, &sample(), &[]) };
        let folder = folder(&[(NAME, &files)]);
        prop_assert!(seen(folder.path(), &Selector::metric("m"), ALL).is_err());
    }
}
