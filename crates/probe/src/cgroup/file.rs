//! Kernel files: small, read whole, written in one go; a failure names the file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Kernel files we read are a page or a few; a file that is longer is not one of them.
const FILE_LIMIT_BYTES: u64 = 4 << 20;

/// What was not possible, in one line: the file and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct Refusal {
    /// The file or folder it is about.
    pub path: PathBuf,
    /// Why not.
    pub why: String,
}

impl Refusal {
    pub(crate) fn new(path: &Path, why: impl Into<String>) -> Refusal {
        Refusal { path: path.to_path_buf(), why: why.into() }
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Refusal {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "not there".to_string(),
            io::ErrorKind::PermissionDenied => "permission denied".to_string(),
            io::ErrorKind::ReadOnlyFilesystem => "mounted read-only".to_string(),
            _ => error.to_string(),
        };
        Refusal::new(path, why)
    }
}

/// The text of a kernel file; bytes that are not UTF-8 are replaced (a mount point may hold any).
pub(crate) fn text(path: &Path) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_LIMIT_BYTES).read_to_end(&mut bytes))
        .map_err(|error| Refusal::io(path, &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file that holds one number.
pub(crate) fn number(path: &Path) -> Result<u64, Refusal> {
    let text = text(path)?;
    text.trim().parse().map_err(|_| Refusal::new(path, format!("not a number: {:?}", first_line(&text))))
}

/// The value of `key` in a file of `key value` lines.
pub(crate) fn keyed(path: &Path, key: &str) -> Result<u64, Refusal> {
    value_of(&text(path)?, key).ok_or_else(|| Refusal::new(path, format!("has no {key}")))
}

/// The value of `key` in text of `key value` lines.
pub(crate) fn value_of(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Writes a value in a single `write`, as kernel files want it; never creates the file.
pub(crate) fn write(path: &Path, value: &str) -> Result<(), Refusal> {
    write_once(path, value).map_err(|error| Refusal::io(path, &error))
}

/// A write that asks for an amount; the kernel says `EAGAIN` when it found less, which is no failure.
pub(crate) fn request(path: &Path, amount: &str) -> Result<(), Refusal> {
    match write_once(path, amount) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(Refusal::io(path, &error)),
        _ => Ok(()),
    }
}

fn write_once(path: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(value.as_bytes())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_whole_key() {
        let check = |text: &str, key: &str, expect: Option<u64>| {
            assert_eq!(value_of(text, key), expect, "{key} in {text:?}");
        };
        check("oom 1\noom_kill 2\n", "oom_kill", Some(2));
        check("oom 1\noom_kill 2\n", "oom", Some(1));
        check("oom_group_kill 3\n", "oom_kill", None);
        check("oom_kill\n", "oom_kill", None);
        check("oom_kill -1\n", "oom_kill", None);
        check("oom_kill 99999999999999999999\n", "oom_kill", None);
        check("", "oom_kill", None);
    }

    #[test]
    fn a_missing_number_is_a_refusal_and_not_zero() {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("memory.current");
        assert_eq!(number(&path).unwrap_err().why, "not there");
        std::fs::write(&path, "").expect("write");
        assert!(number(&path).unwrap_err().why.starts_with("not a number"));
        std::fs::write(&path, "4096\n").expect("write");
        assert_eq!(number(&path), Ok(4096));
    }
}
