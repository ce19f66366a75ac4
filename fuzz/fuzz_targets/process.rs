//! `/proc/PID/stat` and `/proc/PID/smaps_rollup`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_probe::proc::{Stat, parse_share_bytes};

fuzz_target!(|text: &str| {
    let _ = parse_share_bytes(text);
    if let Some(stat) = Stat::parse(text) {
        assert!(text.contains(&stat.comm));
    }
});
