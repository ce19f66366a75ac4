//! Cleaning up between attempts: leftovers, page cache, and what the user's `clean:` names.

use super::tree::Tree;
use serde::Serialize;
use std::path::{Component, Path};

/// Files and folders removed per attempt at most; a `clean:` that wants more is a mistake.
const ENTRIES_MAX: usize = 200_000;

/// What a clean-up freed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Cleanup {
    /// Processes the attempt had left behind.
    pub leftover_processes: usize,
    /// Memory the attempt's cgroup still held, in bytes; `null` without a cgroup.
    pub held_bytes: Option<u64>,
    /// How much of it was freed, in bytes.
    pub freed_bytes: Option<u64>,
    /// Bytes of files removed by `clean:`.
    pub removed_bytes: u64,
    /// `freed_bytes` as a share of `held_bytes`, in percent: the cleanup efficiency.
    pub efficiency_percent: Option<u64>,
}

/// Cleans up after an attempt that is to be followed by another.
pub fn after_attempt(tree: &Tree, folder: &Path, clean: &[String], notes: &mut Vec<String>) -> Cleanup {
    let held_bytes = tree.usage_bytes();
    let leftover_processes = tree.kill();
    tree.drop_cache();
    let freed_bytes = held_bytes.zip(tree.usage_bytes()).map(|(before, after)| before.saturating_sub(after));
    let removed_bytes = clean.iter().map(|path| remove(folder, path, notes)).sum();
    let efficiency_percent =
        held_bytes.zip(freed_bytes).filter(|(held, _)| *held > 0).map(|(held, freed)| freed * 100 / held);
    Cleanup { leftover_processes, held_bytes, freed_bytes, removed_bytes, efficiency_percent }
}

/// Removes one path of `clean:`, which must stay below the working folder; returns the bytes of its files.
fn remove(folder: &Path, path: &str, notes: &mut Vec<String>) -> u64 {
    if !stays_below(Path::new(path)) {
        notes.push(format!("clean: {path}: left alone, only paths below the working folder are removed"));
        return 0;
    }
    let path = folder.join(path);
    let bytes = size_of(&path);
    let removed = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(&path),
        Ok(_) => std::fs::remove_file(&path),
        Err(_) => return 0,
    };
    match removed {
        Ok(()) => bytes,
        Err(error) => {
            notes.push(format!("clean: {}: {error}", path.display()));
            0
        }
    }
}

fn stays_below(path: &Path) -> bool {
    let mut parts = path.components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn size_of(path: &Path) -> u64 {
    let mut left = vec![path.to_path_buf()];
    let (mut bytes, mut seen) = (0, 0);
    while let Some(path) = left.pop() {
        seen += 1;
        let Ok(meta) = path.symlink_metadata() else { continue };
        bytes += if meta.is_file() { meta.len() } else { 0 };
        if meta.is_dir() && seen < ENTRIES_MAX {
            left.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_is_removed() {
        let check = |path: &str, expect| assert_eq!(stays_below(Path::new(path)), expect, "{path}");
        check("dist", true);
        check("a/b.tmp", true);
        check("", false);
        check("..", false);
        check("a/../..", false);
        check("/tmp", false);
        check(".", false);
    }

    #[test]
    fn removes_and_counts() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("tmp/deep")).unwrap();
        std::fs::write(folder.path().join("tmp/deep/x"), [0; 1000]).unwrap();
        let mut notes = Vec::new();
        assert_eq!(remove(folder.path(), "tmp", &mut notes), 1000);
        assert!(!folder.path().join("tmp").exists());
        assert_eq!(remove(folder.path(), "absent", &mut notes), 0);
        assert_eq!(remove(folder.path(), "../x", &mut notes), 0);
        assert_eq!(notes.len(), 1);
    }
}
