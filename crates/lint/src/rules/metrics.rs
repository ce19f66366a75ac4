//! `artifacts:reports:metrics` with values that no two runs share: GitLab compares them as texts, and shows each as changed.

use crate::document::Node;
use crate::document::text::Text;
use crate::finding::{Findings, advice};
use crate::project::Project;
use crate::runs::Step;
use crate::source::Span;

/// What differs between any two runs.
const DIFFERENT: [&str; 22] = [
    "$(date",
    "`date",
    "$RANDOM",
    "$EPOCHSECONDS",
    "$SECONDS",
    "$CI_JOB_ID",
    "$CI_PIPELINE_ID",
    "$CI_PIPELINE_IID",
    "$CI_COMMIT_SHA",
    "$CI_COMMIT_SHORT_SHA",
    "$CI_JOB_STARTED_AT",
    "$CI_PIPELINE_CREATED_AT",
    "memory.peak",
    "memory.current",
    "memory.max_usage_in_bytes",
    "memory.usage_in_bytes",
    "/proc/self/status",
    "/proc/meminfo",
    "VmHWM",
    "VmPeak",
    "maxrss",
    "ps -o rss",
];
/// What makes a number of bytes one that stays: it is rounded.
const ROUNDED: [&str; 5] = ["/1048576", "/ 1048576", "1024 / 1024", "/1024/1024", "/ 1024"];

pub fn check(project: &Project, findings: &mut Findings) {
    for job in &project.jobs {
        let files =
            job.node.at(&["artifacts", "reports", "metrics"]).map(Node::one_or_more).unwrap_or_default();
        let names: Vec<&str> = files.iter().filter_map(|node| node.text()).collect();
        if names.is_empty() {
            continue;
        }
        let what = format!("job {}", job.name);
        for step in project.runs.iter().filter(|run| run.what == what).flat_map(|run| &run.steps) {
            if writes(step, &names) {
                judge(&job.name, step, findings);
            }
        }
    }
}

fn writes(step: &Step, names: &[&str]) -> bool {
    let is_it = |text: &Text| {
        names.iter().any(|name| text.as_str().trim_start_matches("./") == name.trim_start_matches("./"))
    };
    step.command.redirects.iter().any(is_it)
        || (step.program() == "tee" && step.command.words.iter().any(is_it))
}

fn judge(job: &str, step: &Step, findings: &mut Findings) {
    let texts = step.command.words.iter().chain(&step.command.here);
    for text in texts {
        let plain = text.as_str().replace("${", "$");
        let Some(found) = DIFFERENT.iter().find(|part| plain.contains(**part)) else { continue };
        if ROUNDED.iter().any(|part| plain.contains(part)) {
            continue;
        }
        let message = format!(
            "a metric of job {job} has {found} in it: GitLab compares metrics as texts, and each merge request shows it as changed"
        );
        let fix = "write what stays the same: bytes rounded to MiB, no times and ids; `plimsoll run --metrics` writes such a file";
        findings.push(place(text, found), message, advice(fix));
        return;
    }
}

/// The part, or the text it is in.
fn place(text: &Text, found: &str) -> Span {
    let written = found.replacen('$', "${", 1);
    let at = [found, written.as_str()].iter().find_map(|part| Some((text.as_str().find(part)?, part.len())));
    at.map_or(text.whole(), |(at, len)| text.span(at..at + len))
}
