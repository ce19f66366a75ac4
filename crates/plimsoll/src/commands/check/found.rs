//! The files to check: those that are named, what is in folders, and what pipelines include.

mod ignored;

use super::args::CheckArgs;
use crate::commands::CommandError;
use crate::config::{read, read_file};
use ignored::Ignored;
use plimsoll_lint::document::glob;
use plimsoll_lint::kind::{Kind, by_name, of};
use plimsoll_lint::project::Files;
use plimsoll_lint::source::Source;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Most files of a call.
const FILES_MAX: usize = 2_000;
/// Most names in a folder and all below that are looked at.
const NAMES_MAX: usize = 100_000;
/// How deep folders are looked into.
const DEPTH_MAX: usize = 10;
/// Folders that hold what others wrote.
const FOREIGN: [&str; 6] = [".git", "node_modules", "target", "vendor", ".venv", "__pycache__"];

/// What is to be checked.
pub fn sources(args: &CheckArgs) -> Result<Vec<Source>, CommandError> {
    let mut sources = Vec::new();
    if args.files.is_empty() {
        folder(Path::new(""), &mut sources)?;
    }
    for path in &args.files {
        if path.as_os_str() == "-" {
            let text = read(io::stdin().lock()).map_err(|error| unreadable("stdin", error))?;
            add(&mut sources, args.stdin_name.clone(), text)?;
        } else if path.is_dir() {
            folder(path, &mut sources)?;
        } else {
            let text = read_file(path).map_err(|error| unreadable(&shown(path), error))?;
            add(&mut sources, shown(path), text)?;
        }
    }
    Ok(sources)
}

fn unreadable(name: &str, error: io::Error) -> CommandError {
    CommandError::Input { path: name.to_string(), error }
}

/// Each file once, however often it is named.
fn add(sources: &mut Vec<Source>, name: String, text: String) -> Result<(), CommandError> {
    if sources.len() >= FILES_MAX {
        return Err(CommandError::Asked(
            "more than 2000 files\nname some of them, or a smaller folder".into(),
        ));
    }
    if !sources.iter().any(|source| source.name == name) {
        sources.push(Source { name, text });
    }
    Ok(())
}

/// As findings call it: without `./`, in slashes.
pub fn shown(path: &Path) -> String {
    let parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    parts.collect::<PathBuf>().to_string_lossy().into_owned()
}

/// What is known in a folder. What cannot be read, or is too large, nobody has asked for by name.
fn folder(root: &Path, sources: &mut Vec<Source>) -> Result<(), CommandError> {
    for path in files_below(root) {
        let name = shown(&path);
        if !is_candidate(&name) {
            continue;
        }
        if let Ok(text) = read_file(&path)
            && of(&name, &text) != Kind::Unknown
        {
            add(sources, name, text)?;
        }
    }
    Ok(())
}

/// By its name it may be something; what it is, is seen when it is read.
fn is_candidate(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    by_name(name).is_some() || matches!(ending, Some("yml" | "yaml")) || name.ends_with("config.toml")
}

/// Files in and below a folder, in order, without what is ignored.
fn files_below(root: &Path) -> Vec<PathBuf> {
    let Ok(whole) = std::fs::canonicalize(if root.as_os_str().is_empty() { Path::new(".") } else { root })
    else {
        return Vec::new();
    };
    let mut walk = Walk { left: NAMES_MAX, ignored: Ignored::above(&whole), files: Vec::new() };
    walk.folder(root, &whole, DEPTH_MAX);
    walk.files
}

struct Walk {
    left: usize,
    ignored: Ignored,
    files: Vec<PathBuf>,
}

impl Walk {
    /// `whole` is where it really is.
    fn folder(&mut self, folder: &Path, whole: &Path, depth: usize) {
        let Ok(listed) = std::fs::read_dir(whole) else { return };
        let mut entries: Vec<_> = listed.flatten().take(self.left).collect();
        self.left -= entries.len();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let rules = self.ignored.enter(whole);
        for entry in entries {
            // Links may lead in circles, and elsewhere.
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let is_foreign = kind.is_dir() && FOREIGN.iter().any(|foreign| name == *foreign);
            if is_foreign || self.ignored.has(&whole.join(&name), kind.is_dir()) {
                continue;
            }
            if kind.is_file() {
                self.files.push(folder.join(&name));
            } else if kind.is_dir() && depth > 0 {
                self.folder(&folder.join(&name), &whole.join(&name), depth - 1);
            }
        }
        self.ignored.leave(rules);
    }
}

/// Files that pipelines include, from the current folder on.
pub struct Folder;

impl Files for Folder {
    fn read(&self, name: &str) -> Option<String> {
        // Nothing above: a pipeline's files are in its repository.
        let path = Path::new(name);
        let is_inside = !path.components().any(|part| matches!(part, Component::ParentDir));
        read_file(path).ok().filter(|_| is_inside)
    }

    fn names(&self, pattern: &str) -> Vec<String> {
        let fixed: PathBuf = pattern.split('/').take_while(|part| !part.contains(['*', '?', '['])).collect();
        let start = if pattern.starts_with('/') { Path::new("/").join(&fixed) } else { fixed };
        if start.components().any(|part| matches!(part, Component::ParentDir)) {
            return Vec::new();
        }
        let names = files_below(&start).into_iter().map(|path| shown(&path));
        names.filter(|name| glob::matches(pattern, name)).collect()
    }
}
