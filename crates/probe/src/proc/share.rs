//! `/proc/PID/smaps_rollup`: what a process holds when pages it shares are divided among those who share them.
//!
//! A tree that forks (a server, a test runner that preloads) has the same page in many processes; `statm` counts it
//! in each of them. The kernel walks the page tables for this file (measured: 122 ms for 1 GiB), so it is read now and
//! then, and only of families.

use crate::kilobytes::kilobytes;
use std::fs;
use std::path::Path;

/// Proportional share of anonymous and shared memory, swapped out or not, in bytes; file pages are left out, because
/// they can be read back. `None` when the text tells no anonymous share (Linux before 5.2).
pub fn parse_share_bytes(text: &str) -> Option<u64> {
    let rest = ["Pss_Shmem", "SwapPss"].into_iter().filter_map(|key| kilobytes(text, key));
    Some(rest.fold(kilobytes(text, "Pss_Anon")?, u64::saturating_add))
}

/// Reads `<root>/proc/PID/smaps_rollup`; `None` when the process is gone or not ours to look into.
pub fn share_bytes(root: &Path, pid: i32) -> Option<u64> {
    parse_share_bytes(&fs::read_to_string(root.join(format!("proc/{pid}/smaps_rollup"))).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROLLUP: &str = "55d1c8a00000-7ffd3a7f5000 ---p 00000000 00:00 0    [rollup]\n\
        Rss:              102400 kB\nPss:               30000 kB\nPss_Dirty:         25600 kB\n\
        Pss_Anon:          25600 kB\nPss_File:           4000 kB\nPss_Shmem:           400 kB\n\
        Swap:                 80 kB\nSwapPss:              20 kB\n";

    #[test]
    fn shares_are_summed_without_files() {
        assert_eq!(parse_share_bytes(ROLLUP), Some((25600 + 400 + 20) * 1024));
        assert_eq!(parse_share_bytes("Pss_Anon:   4 kB\n"), Some(4096));
        assert_eq!(parse_share_bytes("Rss: 1 kB\nPss: 1 kB\n"), None, "missing is not zero");
        assert_eq!(parse_share_bytes("Pss_Anon:   99999999999999999999 kB\n"), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,200}") {
            let _ = parse_share_bytes(&text);
        }
    }
}
