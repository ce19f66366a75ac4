//! The run as OpenMetrics text, for GitLab's `artifacts:reports:metrics` and Prometheus.
//!
//! GitLab compares values as strings, so they are whole MiB and seconds; what is unknown is absent, never zero.

use super::report::{AttemptPart, RunReport};
use super::words;
use plimsoll_core::size::MIB;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The text, ending in `# EOF`.
pub fn openmetrics(report: &RunReport) -> String {
    let mut registry = Registry::with_prefix("plimsoll_run");
    let mut gauge = |name: &str, help: &str, value: Option<u64>| {
        if let Some(value) = value {
            let gauge = Gauge::<i64>::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            registry.register(name, help, gauge);
        }
    };
    let mib = |bytes: Option<u64>| bytes.map(|bytes| (bytes + MIB / 2) / MIB);
    let sum = |of: fn(&AttemptPart) -> Option<u64>| report.attempts.iter().map(of).sum::<Option<u64>>();
    gauge("peak_mebibytes", "Highest memory that could not be reclaimed", mib(words::peak_bytes(report)));
    gauge("budget_mebibytes", "Memory the build had", mib(report.budget.bytes));
    gauge("need_mebibytes", "Memory the build needs", mib(report.need_bytes));
    gauge("wall_seconds", "Wall time of all attempts", Some((report.wall_ms + 500) / 1000));
    gauge("attempts", "Attempts made", Some(report.attempts.len() as u64));
    gauge(
        "kernel_kills",
        "Processes killed by the kernel for want of memory",
        sum(|attempt| attempt.kernel_kills),
    );
    gauge("heap_errors", "Heap errors of runtimes", sum(|attempt| Some(attempt.heap_errors)));
    gauge("freezes", "Times a branch of the build was frozen", sum(|attempt| Some(attempt.freezes)));
    // A gauge and not OpenMetrics' `info`, a type promtool refuses.
    let outcome = Family::<[(&str, String); 1], Gauge>::default();
    outcome.get_or_create(&[("outcome", words::outcome(report.outcome).replace(' ', "_"))]).set(1);
    registry.register("outcome_info", "How the run ended", outcome);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &registry);
    text
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use insta::assert_snapshot;
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn all_that_is_known() {
        assert_snapshot!(openmetrics(&sample::rescued()), @r#"
        # HELP plimsoll_run_peak_mebibytes Highest memory that could not be reclaimed.
        # TYPE plimsoll_run_peak_mebibytes gauge
        plimsoll_run_peak_mebibytes 2040
        # HELP plimsoll_run_budget_mebibytes Memory the build had.
        # TYPE plimsoll_run_budget_mebibytes gauge
        plimsoll_run_budget_mebibytes 2048
        # HELP plimsoll_run_wall_seconds Wall time of all attempts.
        # TYPE plimsoll_run_wall_seconds gauge
        plimsoll_run_wall_seconds 34
        # HELP plimsoll_run_attempts Attempts made.
        # TYPE plimsoll_run_attempts gauge
        plimsoll_run_attempts 2
        # HELP plimsoll_run_kernel_kills Processes killed by the kernel for want of memory.
        # TYPE plimsoll_run_kernel_kills gauge
        plimsoll_run_kernel_kills 1
        # HELP plimsoll_run_heap_errors Heap errors of runtimes.
        # TYPE plimsoll_run_heap_errors gauge
        plimsoll_run_heap_errors 0
        # HELP plimsoll_run_freezes Times a branch of the build was frozen.
        # TYPE plimsoll_run_freezes gauge
        plimsoll_run_freezes 2
        # HELP plimsoll_run_outcome_info How the run ended.
        # TYPE plimsoll_run_outcome_info gauge
        plimsoll_run_outcome_info{outcome="succeeded"} 1
        # EOF
        "#);
    }

    #[test]
    fn the_unknown_is_absent() {
        let mut report = sample::rescued();
        report.attempts[0].kernel_kills = None;
        let text = openmetrics(&report);
        assert!(
            !text.contains("kernel_kills") && !text.contains("need") && text.ends_with("# EOF\n"),
            "{text}"
        );
    }

    #[test]
    fn promtool_takes_it() {
        let promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut promtool) = promtool else {
            eprintln!("skipped: promtool is not installed");
            return;
        };
        let mut stdin = promtool.stdin.take().unwrap();
        stdin.write_all(openmetrics(&sample::rescued()).as_bytes()).unwrap();
        drop(stdin);
        let done = promtool.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}
