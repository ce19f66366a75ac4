//! What CI jobs should ask for, and what a GitLab runner has to let them, from what is remembered of the jobs.
//!
//! Both are functions of the profiles and of what the runner says now, so that the same profiles give the same settings.
//! A job's pod lives as long as the job: where several commands of it are remembered, the largest counts.

mod settings;
#[cfg(test)]
mod tests;

pub use settings::{Key, Now, Setting, settings};

use crate::attempt::Attempt;
use crate::profile::Profile;
use crate::recommend::{Grounds, Policy, Recommendation, recommend};
use crate::size::{GIB, human};
use std::collections::BTreeMap;

/// Runs that have to be alike before a job gets a size that no kill asks for.
pub const RUNS_MIN: usize = 3;

/// What a job should ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSize {
    /// The repository.
    pub project: String,
    /// Its name in the pipeline: cells of a matrix and parts of a parallel job are one.
    pub job: String,
    /// False where it is known by its command alone, as outside of CI.
    pub is_named: bool,
    /// Runs that are remembered, of all its commands.
    pub runs: usize,
    /// Kernel kills that were counted in them.
    pub kills: u64,
    /// The size; where nobody can say yet, why not.
    pub size: Result<Size, String>,
}

/// A request and a limit, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// What to reserve, in bytes.
    pub request_bytes: u64,
    /// What to bound it with, in bytes.
    pub limit_bytes: u64,
    /// The highest peak that counts, in bytes.
    pub peak_bytes: u64,
    /// Peaks that count: of runs that have passed alike.
    pub peaks: usize,
    /// A sentence for each command, in their order.
    pub evidence: Vec<String>,
}

/// The size of each job, by project and name. `runs_min`: as [`RUNS_MIN`].
pub fn jobs(profiles: &[Profile], runs_min: usize) -> Vec<JobSize> {
    let mut by_job: BTreeMap<(&str, &str), Vec<&Profile>> = BTreeMap::new();
    for profile in profiles {
        by_job.entry((&profile.project, pipeline_name(&profile.job))).or_default().push(profile);
    }
    let sized = by_job.into_iter().map(|((project, job), mut profiles)| {
        profiles.sort_by(|one, other| (&one.command, &one.job).cmp(&(&other.command, &other.job)));
        JobSize {
            project: project.to_string(),
            job: job.to_string(),
            is_named: profiles.iter().any(|profile| profile.job != profile.command),
            runs: profiles.iter().map(|profile| profile.runs.len()).sum(),
            kills: attempts(&profiles).filter_map(|attempt| attempt.kernel_kills).sum(),
            size: size(&profiles, runs_min),
        }
    });
    sized.collect()
}

/// The name a job has in the file: GitLab calls parts of it `build 1/4`, and cells of a matrix `build: [a, b]`
/// (<https://docs.gitlab.com/ci/yaml/#parallel>).
pub fn pipeline_name(job: &str) -> &str {
    if let Some((name, _)) = job.split_once(": [").filter(|(name, _)| job.ends_with(']') && !name.is_empty())
    {
        return name;
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match job.rsplit_once(' ').and_then(|(name, part)| Some((name, part.split_once('/')?))) {
        Some((name, (part, of))) if !name.is_empty() && is_number(part) && is_number(of) => name,
        _ => job,
    }
}

fn attempts<'a>(profiles: &'a [&Profile]) -> impl Iterator<Item = &'a Attempt> {
    profiles.iter().flat_map(|profile| &profile.runs).flat_map(|run| &run.attempts)
}

/// The largest of its commands; of none where one of them has no size.
fn size(profiles: &[&Profile], runs_min: usize) -> Result<Size, String> {
    let mut size = Size { request_bytes: 0, limit_bytes: 0, peak_bytes: 0, peaks: 0, evidence: Vec::new() };
    for profile in profiles {
        let of = of_command(profile, runs_min).map_err(|why| format!("{}: {why}", profile.command))?;
        size.request_bytes = size.request_bytes.max(of.request_bytes);
        size.limit_bytes = size.limit_bytes.max(of.limit_bytes);
        size.peak_bytes = size.peak_bytes.max(of.peak_bytes);
        size.peaks += of.peaks;
        size.evidence.push(format!("{}: {}", profile.command, of.reason));
    }
    Ok(size)
}

fn of_command(profile: &Profile, runs_min: usize) -> Result<Recommendation, String> {
    let policy = Policy::default();
    let mut of = remembered_size(profile, &policy).map_err(|not_yet| not_yet.reason)?;
    // A kill says that the limit is too small, however few have passed since.
    if of.peaks < runs_min && of.deaths == 0 {
        let runs = if of.peaks == 1 { "1 run has" } else { "runs have" };
        let count = if of.peaks == 1 { String::new() } else { format!("{} ", of.peaks) };
        return Err(format!("{count}{runs} passed alike (peak {}), of {runs_min}", human(of.peak_bytes)));
    }
    // What was measured is the limit less what others used in it, a little else each time: without whole steps limits would
    // creep down from run to run.
    of.limit_bytes = of.limit_bytes.next_multiple_of(policy.step_bytes);
    of.request_bytes = of.request_bytes.next_multiple_of(policy.step_bytes).min(of.limit_bytes);
    Ok(of)
}

/// The size by what is remembered alone: the last budget stands for the limit in force.
pub fn remembered_size(
    profile: &Profile,
    policy: &Policy,
) -> Result<Recommendation, crate::recommend::NotYet> {
    let last = profile.runs.last().and_then(|run| run.attempts.last());
    let limit_now_bytes = last.and_then(|attempt| attempt.budget_bytes);
    recommend(Grounds { runs: &profile.runs, limit_now_bytes, need_bytes: None }, policy)
}

/// Steps that a BuildKit daemon should run at once in so much memory, at least one: it limits the memory of none, so that their number
/// is all that bounds their sum. One for each 2 GiB, as `plimsoll check` says (docs/check/buildkit-parallelism.md).
pub fn buildkit_steps(memory_bytes: u64) -> u64 {
    (memory_bytes / (2 * GIB)).max(1)
}
