//! `retry`: an OOM is a failure of the script where a child is killed, and one of the runner where the container is.

use crate::document::Node;
use crate::finding::{Findings, Fix};
use crate::fix::yaml::{add_element, add_key};
use crate::gitlab::job::Job;
use crate::project::Project;
use crate::source::Source;

/// What `plimsoll run` ends with where another attempt can pass.
const TRY_AGAIN: &str = "86";
/// A process that was killed.
const KILLED: &str = "137";

pub fn misses(project: &Project, findings: &mut Findings) {
    for job in &project.jobs {
        // None at all are what is meant.
        let is_on = |node: &&Node| !node.entries().is_empty() && node.text_at(&["max"]) != Some("0");
        let Some(retry) = job.node.get("retry").filter(is_on) else { continue };
        let has = |key: &str, value: &str| {
            let all = retry.get(key).map(Node::one_or_more).unwrap_or_default();
            all.iter().any(|node| node.text() == Some(value))
        };
        let always = has("when", "always");
        let system = always || has("when", "runner_system_failure");
        let script = always || has("when", "script_failure") || has("exit_codes", KILLED);
        let again = always || has("when", "script_failure") || has("exit_codes", TRY_AGAIN);
        let sources = &project.sources;
        if script && !system {
            let place = retry.entry("exit_codes").or(retry.entry("when"));
            let message = format!(
                "the retry of job {} sees a killed process (137) and not a killed container, which GitLab calls runner_system_failure",
                job.name
            );
            push(findings, place, message, added(sources, retry, "when", "runner_system_failure"));
        } else if system && !script {
            let message = format!(
                "the retry of job {} sees a killed container and not a killed process, which GitLab calls script_failure, with exit code 137",
                job.name
            );
            push(findings, retry.entry("when"), message, added(sources, retry, "exit_codes", KILLED));
        } else if (system || script || has("exit_codes", TRY_AGAIN)) && runs_plimsoll(project, job) && !again
        {
            let message =
                format!("job {} runs plimsoll, which ends with 86 where another attempt can pass", job.name);
            push(findings, retry.entries().first(), message, added(sources, retry, "exit_codes", TRY_AGAIN));
        }
    }
}

fn push(findings: &mut Findings, entry: Option<&(Node, Node)>, message: String, fix: Fix) {
    if let Some((key, _)) = entry {
        findings.push(key.span, message, fix);
    }
}

/// With one more value under a key.
fn added(sources: &[Source], retry: &Node, key: &str, value: &str) -> Fix {
    let edit = match retry.get(key) {
        Some(list) => add_element(sources, list, value),
        None => add_key(sources, retry, key, &format!("[{value}]")),
    };
    Fix { text: format!("add {value} to {key}"), edits: edit.into_iter().collect() }
}

fn runs_plimsoll(project: &Project, job: &Job) -> bool {
    let what = format!("job {}", job.name);
    let of_job = project.runs.iter().filter(|run| run.what == what);
    of_job
        .flat_map(|run| &run.steps)
        .any(|step| step.program() == "plimsoll" && step.argv.get(1).is_some_and(|word| word == "run"))
}

pub fn without_max(project: &Project, findings: &mut Findings) {
    for job in &project.jobs {
        let Some(retry) = job.node.get("retry") else { continue };
        let which = retry.entry("when").or(retry.entry("exit_codes"));
        if let (Some((key, _)), None) = (which, retry.get("max")) {
            let name = key.text().unwrap_or_default();
            let message = format!(
                "job {} is never retried: with {name} and without max GitLab retries 0 times",
                job.name
            );
            let edits = add_key(&project.sources, retry, "max", "2").into_iter().collect();
            findings.push(
                key.span,
                message,
                Fix { text: "max: 2, the most that GitLab allows".into(), edits },
            );
        }
    }
}
