//! The report in words: what summary and page say the same way.

use super::report::{AttemptPart, RecommendPart, RunReport};
use plimsoll_core::outcome::{Cause, Outcome};
use plimsoll_core::size::{MIB, human};

/// An outcome as people say it.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::OutOfMemory => "out of memory",
        Outcome::TimedOut => "timed out",
        Outcome::Signalled => "signalled",
        Outcome::Abandoned => "abandoned",
    }
}

pub fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::HeapLimit => "heap limit reached with room left",
        Cause::KernelKill => "killed by the kernel",
        Cause::HeapLimitAndKernelKill => "heap limit reached with no room left",
        Cause::GcThrash => "garbage collection ate the run",
        Cause::Livelock => "its code was read back again and again",
        Cause::LimitReached => "the limit was reached",
        Cause::AllocationRefused => "an allocation was refused",
    }
}

/// `1:23` and `1:02:03` from a minute on, else `34 s`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) if ms < 10_000 => format!("{:.1} s", ms as f64 / 1000.0),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The highest peak of the attempts, in bytes.
pub fn peak_bytes(report: &RunReport) -> Option<u64> {
    report.attempts.iter().filter_map(|attempt| attempt.peak_bytes).max()
}

/// `1 kernel kill, 2 freezes`; what did not happen is left out.
pub fn events(attempt: &AttemptPart) -> Vec<String> {
    let kinds = [
        (attempt.kernel_kills.unwrap_or(0), "kernel kill", "kernel kills"),
        (attempt.heap_errors, "heap error", "heap errors"),
        (attempt.freezes, "freeze", "freezes"),
    ];
    kinds
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| count(number, one, many))
        .collect()
}

/// `8 jobs, heap 1.5 GiB`.
pub fn setting(attempt: &AttemptPart) -> String {
    let jobs = count(attempt.jobs.into(), "job", "jobs");
    attempt.heap_bytes.map_or(jobs.clone(), |heap| format!("{jobs}, heap {}", human(heap)))
}

/// The recommendation as GitLab's variables.
pub fn gitlab(recommend: &RecommendPart) -> [(&'static str, String); 2] {
    let mib = |bytes: u64| format!("{}Mi", bytes.div_ceil(MIB));
    [
        ("KUBERNETES_MEMORY_REQUEST", mib(recommend.request_bytes)),
        ("KUBERNETES_MEMORY_LIMIT", mib(recommend.limit_bytes)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |ms, expect: &str| assert_eq!(duration(ms), expect);
        check(0, "0.0 s");
        check(1_250, "1.2 s");
        check(34_900, "34 s");
        check(83_000, "1:23");
        check(3_723_000, "1:02:03");
    }
}
