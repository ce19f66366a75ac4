//! CPU time of the build's processes that have ended, from our own `/proc/self/stat` (`cutime` and `cstime`,
//! proc(5)): what dead attempts cost.

/// Milliseconds of CPU, user and system, of all reaped children and theirs; 0 where /proc is not readable.
pub fn children_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name may contain spaces; the fields after it do not.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    (ticks(13) + ticks(14)) * 1000 / rustix::param::clock_ticks_per_second()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_child_s_time_is_counted() {
        let before_ms = super::children_ms();
        let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", script]).status().unwrap().success());
        assert!(super::children_ms() > before_ms);
    }
}
