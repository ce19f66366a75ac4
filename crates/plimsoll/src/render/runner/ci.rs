//! `plimsoll.gitlab-ci.yml`: what a pipeline includes to give its jobs memory, retries that see every class of memory death, and a cache
//! for what is remembered of them.

use super::now::{Beside, JobNow, PipelineNow, Was};
use super::{CI_FILE, VALUES_FILE, comment, count, yaml};
use crate::exit::Exit;
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::outcome::Exit as ChildExit;
use plimsoll_core::runner::{JobSize, Size};
use std::fmt::Write;

/// SIGKILL, as a shell says it: the kernel killed a process of the job.
const KILLED: ChildExit = ChildExit::Signal(9);
/// Job names may have letters that a cache's key may not; and each job has a store of its own, as the last of those that run at once
/// would put its copy over that of the others.
const CACHE_KEY: &str = "plimsoll-$CI_JOB_NAME_SLUG";
const STORE: &str = "PLIMSOLL_STORE: $CI_PROJECT_DIR/.plimsoll";

/// What is written, and what people have to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub text: String,
    /// What it cannot do by itself, a line each.
    pub notes: Vec<String>,
}

/// The file for these jobs. `pipeline`: what is set now, where that is known. `named`: jobs that were asked for by name, which are written
/// though a pipeline that is not whole here does not show them.
pub fn include(jobs: &[JobSize], pipeline: Option<&PipelineNow>, named: &[String]) -> Written {
    let mut written = Written { text: head(), notes: Vec::new() };
    let mut left = Vec::new();
    for job in jobs {
        let now = pipeline.and_then(|pipeline| pipeline.jobs.get(&job.job));
        let is_there = match pipeline {
            Some(pipeline) => now.is_some() || (!pipeline.is_whole && named.contains(&job.job)),
            None => job.is_named || named.contains(&job.job),
        };
        match &job.size {
            // A job that is nowhere else has no script, and with it no pipeline starts.
            _ if !is_there => left.push((job, absent(pipeline))),
            Ok(size) => write_job(&mut written, job, size, now),
            Err(why) => left.push((job, format!("no size yet: {why}"))),
        }
    }
    if !left.is_empty() {
        written.text.push_str("\n# Left alone:\n");
    }
    for (job, why) in left {
        let _ = writeln!(written.text, "#   {}: {}", comment(&job.job), comment(&why));
        written.notes.push(format!("{}: {why}", job.job));
    }
    written
}

fn absent(pipeline: Option<&PipelineNow>) -> String {
    let name = pipeline.map_or("the pipeline", |pipeline| pipeline.name.as_str());
    match pipeline {
        Some(pipeline) if !pipeline.is_whole => {
            format!("not in {name} as far as it can be read here; --job names it all the same")
        }
        Some(_) => format!("not in {name}"),
        None => "has no job's name, as it ran outside of CI; plimsoll run --job gives it one".to_string(),
    }
}

fn head() -> String {
    format!(
        "\
# Written by plimsoll render runner from what is remembered of jobs; the same is written until that changes.
# Apply:     the runner first ({VALUES_FILE}), as it ignores or refuses what it does not allow; then include this in
#            .gitlab-ci.yml, as the last file:
#              include:
#                - local: {CI_FILE}
# Take back: git revert, or what plimsoll render runner --undo writes in this file's place.
# Request:   nine of ten runs stay below it. Limit: what wastes least by the runs before, where a death costs as much as an
#            average run; up only after a kill, down by half at most. plimsoll jobs show JOB has the runs.

# For jobs that run under plimsoll and have no size yet: extends: .plimsoll
.plimsoll:
  variables:
    {STORE}
{}{}",
        cache(&[]),
        retry()
    )
}

/// Kept of failed jobs too: a retry starts below what died.
fn cache(others: &[String]) -> String {
    let mut text = "  cache:\n".to_string();
    for other in others {
        let _ = writeln!(text, "    - {other}");
    }
    let _ = writeln!(
        text,
        "    - key: {CACHE_KEY}\n      paths: [.plimsoll]\n      when: always # of jobs that failed, too: a retry starts below what died"
    );
    text
}

fn retry() -> String {
    let (again, killed) = (Exit::TryAgain.code(), KILLED.shell_code());
    format!(
        "  retry:\n    max: 2\n    when: [runner_system_failure] # the kernel killed the whole container\n    \
         exit_codes: [{again}, {killed}] # plimsoll says that another attempt can pass; the kernel killed a process\n"
    )
}

fn write_job(written: &mut Written, job: &JobSize, size: &Size, now: Option<&JobNow>) {
    let text = &mut written.text;
    let evidence = format!("{}, {}", count(job.runs as u64, "run"), count(job.kills, "kernel kill"));
    let _ = writeln!(text, "\n# {}: {evidence}", comment(&job.job));
    for line in &size.evidence {
        let _ = writeln!(text, "#   {}", comment(line));
    }
    let _ = writeln!(text, "{}:\n  variables:\n    {STORE}", yaml::text(&job.job));
    let none = |now: &Option<Was>| {
        now.as_ref().map_or("unset".to_string(), |was| format!("{} in {}", was.text, was.place))
    };
    for (name, bytes, was) in [
        ("KUBERNETES_MEMORY_REQUEST", size.request_bytes, now.map(|now| &now.request)),
        ("KUBERNETES_MEMORY_LIMIT", size.limit_bytes, now.map(|now| &now.limit)),
    ] {
        let amount = String::from(Quantity::of_bytes(bytes));
        let before = was.map_or(String::new(), |was| format!(" # before: {}", comment(&none(was))));
        let _ = writeln!(text, "    {name}: {}{before}", yaml::amount(&amount));
        if let Some(was) = was.and_then(Option::as_ref).filter(|was| was.wins && was.text != amount) {
            written.notes.push(format!(
                "{}: {name} of {} wins over what is included; write {amount} there, or take it out",
                job.job, was.place
            ));
        }
    }
    let ours = Beside::Ours(Vec::new());
    let (cache_now, retry_now) = now.map_or((&ours, &ours), |now| (&now.cache, &now.retry));
    match cache_now {
        Beside::Enough => text.push_str("  # cache: stays, it keeps .plimsoll\n"),
        Beside::Ours(others) => text.push_str(&cache(others)),
        Beside::Theirs(place) => {
            let _ = writeln!(text, "  # cache: that of {} counts", comment(place));
            written.notes.push(format!(
                "{}: the cache of {place} counts; add to it: {{key: {CACHE_KEY}, paths: [.plimsoll], when: always}}",
                job.job
            ));
        }
    }
    match retry_now {
        Beside::Enough => text.push_str("  # retry: stays, it sees every memory death\n"),
        Beside::Ours(_) => text.push_str(&retry()),
        Beside::Theirs(place) => {
            let _ = writeln!(text, "  # retry: that of {} counts", comment(place));
            let note = format!(
                "{}: the retry of {place} misses memory deaths, and counts; see plimsoll ci retry --gitlab",
                job.job
            );
            written.notes.push(note);
        }
    }
}

/// The file that says what was. A pipeline may not include a file without anything in it, and jobs may extend `.plimsoll`.
pub fn undo(jobs: &[JobSize], pipeline: &PipelineNow) -> String {
    let mut text = "\
# Written by plimsoll render runner --undo: what was set before. Cache and retry are as they were without it.
# Once it is in the pipeline, this file and its include may go.

.plimsoll:
  variables: {}
"
    .to_string();
    for job in jobs {
        let Some(now) = pipeline.jobs.get(&job.job) else { continue };
        let both = [("KUBERNETES_MEMORY_REQUEST", &now.request), ("KUBERNETES_MEMORY_LIMIT", &now.limit)];
        if both.iter().all(|(_, was)| was.is_none()) {
            let _ = writeln!(text, "\n# {}: nothing was set", comment(&job.job));
            continue;
        }
        let _ = writeln!(text, "\n{}:\n  variables:", yaml::text(&job.job));
        for (name, was) in both {
            let _ = match was {
                Some(was) => {
                    writeln!(text, "    {name}: {} # {}", yaml::amount(&was.text), comment(&was.place))
                }
                None => writeln!(text, "    # {name}: unset"),
            };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One block for all who print it.
    #[test]
    fn the_retry_is_that_of_plimsoll_ci() {
        let mut out = Vec::new();
        crate::commands::ci::print_retry(&mut out).unwrap();
        let read = |text: &str| serde_saphyr::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&retry()), read(&String::from_utf8(out).unwrap()));
    }
}
