//! A profile's file: locked, replaced as a whole, set aside when it is not understood.

use plimsoll_core::profile::{Profile, VERSION};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A bigger file is not ours.
const BYTES_MAX: u64 = 16 << 20;
/// Others hold the lock for a millisecond at a time; of sixteen that wrote without a pause the unluckiest waited 0.6 s
/// (measured). Who holds it longer than this hangs in the kernel.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// How often a taken lock is tried. Trying every millisecond made nobody wait less (measured).
const LOCK_POLL: Duration = Duration::from_millis(5);
/// Jobs remembered in one folder; beyond it those not run for longest are forgotten, so that a CI cache stays small.
const JOBS_MAX: usize = 256;
/// Files set aside per job; later ones are replaced where they lie.
const ASIDE_MAX: u32 = 9;

/// What a file turned out to be.
#[derive(Debug)]
pub enum Found {
    /// A profile.
    Profile(Box<Profile>),
    /// There is none.
    Nothing,
    /// Written by a newer Plimsoll: left alone.
    Newer(String),
    /// Not understood, and why.
    Corrupt(String),
    /// Not readable: left alone.
    Unreadable(String),
}

/// Reads a profile. Without the lock this is the last one written, never half of one.
pub fn read(path: &Path) -> Found {
    let text = match fs::metadata(path).and_then(|meta| {
        if meta.len() > BYTES_MAX { Err(io::Error::other("larger than 16 MiB")) } else { fs::read(path) }
    }) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => {
            return Found::Unreadable(format!("{}: {error}; the run starts without memory", path.display()));
        }
    };
    let version =
        serde_json::from_slice::<serde_json::Value>(&text).ok().and_then(|value| value["version"].as_u64());
    if version.is_some_and(|version| version > u64::from(VERSION)) {
        return Found::Newer(format!("{}: written by a newer plimsoll, left alone", path.display()));
    }
    match serde_json::from_slice(&text) {
        Ok(profile) => Found::Profile(profile),
        Err(error) => Found::Corrupt(error.to_string()),
    }
}

/// The right to change a profile. One lock for the whole folder: it is held for milliseconds, and a lock that
/// outlives the profiles lets them be removed.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    folder: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits for the lock beside the file; makes the folder.
    pub fn open(path: &Path) -> io::Result<Locked> {
        let folder = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        fs::create_dir_all(&folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        let started = Instant::now();
        loop {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Locked { path: path.to_path_buf(), folder, _lock: lock }),
                Err(rustix::io::Errno::WOULDBLOCK) if started.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(LOCK_POLL);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Renames a file that is not understood; the note says where it is. Only under the lock: another job may have
    /// replaced it by a good one since it was read.
    pub fn set_aside(&self, why: &str) -> String {
        let path = &self.path;
        let aside = (1..=ASIDE_MAX)
            .map(|n| path.with_extension(format!("corrupt-{n}")))
            .find(|aside| !aside.exists());
        match aside.filter(|aside| fs::rename(path, aside).is_ok()) {
            Some(aside) => {
                format!("{}: not understood ({why}), set aside as {}", path.display(), aside.display())
            }
            None => format!("{}: not understood ({why}), will be replaced", path.display()),
        }
    }

    /// Replaces the file: whoever dies in between leaves the old one or the new one. What is written first has one
    /// name, so that a thousand killed writers leave one file and not a thousand.
    pub fn write(&self, profile: &Profile) -> io::Result<()> {
        let text = serde_json::to_vec(profile)?;
        let fresh = self.path.with_extension("new");
        let written = write_durably(&fresh, &text).and_then(|()| fs::rename(&fresh, &self.path));
        if let Err(error) = written {
            // On a full disk half a file is in everybody's way. There may be none.
            let _ = fs::remove_file(&fresh);
            return Err(error);
        }
        self.forget_oldest();
        File::open(&self.folder)?.sync_all()
    }

    /// Keeps the folder within [`JOBS_MAX`]. What cannot be listed or removed stays.
    fn forget_oldest(&self) {
        let profiles = || {
            let entries =
                fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
            entries.filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        };
        let count = profiles().count();
        if count <= JOBS_MAX {
            return;
        }
        let changed = |path: &PathBuf| {
            path.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
        };
        let mut by_age: Vec<PathBuf> = profiles().collect();
        by_age.sort_by_cached_key(changed);
        for oldest in by_age.iter().filter(|path| **path != self.path).take(count - JOBS_MAX) {
            let _ = fs::remove_file(oldest);
        }
    }
}

fn write_durably(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.json");
        assert!(matches!(read(&path), Found::Nothing));
        fs::write(&path, r#"{"version": 99}"#).unwrap();
        assert!(matches!(read(&path), Found::Newer(_)));
        let lock = Locked::open(&path).unwrap();
        for n in 1..=ASIDE_MAX {
            fs::write(&path, "{ half").unwrap();
            assert!(matches!(read(&path), Found::Corrupt(_)));
            assert!(lock.set_aside("half").contains(&format!("job.corrupt-{n}")));
            assert!(!path.exists());
        }
        fs::write(&path, "{ half").unwrap();
        assert!(lock.set_aside("half").contains("will be replaced"));
        assert!(path.exists());
    }

    #[test]
    fn written_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs/job.json");
        let profile = Profile::new("project", "job", "make");
        Locked::open(&path).unwrap().write(&profile).unwrap();
        assert!(matches!(read(&path), Found::Profile(read) if *read == profile));
    }

    #[test]
    fn the_oldest_jobs_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let of = |job: usize| folder.path().join(format!("job-{job}.json"));
        for job in 0..JOBS_MAX + 3 {
            let file = File::create(of(job)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(job as u64)).unwrap();
        }
        fs::write(folder.path().join("job-0.corrupt-1"), "").unwrap();
        // The one being written is the oldest of all until it is written.
        Locked::open(&of(0)).unwrap().write(&Profile::new("project", "job", "make")).unwrap();
        let left: Vec<usize> = (0..JOBS_MAX + 3).filter(|job| of(*job).exists()).collect();
        assert_eq!(left.len(), JOBS_MAX);
        assert_eq!(left[..2], [0, 4], "the latest and those that follow the oldest three");
    }
}
