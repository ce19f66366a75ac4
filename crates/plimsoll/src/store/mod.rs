//! The store: what is remembered of jobs, one JSON file each, in a folder that survives in a CI cache; and of [`plans`].
//!
//! Nothing here may break a build: what cannot be read is set aside, what cannot be written is said once, and the
//! run goes on with what it knows.

mod file;
mod folder;
pub mod jobs;
pub mod key;
pub mod plans;

pub use folder::folder;

use file::{Found, Locked};
use key::Key;
use plimsoll_core::attempt::{Attempt, ProgramUse};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::profile::{Intent, Profile, Run, VERSION};
use plimsoll_probe::proc;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Jobs remembered in one folder; beyond it those not run for longest are forgotten, so that a CI cache stays small.
const JOBS_MAX: usize = 256;
/// A store may be shared by those who build.
const MODE: u32 = 0o666;

/// One job's memory.
#[derive(Debug)]
pub struct Store {
    path: Option<PathBuf>,
    key: Key,
    /// What is known of the job.
    pub profile: Profile,
    /// What was not possible, one line each.
    pub notes: Vec<String>,
}

impl Store {
    /// Opens what is remembered of this job.
    pub fn open(folder: &Path, key: Key) -> Store {
        let path = folder.join("jobs").join(key.file_name());
        let profile = Profile::new(&key.project, &key.job, &key.command);
        let mut store = Store { path: Some(path), key, profile, notes: Vec::new() };
        store.reload(None);
        store
    }

    /// Records on disk that an attempt is about to start, so that a death of the whole container leaves a trace.
    pub fn begin(&mut self, attempt: Attempt, started_unix_ms: u64) {
        let (pid, pid_start_ticks) = (own_pid(), own_start_ticks());
        let intent = Intent { attempt, started_unix_ms, pid, pid_start_ticks, boot_id: boot_id() };
        self.update(|profile| profile.intend(intent));
    }

    /// Records a run that has ended, and what was learned in it; its intents are settled. Once a run succeeds, what
    /// was lost before it is history: a cancelled job leaves the same trace as a killed container.
    pub fn finish(&mut self, run: Run, learned: &BTreeMap<String, ProgramUse>) {
        let succeeded = run.outcome == Outcome::Succeeded;
        self.update(|profile| {
            profile.settle(own_pid(), own_start_ticks(), &boot_id());
            if succeeded {
                profile.intents.retain(lives);
            }
            profile.learn(learned);
            profile.record(run);
        });
    }

    /// The profile as the ladder wants it: its intents are those whose process is gone, because the container died
    /// with it.
    pub fn evidence(&self) -> Profile {
        let mut profile = self.profile.clone();
        profile.intents.retain(|intent| !lives(intent));
        profile
    }

    /// Takes what is on the disk. What is not understood is read again under the lock before it is set aside:
    /// another job may be doing the same.
    fn reload(&mut self, lock: Option<&Locked>) {
        let Some(path) = self.path.clone() else { return };
        match (file::read(&path, VERSION), lock) {
            (Found::Whole(profile), _) => self.profile = *profile,
            (Found::Nothing, _) => {}
            (Found::Newer(note), _) => self.do_without(note),
            (Found::Unreadable(note), _) => self.do_without(format!("{note}; the run starts without memory")),
            (Found::Corrupt(why), Some(lock)) => self.notes.push(lock.set_aside(&why)),
            (Found::Corrupt(why), None) => match Locked::open(&path) {
                Ok(lock) => self.reload(Some(&lock)),
                Err(error) => self.do_without(format!("{}: not understood ({why}): {error}", path.display())),
            },
        }
    }

    /// Nothing is read or written from here on; the run goes on with what it knows.
    fn do_without(&mut self, note: String) {
        self.notes.push(note);
        self.path = None;
    }

    /// Reads, changes and writes under the job's lock, so that concurrent jobs lose nothing.
    fn update(&mut self, change: impl FnOnce(&mut Profile)) {
        let Some(path) = self.path.clone() else { return change(&mut self.profile) };
        let lock = Locked::open(&path);
        if let Ok(lock) = &lock {
            self.reload(Some(lock));
        }
        change(&mut self.profile);
        if self.path.is_none() {
            return;
        }
        if let Err(error) = lock.and_then(|lock| write(&lock, &self.profile)) {
            let job = &self.key.job;
            self.do_without(format!("{}: nothing will be remembered of {job}: {error}", path.display()));
        }
    }
}

fn write(lock: &Locked, profile: &Profile) -> io::Result<()> {
    lock.replace(&serde_json::to_vec(profile)?, MODE)?;
    lock.forget_oldest(JOBS_MAX);
    Ok(())
}

/// Whether the process that started this attempt still runs, on this boot of this machine.
pub fn lives(intent: &Intent) -> bool {
    intent.boot_id == boot_id() && proc::start_ticks(intent.pid) == Some(intent.pid_start_ticks)
}

fn own_pid() -> i32 {
    std::process::id() as i32
}

fn own_start_ticks() -> u64 {
    proc::start_ticks(own_pid()).unwrap_or(0)
}

/// Names this boot of this machine; empty where it is hidden.
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two jobs find the same corrupt file; the second must not set aside what the first has put in its place.
    #[test]
    fn what_another_job_repaired_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let key = || Key { project: "project".into(), job: "job".into(), command: "make".into() };
        let path = folder.path().join("jobs").join(key().file_name());
        let lock = Locked::open(&path).unwrap();
        std::fs::write(&path, "{ half").unwrap();
        let second = std::thread::scope(|scope| {
            let second = scope.spawn(|| Store::open(folder.path(), key()));
            // Long enough to have read the corrupt file and to wait for the lock.
            std::thread::sleep(std::time::Duration::from_millis(100));
            let mut repaired = Profile::new("project", "job", "make");
            repaired.programs.insert("cc1plus".into(), ProgramUse::default());
            write(&lock, &repaired).unwrap();
            drop(lock);
            second.join().unwrap()
        });
        assert_eq!(second.notes, Vec::<String>::new());
        assert!(second.profile.programs.contains_key("cc1plus"));
        assert!(path.exists());
    }
}
