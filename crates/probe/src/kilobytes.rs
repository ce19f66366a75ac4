//! Lines such as `MemAvailable:  23000000 kB`, as `/proc/meminfo` and `/proc/PID/smaps_rollup` have them (proc(5)).

/// The value of this key in bytes; `None` where there is no such line or no number in it that fits.
pub(crate) fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}
