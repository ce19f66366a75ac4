//! A profile's file: locked, replaced as a whole, set aside when it is not understood.

use plimsoll_core::profile::{Profile, VERSION};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A bigger file is not ours.
const BYTES_MAX: u64 = 16 << 20;
/// Other jobs hold the lock for milliseconds; one that holds it longer has died in the kernel.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// What a file turned out to be.
#[derive(Debug)]
pub enum Found {
    /// A profile.
    Profile(Box<Profile>),
    /// There is none.
    Nothing,
    /// Written by a newer Plimsoll: left alone.
    Newer(String),
    /// Not understood: renamed.
    Corrupt(String),
    /// Not readable: left alone.
    Unreadable(String),
}

/// Reads a profile.
pub fn read(path: &Path) -> Found {
    let text = match fs::metadata(path).and_then(|meta| {
        if meta.len() > BYTES_MAX { Err(io::Error::other("larger than 16 MiB")) } else { fs::read(path) }
    }) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Unreadable(format!("{}: {error}; the run starts without memory", path.display())),
    };
    let version = serde_json::from_slice::<serde_json::Value>(&text).ok().and_then(|value| value["version"].as_u64());
    if version.is_some_and(|version| version > u64::from(VERSION)) {
        return Found::Newer(format!("{}: written by a newer plimsoll, left alone", path.display()));
    }
    match serde_json::from_slice(&text) {
        Ok(profile) => Found::Profile(profile),
        Err(error) => Found::Corrupt(set_aside(path, &error.to_string())),
    }
}

/// Renames a file that is not understood; the note says where it is.
fn set_aside(path: &Path, why: &str) -> String {
    let aside = (1..100).map(|n| path.with_extension(format!("corrupt-{n}"))).find(|aside| !aside.exists());
    let moved = aside.filter(|aside| fs::rename(path, aside).is_ok());
    match moved {
        Some(aside) => format!("{}: not understood ({why}), set aside as {}", path.display(), aside.display()),
        None => format!("{}: not understood ({why})", path.display()),
    }
}

/// The right to replace a profile.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits for the lock beside the file; makes the folder.
    pub fn open(path: &Path) -> io::Result<Locked> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.with_extension("lock"))?;
        let started = Instant::now();
        loop {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Locked { path: path.to_path_buf(), _lock: lock }),
                Err(rustix::io::Errno::WOULDBLOCK) if started.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Replaces the file: whoever dies in between leaves the old one or the new one.
    pub fn write(&self, profile: &Profile) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, profile)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("job.json");
        assert!(matches!(read(&path), Found::Nothing));
        fs::write(&path, "{ half").unwrap();
        assert!(matches!(read(&path), Found::Corrupt(note) if note.contains("job.corrupt-1")));
        assert!(!path.exists() && folder.path().join("job.corrupt-1").exists());
        fs::write(&path, r#"{"version": 99}"#).unwrap();
        assert!(matches!(read(&path), Found::Newer(_)));
        assert!(path.exists(), "a newer one is left alone");
    }

    #[test]
    fn written_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs/job.json");
        let profile = Profile::new("project", "job", "make");
        Locked::open(&path).unwrap().write(&profile).unwrap();
        assert!(matches!(read(&path), Found::Profile(read) if *read == profile));
    }
}
