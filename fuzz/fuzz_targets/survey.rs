//! What the agent reads of others: paths of cgroups, the kernel's log, files about heaps, environments.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_probe::survey::name::{Name, container_above};
use plimsoll_probe::survey::{heap, kernel_log, parse_ci};

fuzz_target!(|bytes: &[u8]| {
    let ci = parse_ci(bytes);
    let text = String::from_utf8_lossy(bytes);
    for value in [&ci.project, &ci.job, &ci.stage] {
        assert!(text.contains(value.as_str()) && !value.contains('\0'));
    }
    if let Name::Container(container) = Name::of(&text) {
        assert!(text.contains(&container.id) && container.id.starts_with(container.short_id()));
    }
    if let Some((path, _)) = container_above(&text) {
        assert!(text.starts_with(path));
    }
    if let Some(path) = kernel_log::killed_in(&text) {
        assert!(text.contains(path) && path.starts_with('/'));
    }
    if let Some(heap) = heap::parse(&text) {
        assert!(heap.limit_bytes > 0 && heap.used_bytes / 2 <= heap.limit_bytes);
    }
});
