//! `memory.stat` of both versions: what cannot be let go is never less than the heaps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_probe::cgroup::{MemoryStat, Version};

fuzz_target!(|text: &str| {
    for version in [Version::V1, Version::V2] {
        let stat = MemoryStat::parse(version, text);
        if let Some(bytes) = stat.non_reclaimable_bytes() {
            assert!(Some(bytes) >= stat.anon);
        }
    }
});
