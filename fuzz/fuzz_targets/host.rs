//! `/proc/meminfo`, `/proc/PID/limits` and `cpu.max`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_probe::host::{parse_cpu_max, parse_limits, parse_meminfo};

fuzz_target!(|text: &str| {
    let _ = (parse_meminfo(text), parse_limits(text), parse_cpu_max(text));
});
