//! The host: its memory, the cores we may use, and the process limits.

use crate::cgroup::{Layout, Refusal, Version, text};
use crate::kilobytes::kilobytes;
use rustix::thread::sched_getaffinity;
use std::path::Path;

/// Memory of the host, in bytes; `None` where `/proc/meminfo` does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostMemory {
    /// All there is.
    pub total_bytes: Option<u64>,
    /// What new work can have without swapping, as the kernel estimates it (since Linux 3.14).
    pub available_bytes: Option<u64>,
    /// Swap space; 0 means the host has none.
    pub swap_bytes: Option<u64>,
}

/// Reads `<root>/proc/meminfo`.
pub fn memory(root: &Path) -> Result<HostMemory, Refusal> {
    Ok(parse_meminfo(&text(&root.join("proc/meminfo"))?))
}

/// Parses `/proc/meminfo`.
pub fn parse_meminfo(text: &str) -> HostMemory {
    let get = |key| kilobytes(text, key);
    HostMemory {
        total_bytes: get("MemTotal"),
        available_bytes: get("MemAvailable"),
        swap_bytes: get("SwapTotal"),
    }
}

/// Soft limits of a process on its memory, in bytes; `None` where unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryRlimits {
    /// `RLIMIT_AS`: addresses, used or not.
    pub address_space_bytes: Option<u64>,
    /// `RLIMIT_DATA`: heap and, since Linux 4.7, private writable mappings.
    pub data_bytes: Option<u64>,
}

/// Reads `<root>/proc/self/limits`.
pub fn rlimits(root: &Path) -> Result<MemoryRlimits, Refusal> {
    Ok(parse_limits(&text(&root.join("proc/self/limits"))?))
}

/// Parses `/proc/PID/limits`; the soft limit is what binds.
pub fn parse_limits(text: &str) -> MemoryRlimits {
    let soft = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    MemoryRlimits { address_space_bytes: soft("Max address space"), data_bytes: soft("Max data size") }
}

/// Cores the build may use: the scheduler's mask or the tightest processor quota of our cgroups, the quota
/// rounded up; at least 1. `None` where neither can be read.
pub fn usable_cores(layout: &Layout) -> Option<u32> {
    let mask = sched_getaffinity(None).ok().map(|cores| cores.count());
    mask.into_iter().chain(quota_cores(layout)).min().map(|cores| cores.max(1))
}

/// The tightest processor quota from our cgroup upwards, in cores, rounded up.
pub fn quota_cores(layout: &Layout) -> Option<u32> {
    let place = layout.cpu.as_ref()?;
    let quota = |dir: &Path| match place.version {
        Version::V2 => parse_cpu_max(&text(&dir.join("cpu.max")).ok()?),
        Version::V1 => {
            let read = |name: &str| text(&dir.join(name)).ok();
            cores_of(read("cpu.cfs_quota_us")?.trim(), read("cpu.cfs_period_us")?.trim())
        }
    };
    place.upwards().iter().filter_map(|dir| quota(dir)).min()
}

/// Parses `cpu.max`: `QUOTA PERIOD` in microseconds, or `max PERIOD`.
pub fn parse_cpu_max(text: &str) -> Option<u32> {
    let (quota, period) = text.trim().split_once(' ')?;
    cores_of(quota, period)
}

/// `max` and -1 mean no quota.
fn cores_of(quota_us: &str, period_us: &str) -> Option<u32> {
    let quota: u64 = quota_us.parse().ok()?;
    let period: u64 = period_us.parse().ok().filter(|period| *period > 0)?;
    u32::try_from(quota.div_ceil(period)).ok()
}

/// The id of this boot: what was measured before it may have been measured on another kernel.
pub fn boot_id(root: &Path) -> Result<String, Refusal> {
    Ok(text(&root.join("proc/sys/kernel/random/boot_id"))?.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_tells_what_it_has() {
        let check = |text: &str, expect: [Option<u64>; 3]| {
            let memory = parse_meminfo(text);
            assert_eq!([memory.total_bytes, memory.available_bytes, memory.swap_bytes], expect, "{text:?}");
        };
        let whole = "MemTotal:       24684324 kB\nMemFree:        1 kB\nMemAvailable:   23000000 kB\nSwapTotal:             0 kB\n";
        check(whole, [Some(24684324 << 10), Some(23000000 << 10), Some(0)]);
        check("MemTotal: 10 kB\nMemFree: 5 kB\n", [Some(10240), None, None]);
        check("MemTotal: many kB\n", [None; 3]);
        check("MemTotal: 10\n", [None; 3]);
        check("MemTotal: 18446744073709551615 kB\n", [None; 3]);
        check("", [None; 3]);
    }

    #[test]
    fn the_soft_limit_is_read() {
        let check = |text: &str, expect: [Option<u64>; 2]| {
            let limits = parse_limits(text);
            assert_eq!([limits.address_space_bytes, limits.data_bytes], expect, "{text:?}");
        };
        check(
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max data size             2147483648           unlimited            bytes     \n\
             Max address space         unlimited            unlimited            bytes     \n",
            [None, Some(2 << 30)],
        );
        check("Max address space  1048576 2097152 bytes\n", [Some(1 << 20), None]);
        check("Max address space\n", [None, None]);
    }

    #[test]
    fn a_quota_is_rounded_up_to_cores() {
        let check = |text: &str, expect: Option<u32>| assert_eq!(parse_cpu_max(text), expect, "{text:?}");
        check("max 100000\n", None);
        check("200000 100000\n", Some(2));
        check("150000 100000\n", Some(2));
        check("50000 100000\n", Some(1));
        check("50000 0\n", None);
        check("50000\n", None);
        check("", None);
    }
}
