//! `/proc/self/cgroup` and `/proc/self/mountinfo`, parted by the first NUL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_probe::cgroup::Layout;
use std::path::Path;

fuzz_target!(|text: &str| {
    let (cgroup, mountinfo) = text.split_once('\0').unwrap_or((text, text));
    let layout = Layout::from_text(Path::new("/nonexistent"), 1, cgroup, mountinfo);
    assert!(layout.memory_groups().is_empty());
});
