//! Who lives in a cgroup, and the cgroups below it.

use super::file::{self, Refusal};
use std::path::{Path, PathBuf};

/// Cgroups looked at below one; a build that makes more than this is not followed further.
const DESCENDANTS_LIMIT: usize = 1024;

/// The processes of one cgroup, without its descendants. A pid of another namespace shows as 0 and is kept.
pub(crate) fn own_members(dir: &Path) -> Result<Vec<u32>, Refusal> {
    Ok(parse_members(&file::text(&dir.join("cgroup.procs"))?))
}

/// The processes of a cgroup and all below it, as our pid namespace numbers them.
pub fn members(dir: &Path) -> Vec<u32> {
    let mut pids: Vec<u32> = descendants(dir)
        .iter()
        .filter_map(|dir| own_members(dir).ok())
        .flatten()
        .filter(|pid| *pid != 0)
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// Tasks (threads too) of a v1 cgroup and all below it.
pub(crate) fn count_tasks(dir: &Path) -> Result<u64, Refusal> {
    let count = |dir: &PathBuf| Ok(file::text(&dir.join("tasks"))?.lines().count() as u64);
    descendants(dir).iter().map(count).sum()
}

/// Parses `cgroup.procs`, one pid a line; what does not parse is left out.
pub(crate) fn parse_members(text: &str) -> Vec<u32> {
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

/// `dir` and the cgroups below it, parents before children.
pub(crate) fn descendants(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_path_buf()];
    let mut next = 0;
    while next < found.len() && found.len() < DESCENDANTS_LIMIT {
        let below = std::fs::read_dir(&found[next]).into_iter().flatten().flatten();
        let folders = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        found.extend(folders.map(|entry| entry.path()));
        next += 1;
    }
    found.truncate(DESCENDANTS_LIMIT);
    found
}
