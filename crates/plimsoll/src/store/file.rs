//! A file of the store: locked, replaced as a whole, set aside when it is not understood.

use rustix::fs::{FlockOperation, flock};
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A bigger file is not ours.
const BYTES_MAX: u64 = 16 << 20;
/// Others hold the lock for a millisecond at a time; of sixteen that wrote without a pause the unluckiest waited 0.6 s
/// (measured). Who holds it longer than this hangs in the kernel.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// How often a taken lock is tried. Trying every millisecond made nobody wait less (measured).
const LOCK_POLL: Duration = Duration::from_millis(5);
/// Files set aside per name; later ones are replaced where they lie.
const ASIDE_MAX: u32 = 9;

/// What a file turned out to be.
#[derive(Debug)]
pub enum Found<T> {
    /// What it should be.
    Whole(Box<T>),
    /// There is none.
    Nothing,
    /// Written by a newer Plimsoll: left alone.
    Newer(String),
    /// Not understood, and why.
    Corrupt(String),
    /// Not readable: left alone.
    Unreadable(String),
}

/// Reads a file that says its `version`, which is known up to this one. Without the lock this is the last one written,
/// never half of one.
pub fn read<T: DeserializeOwned>(path: &Path, version_max: u32) -> Found<T> {
    let text = match fs::metadata(path).and_then(|meta| {
        if meta.len() > BYTES_MAX { Err(io::Error::other("larger than 16 MiB")) } else { fs::read(path) }
    }) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Unreadable(format!("{}: {error}", path.display())),
    };
    let version =
        serde_json::from_slice::<serde_json::Value>(&text).ok().and_then(|value| value["version"].as_u64());
    if version.is_some_and(|version| version > u64::from(version_max)) {
        return Found::Newer(format!("{}: written by a newer plimsoll, left alone", path.display()));
    }
    match serde_json::from_slice(&text) {
        Ok(whole) => Found::Whole(whole),
        Err(error) => Found::Corrupt(error.to_string()),
    }
}

/// All files of a folder whose name ends in `.json`; none where it cannot be listed.
pub fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

/// The right to change a file. One lock for the whole folder: it is held for milliseconds, and a lock that
/// outlives the files lets them be removed.
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
    /// name, so that a thousand killed writers leave one file and not a thousand. `mode` is what others may do with it,
    /// within what the umask allows.
    pub fn replace(&self, text: &[u8], mode: u32) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let written = write_durably(&fresh, text, mode).and_then(|()| fs::rename(&fresh, &self.path));
        if let Err(error) = written {
            // On a full disk half a file is in everybody's way. There may be none.
            let _ = fs::remove_file(&fresh);
            return Err(error);
        }
        File::open(&self.folder)?.sync_all()
    }

    /// Keeps the folder within so many files, by when they were written. What cannot be listed or removed stays.
    pub fn forget_oldest(&self, most: usize) {
        let mut by_age = listed(&self.folder);
        let count = by_age.len();
        if count <= most {
            return;
        }
        let changed = |path: &PathBuf| {
            path.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
        };
        by_age.sort_by_cached_key(changed);
        for oldest in by_age.iter().filter(|path| **path != self.path).take(count - most) {
            let _ = fs::remove_file(oldest);
        }
    }
}

fn write_durably(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let mut file = File::options().create(true).truncate(true).write(true).mode(mode).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    type Number = std::collections::BTreeMap<String, u32>;

    #[test]
    fn what_is_not_understood_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.json");
        let read = || read::<Number>(&path, 3);
        assert!(matches!(read(), Found::Nothing));
        fs::write(&path, r#"{"version": 4}"#).unwrap();
        assert!(matches!(read(), Found::Newer(_)));
        let lock = Locked::open(&path).unwrap();
        for n in 1..=ASIDE_MAX {
            fs::write(&path, "{ half").unwrap();
            assert!(matches!(read(), Found::Corrupt(_)));
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
        for mode in [0o600, 0o400] {
            Locked::open(&path).unwrap().replace(br#"{"version": 3}"#, mode).unwrap();
            assert!(matches!(read::<Number>(&path, 3), Found::Whole(read) if read["version"] == 3));
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let of = |job: usize| folder.path().join(format!("job-{job}.json"));
        for job in 0..8 {
            let file = File::create(of(job)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(job as u64)).unwrap();
        }
        fs::write(folder.path().join("job-0.corrupt-1"), "").unwrap();
        // The one being written is the oldest of all until it is written.
        let lock = Locked::open(&of(0)).unwrap();
        lock.replace(b"{}", 0o600).unwrap();
        lock.forget_oldest(5);
        let left: Vec<usize> = (0..8).filter(|job| of(*job).exists()).collect();
        assert_eq!(left, [0, 4, 5, 6, 7], "the latest and those that follow the oldest three");
    }
}
