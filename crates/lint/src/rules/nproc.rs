//! Jobs by the number of cores: `nproc` counts those of the node, whatever the container may use.

use crate::document::text::Text;
use crate::finding::{Findings, Severity, advice};
use crate::project::Project;
use crate::runs::{Run, Step};
use crate::source::Span;
use plimsoll_core::size::GIB;

/// What counts cores.
const COUNTERS: [&str; 5] = ["nproc", "_NPROCESSORS_ONLN", "os.cpus()", "cpu_count()", "/proc/cpuinfo"];
/// Flags that take a number of jobs.
const FLAGS: [&str; 9] = [
    "-j",
    "--jobs",
    "--parallel",
    "--maxWorkers",
    "--workers",
    "--concurrency",
    "-n",
    "--numprocesses",
    "-T",
];
/// Variables that do.
const VARIABLES: [&str; 6] = [
    "MAKEFLAGS",
    "CMAKE_BUILD_PARALLEL_LEVEL",
    "CARGO_BUILD_JOBS",
    "GOFLAGS",
    "TURBO_CONCURRENCY",
    "NX_PARALLEL",
];
/// What a compiler may need for a job, as a share of what there is, to say how many fit.
const JOB_BYTES: u64 = GIB;

pub fn check(project: &Project, findings: &mut Findings) {
    for run in &project.runs {
        for step in &run.steps {
            if let Some((span, shown)) = by_cores(step) {
                report(run, span, &shown, findings);
            }
        }
        for setting in run.settings.iter().filter(|setting| VARIABLES.contains(&setting.name.as_str())) {
            if counts(setting.value.as_str()) {
                report(
                    run,
                    setting.value.whole(),
                    &format!("{}={}", setting.name, setting.value.as_str()),
                    findings,
                );
            }
        }
    }
}

fn report(run: &Run, span: Span, shown: &str, findings: &mut Findings) {
    let (severity, within, jobs) = match &run.limit {
        Some(limit) => {
            let jobs = (limit.bytes / JOB_BYTES).max(1);
            (Severity::Warning, format!(" of a limit of {}", limit.shown), jobs.to_string())
        }
        None => (Severity::Info, String::new(), "N".to_string()),
    };
    let message = format!(
        "{}: `{shown}` is as many jobs as the node has cores, and each takes its part{within}",
        run.what
    );
    let fix = format!("-j{jobs} where a job takes 1 GiB, or `plimsoll run`, which lets in as many as fit");
    findings.push_as(severity, span, message, advice(fix));
}

/// The word that says so, and how it is written.
fn by_cores(step: &Step) -> Option<(Span, String)> {
    let words = &step.command.words;
    let is_flag = |word: &str| FLAGS.contains(&word);
    for (at, word) in words.iter().enumerate().skip(1) {
        let value = step.argv.get(at).map_or(word.as_str(), String::as_str);
        let flag = FLAGS.iter().find(|flag| value.starts_with(**flag));
        if flag.is_some() && counts(value) {
            return Some((word.whole(), word.as_str().to_string()));
        }
        let before = step.argv.get(at - 1).map(String::as_str).unwrap_or_default();
        if is_flag(before) && counts(value) {
            let span = words[at - 1].whole();
            return Some((
                Span { end: word.whole().end.max(span.end), ..span },
                format!("{before} {}", word.as_str()),
            ));
        }
        if step.shape.tool == Some("pytest") && auto(before, value) {
            return Some((word.whole(), format!("-n {}", value.trim_start_matches("-n"))));
        }
    }
    endless(step)
}

fn counts(value: &str) -> bool {
    COUNTERS.iter().any(|counter| value.contains(counter))
}

fn auto(before: &str, value: &str) -> bool {
    let is_auto = |value: &str| matches!(value, "auto" | "logical");
    (matches!(before, "-n" | "--numprocesses") && is_auto(value))
        || value.strip_prefix("-n").is_some_and(is_auto)
        || value.strip_prefix("--numprocesses=").is_some_and(is_auto)
}

/// `make -j` without a number: as many as there are.
fn endless(step: &Step) -> Option<(Span, String)> {
    if !matches!(step.program(), "make" | "gmake") {
        return None;
    }
    let is_number = |word: Option<&Text>| {
        word.is_some_and(|word| {
            word.as_str().starts_with(|letter: char| letter.is_ascii_digit() || letter == '$')
        })
    };
    let words = &step.command.words;
    let at = words.iter().position(|word| matches!(word.as_str(), "-j" | "--jobs"))?;
    (!is_number(words.get(at + 1))).then(|| (words[at].whole(), words[at].as_str().to_string()))
}
