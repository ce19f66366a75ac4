//! What an attempt leaves for the next one: files it finished, counted so that the report can say what was kept.

use crate::render::report::SavedPart;
use std::path::Path;
use std::time::SystemTime;

/// Entries looked at; a bigger tree is counted only in part, and the report says "at least".
const ENTRIES_MAX: usize = 50_000;
/// Folders that hold other people's work.
const SKIPPED: [&str; 3] = [".git", "node_modules", ".plimsoll"];

/// Counts regular files below `root` that were changed at or after `since`. Links are not followed.
pub fn count(root: &Path, since: SystemTime) -> SavedPart {
    let mut saved = SavedPart { files: 0, bytes: 0, complete: true };
    let mut folders = vec![root.to_path_buf()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            seen += 1;
            if seen > ENTRIES_MAX {
                saved.complete = false;
                return saved;
            }
            let Ok(meta) = entry.path().symlink_metadata() else { continue };
            if meta.is_dir() {
                if !SKIPPED.iter().any(|name| entry.file_name() == *name) {
                    folders.push(entry.path());
                }
            } else if meta.is_file() && meta.modified().is_ok_and(|modified| modified >= since) {
                saved.files += 1;
                saved.bytes += meta.len();
            }
        }
    }
    saved
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    #[test]
    fn counts_what_is_new_and_the_build_s_own() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("obj/deep")).unwrap();
        fs::create_dir_all(root.path().join("node_modules")).unwrap();
        fs::write(root.path().join("obj/deep/a.o"), [0; 100]).unwrap();
        fs::write(root.path().join("node_modules/x.js"), [0; 100]).unwrap();
        let old = fs::File::create(root.path().join("old.o")).unwrap();
        let hour = Duration::from_secs(3600);
        old.set_modified(SystemTime::now() - hour).unwrap();
        let saved = count(root.path(), SystemTime::now() - hour / 2);
        assert_eq!(saved, SavedPart { files: 1, bytes: 100, complete: true });
    }
}
