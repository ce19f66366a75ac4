//! What `.gitignore` leaves out (<https://git-scm.com/docs/gitignore>).

use plimsoll_lint::document::glob;
use std::path::{Path, PathBuf};

/// A larger `.gitignore` is not read, in bytes.
const BYTES_MAX: u64 = 1 << 18;
/// Most lines of all that are in force.
const RULES_MAX: usize = 5_000;

/// The lines that are in force in a folder. All paths are whole ones, without links.
#[derive(Debug, Default)]
pub struct Ignored {
    rules: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    folder: PathBuf,
    pattern: String,
    is_not: bool,
    folders_only: bool,
}

impl Ignored {
    /// Those of the folders above a folder, up to the repository's root.
    pub fn above(folder: &Path) -> Ignored {
        let mut ignored = Ignored::default();
        let root = folder.ancestors().find(|above| above.join(".git").exists());
        let Some(root) = root else { return ignored };
        let mut above: Vec<&Path> =
            folder.ancestors().skip(1).take_while(|above| above.starts_with(root)).collect();
        above.reverse();
        above.into_iter().for_each(|above| ignored.read(above));
        ignored
    }

    /// Takes in what a folder says of what is below; [`leave`](Ignored::leave) with the number it gives.
    pub fn enter(&mut self, folder: &Path) -> usize {
        let before = self.rules.len();
        self.read(folder);
        before
    }

    /// The folder is done.
    pub fn leave(&mut self, rules: usize) {
        self.rules.truncate(rules);
    }

    fn read(&mut self, folder: &Path) {
        let path = folder.join(".gitignore");
        let is_small = std::fs::metadata(&path).is_ok_and(|of| of.len() <= BYTES_MAX);
        let Some(text) = std::fs::read_to_string(path).ok().filter(|_| is_small) else { return };
        let room = RULES_MAX - self.rules.len();
        self.rules.extend(text.lines().filter_map(|line| Line::of(line, folder)).take(room));
    }

    /// Whether it is left out: the last line that means it decides.
    pub fn has(&self, path: &Path, is_folder: bool) -> bool {
        let last = self.rules.iter().rev().find(|line| line.means(path, is_folder));
        last.is_some_and(|line| !line.is_not)
    }
}

impl Line {
    fn of(line: &str, folder: &Path) -> Option<Line> {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (is_not, line) = line.strip_prefix('!').map_or((false, line), |line| (true, line));
        let (folders_only, line) = line.strip_suffix('/').map_or((false, line), |line| (true, line));
        // A slash ties a pattern to its folder; without one it means names at any depth.
        let pattern = match line.trim_start_matches('/') {
            rest if line.contains('/') => rest.to_string(),
            rest => format!("**/{rest}"),
        };
        Some(Line { folder: folder.to_path_buf(), pattern, is_not, folders_only })
    }

    fn means(&self, path: &Path, is_folder: bool) -> bool {
        let below = path.strip_prefix(&self.folder).ok();
        let is_kind = is_folder || !self.folders_only;
        below.filter(|_| is_kind).is_some_and(|below| glob::matches(&self.pattern, &below.to_string_lossy()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_git_reads_it() {
        let check = |lines: &str, path: &str, is_folder: bool, expect: bool| {
            let rules = lines.lines().filter_map(|line| Line::of(line, Path::new("/r"))).collect::<Vec<_>>();
            let whole = Path::new("/r").join(path);
            let last = rules.iter().rev().find(|line| line.means(&whole, is_folder));
            assert_eq!(last.is_some_and(|line| !line.is_not), expect, "{lines:?} {path}");
        };
        check("/build/\n", "build", true, true);
        check("/build/\n", "a/build", true, false);
        check("build/\n", "build", false, false);
        check("*.yml\n!keep.yml\n", "a/x.yml", false, true);
        check("*.yml\n!keep.yml\n", "a/keep.yml", false, false);
        check("# a\n\na/**/c\n", "a/b/d/c", false, true);
    }
}
