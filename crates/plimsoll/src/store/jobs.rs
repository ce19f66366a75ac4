//! All jobs that a store remembers, each in one line: how it ended last, and what it needs by all that is known of it.

use plimsoll_core::mode::Mode;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::profile::{Profile, VERSION};
use plimsoll_core::recommend::Policy;
use plimsoll_core::runner::remembered_size;
use serde::Serialize;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Longer lists are cut.
const JOBS_MAX: usize = 10_000;
/// A bigger file is not ours, in bytes, as for a run.
const BYTES_MAX: u64 = 16 << 20;

/// A job in one line.
#[derive(Debug, Serialize)]
pub struct Job {
    /// Project.
    pub project: String,
    /// Its name.
    pub job: String,
    /// The shape of its command.
    pub command: String,
    /// Runs that are remembered.
    pub runs: usize,
    /// How the last one ended.
    pub outcome: Option<Outcome>,
    /// When, in milliseconds since 1970.
    pub ended_unix_ms: Option<u64>,
    /// What it went by at the end.
    pub mode: Option<Mode>,
    /// What it took at its peak, in bytes.
    pub peak_bytes: Option<u64>,
    /// What it had, in bytes.
    pub budget_bytes: Option<u64>,
    /// What the job should request, in bytes.
    pub request_bytes: Option<u64>,
    /// What it should be limited to, in bytes.
    pub limit_bytes: Option<u64>,
}

impl Job {
    /// Of what is remembered of it.
    pub fn of(profile: &Profile) -> Job {
        let last = profile.runs.last();
        let attempt = last.and_then(|run| run.attempts.last());
        let budget_bytes = attempt.and_then(|attempt| attempt.budget_bytes);
        let size = remembered_size(profile, &Policy::default()).ok();
        Job {
            project: profile.project.clone(),
            job: profile.job.clone(),
            command: profile.command.clone(),
            runs: profile.runs.len(),
            outcome: last.map(|run| run.outcome),
            ended_unix_ms: last.map(|run| run.ended_unix_ms),
            mode: attempt.map(|attempt| attempt.setting.mode),
            peak_bytes: attempt.and_then(|attempt| attempt.census.peak_bytes),
            budget_bytes,
            request_bytes: size.as_ref().map(|size| size.request_bytes),
            limit_bytes: size.as_ref().map(|size| size.limit_bytes),
        }
    }
}

/// Every profile in the store of this folder that is understood, by project and job; none where there is no store.
///
/// # Errors
///
/// Where it cannot be listed, with its place.
pub fn remembered(store: &Path) -> Result<Vec<(PathBuf, Profile)>, (PathBuf, io::Error)> {
    let folder = store.join("jobs");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err((folder, error)),
    };
    let paths = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"));
    let mut jobs: Vec<_> =
        paths.take(JOBS_MAX).filter_map(|path| Some((path.clone(), look(&path)?))).collect();
    jobs.sort_by(|(_, a), (_, b)| (&a.project, &a.job, &a.command).cmp(&(&b.project, &b.job, &b.command)));
    Ok(jobs)
}

/// The profile in a file, where it is understood; only a run sets others aside.
fn look(path: &Path) -> Option<Profile> {
    let file = std::fs::File::open(path).ok()?;
    let mut text = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice::<Profile>(&text).ok().filter(|profile| profile.version <= VERSION)
}
