//! The decisions behind the files, for programs.

use super::values::{Changed, was};
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::runner::JobSize;
use serde::Serialize;

/// All that was decided.
#[derive(Debug, Serialize)]
pub struct Decisions<'a> {
    schema: &'static str,
    jobs: Vec<Job<'a>>,
    runners: Vec<Runner<'a>>,
}

#[derive(Debug, Serialize)]
struct Job<'a> {
    project: &'a str,
    job: &'a str,
    runs: usize,
    kills: u64,
    request_bytes: Option<u64>,
    limit_bytes: Option<u64>,
    peak_bytes: Option<u64>,
    evidence: Vec<&'a str>,
    /// Why there is no size.
    not_yet: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Runner<'a> {
    name: &'a str,
    settings: Vec<Set<'a>>,
}

#[derive(Debug, Serialize)]
struct Set<'a> {
    key: &'static str,
    value: String,
    before: Option<String>,
    reason: &'a str,
}

impl<'a> Decisions<'a> {
    /// Of these.
    pub fn of(jobs: &'a [JobSize], runners: &'a [Changed]) -> Decisions<'a> {
        let job = |job: &'a JobSize| {
            let size = job.size.as_ref().ok();
            Job {
                project: &job.project,
                job: &job.job,
                runs: job.runs,
                kills: job.kills,
                request_bytes: size.map(|size| size.request_bytes),
                limit_bytes: size.map(|size| size.limit_bytes),
                peak_bytes: size.map(|size| size.peak_bytes),
                evidence: size
                    .map(|size| size.evidence.iter().map(String::as_str).collect())
                    .unwrap_or_default(),
                not_yet: job.size.as_ref().err().map(String::as_str),
            }
        };
        let runner = |changed: &'a Changed| Runner {
            name: &changed.runner.name,
            settings: changed
                .settings
                .iter()
                .map(|setting| Set {
                    key: setting.key.name(),
                    value: Quantity::of_bytes(setting.bytes).into(),
                    before: was(setting, &changed.runner),
                    reason: &setting.reason,
                })
                .collect(),
        };
        Decisions {
            schema: "plimsoll.runner/1",
            jobs: jobs.iter().map(job).collect(),
            runners: runners.iter().map(runner).collect(),
        }
    }
}
