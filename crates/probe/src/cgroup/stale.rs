//! Whose cgroup it is: the name carries its owner, so that what a killed run left behind can be removed.

use super::child::remove_folder;
use super::file::{self, Refusal};
use super::layout::Layout;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// First word of the name of every cgroup we make.
const PREFIX: &str = "plimsoll";

/// The process a cgroup was made by. The start time tells a process from a later one with the same pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) pid: u32,
    /// Start of the process, in clock ticks since boot.
    pub(crate) started_ticks: u64,
}

impl Owner {
    /// This process.
    pub(crate) fn current() -> Result<Owner, Refusal> {
        Owner::of(Path::new("/"), std::process::id())
    }

    fn of(root: &Path, pid: u32) -> Result<Owner, Refusal> {
        let path = root.join(format!("proc/{pid}/stat"));
        let started_ticks =
            parse_start(&file::text(&path)?).ok_or_else(|| Refusal::new(&path, "has no start time"))?;
        Ok(Owner { pid, started_ticks })
    }

    /// Name of a cgroup of this owner.
    pub(crate) fn folder(&self, label: &str) -> String {
        format!("{PREFIX}-{}-{}-{label}", self.pid, self.started_ticks)
    }

    /// The owner a name tells.
    pub(crate) fn from_folder(name: &str) -> Option<Owner> {
        let mut words = name.splitn(4, '-');
        (words.next() == Some(PREFIX)).then_some(())?;
        Some(Owner { pid: words.next()?.parse().ok()?, started_ticks: words.next()?.parse().ok()? })
    }
}

/// Field 22 of `/proc/PID/stat`; the name in field 2 may hold spaces and brackets, so count from its end.
fn parse_start(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Removes empty cgroups below ours whose owner has died; returns how many.
pub fn remove_stale(root: &Path, layout: &Layout) -> usize {
    let folders: BTreeSet<PathBuf> = [layout.memory.as_ref().ok(), layout.unified.as_ref()]
        .into_iter()
        .flatten()
        .flat_map(|place| std::fs::read_dir(&place.dir).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .collect();
    let is_stale = |dir: &PathBuf| {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        Owner::from_folder(&name).is_some_and(|owner| Owner::of(root, owner.pid) != Ok(owner))
    };
    folders
        .iter()
        .filter(|dir| is_stale(dir))
        .filter(|dir| remove_folder(dir, Duration::ZERO).is_ok())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_owner() {
        let check = |name: &str, expect: Option<(u32, u64)>| {
            assert_eq!(
                Owner::from_folder(name).map(|owner| (owner.pid, owner.started_ticks)),
                expect,
                "{name}"
            );
        };
        check("plimsoll-12-345-1", Some((12, 345)));
        check("plimsoll-12-345-a-b", Some((12, 345)));
        check("plimsoll-12", None);
        check("plimsoll-x-345-1", None);
        check("system.slice", None);
        check("", None);
        let owner = Owner::current().expect("own /proc entry");
        assert_eq!(Owner::from_folder(&owner.folder("2")), Some(owner));
    }

    #[test]
    fn the_start_is_found_behind_a_wild_name() {
        let rest = "S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0";
        assert_eq!(parse_start(&format!("7 (a) b) {rest}")), Some(777));
        assert_eq!(parse_start("7 (short) S 1"), None);
        assert_eq!(parse_start(""), None);
    }
}
