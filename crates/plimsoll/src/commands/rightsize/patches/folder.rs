//! The folder: written beside its place and put there as a whole.

use super::{Files, merge_request};
use crate::commands::CommandError;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// What we write into it, besides the text of the merge request.
const FOLDERS: [&str; 4] = ["helm", "kustomize", "undo", "vpa"];

/// Puts the files where the folder is, or will be. What is there has to be ours, or empty.
pub(super) fn replace(folder: &Path, files: &Files) -> Result<(), CommandError> {
    let shown = folder.display().to_string();
    let fault = |error: io::Error| CommandError::File { path: shown.clone(), error };
    let folder = place(folder).map_err(fault)?;
    if folder.exists() && !is_ours(&folder) {
        return Err(CommandError::NotOurs(shown));
    }
    let parent = folder.parent().ok_or_else(|| fault(ErrorKind::InvalidInput.into()))?;
    // A new folder has the rights that the user's umask gives; the one around it has fewer, and goes in the end.
    let beside = tempfile::Builder::new().prefix(".plimsoll-").tempdir_in(parent).map_err(fault)?;
    let [new, old] = ["new", "old"].map(|name| beside.path().join(name));
    write(&new, files).map_err(fault)?;
    let was_there = match fs::rename(&folder, &old) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(fault(error)),
    };
    fs::rename(&new, &folder).map_err(|error| {
        if was_there && fs::rename(&old, &folder).is_err() {
            // Better a stray folder than none.
            let _ = beside.keep();
        }
        fault(error)
    })
}

/// Where a link leads, the link stays.
fn place(folder: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => std::path::absolute(folder),
        real => real,
    }
}

/// Whether it may be replaced: empty, or nothing in it but what we write.
fn is_ours(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let names: Vec<_> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
    if names.is_empty() {
        return true;
    }
    let is_known = |name: &io::Result<std::ffi::OsString>| {
        name.as_ref().is_ok_and(|name| name == merge_request::FILE || FOLDERS.iter().any(|own| name == own))
    };
    let text = fs::read_to_string(folder.join(merge_request::FILE)).unwrap_or_default();
    names.iter().all(is_known) && text.lines().any(|line| line == merge_request::MARK)
}

fn write(new: &Path, files: &Files) -> io::Result<()> {
    fs::create_dir(new)?;
    for (name, text) in files {
        let path = new.join(name);
        fs::create_dir_all(path.parent().unwrap_or(new))?;
        fs::write(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn files(more: &[(&str, &str)]) -> Files {
        let ours = (merge_request::FILE, merge_request::MARK);
        more.iter().copied().chain([ours]).map(|(name, text)| (name.into(), text.into())).collect()
    }

    /// All files below, by name.
    fn found(folder: &Path) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            match fs::read_to_string(entry.path()) {
                Ok(text) => drop(all.insert(name, text)),
                Err(_) => {
                    all.extend(
                        found(&entry.path())
                            .into_iter()
                            .map(|(below, text)| (format!("{name}/{below}"), text)),
                    );
                }
            }
        }
        all
    }

    #[test]
    fn new_empty_ours() {
        let bench = tempfile::tempdir().unwrap();
        let folder = bench.path().join("patches/");
        for more in [&[("undo/a/b.yaml", "1")][..], &[("helm/values-a.yaml", "2")], &[]] {
            replace(&folder, &files(more)).unwrap();
            assert_eq!(found(&folder), files(more));
            assert_eq!(fs::read_dir(bench.path()).unwrap().count(), 1, "nothing is left beside it");
        }
        let empty = bench.path().join("empty");
        fs::create_dir(&empty).unwrap();
        replace(&empty, &files(&[])).unwrap();
        assert_eq!(found(&empty), files(&[]));
        let link = bench.path().join("link");
        std::os::unix::fs::symlink(&empty, &link).unwrap();
        replace(&link, &files(&[("vpa/x", "3")])).unwrap();
        assert_eq!(found(&empty), files(&[("vpa/x", "3")]));
        assert!(link.is_symlink());
    }

    #[test]
    fn what_is_not_ours_stays() {
        let check = |there: &[(&str, &str)]| {
            let bench = tempfile::tempdir().unwrap();
            let folder = bench.path().join("patches");
            let there = there.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
            write(&folder, &there).unwrap();
            let error = replace(&folder, &files(&[])).unwrap_err().to_string();
            assert!(
                error.contains("patches: is there, and not all of it is ours\nchoose another"),
                "{error}"
            );
            assert_eq!(found(bench.path()).len(), there.len());
        };
        check(&[("merge-request.md", "# mine")]);
        check(&[("kustomize/kustomization.yaml", "kind: Kustomization")]);
        check(&[(merge_request::FILE, merge_request::MARK), (".git/config", "")]);
    }

    #[test]
    fn all_or_nothing() {
        let bench = tempfile::tempdir().unwrap();
        let folder = bench.path().join("patches");
        replace(&folder, &files(&[])).unwrap();
        // A name no file can have stands for a full disk.
        let error = replace(&folder, &files(&[("undo/\0", "")])).unwrap_err();
        assert!(matches!(error, CommandError::File { .. }), "{error}");
        assert_eq!(found(bench.path()).len(), 1);
        assert!(replace(&bench.path().join("no/such/patches"), &files(&[])).is_err());
        let file = bench.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(replace(&file, &files(&[])), Err(CommandError::NotOurs(_))));
    }
}
