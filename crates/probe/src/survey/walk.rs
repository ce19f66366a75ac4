//! Which cgroups count: containers wherever they are, and outside of them units of systemd and whatever else holds processes. What is
//! below a container or a unit is part of it.

use super::name::{Container, Name};
use super::{Hierarchy, name};
use crate::cgroup::{Refusal, Version, text};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Cgroups that are shown; a node of Kubernetes has 110 pods, or a few hundred.
pub const GROUPS_MAX: usize = 2_000;
/// Folders that are looked into for them.
const FOLDERS_MAX: usize = 20_000;
/// Folders that are looked at below one that counts.
const BELOW_MAX: usize = 256;
/// Cgroups are not followed deeper than this.
const DEPTH_MAX: usize = 24;

/// Which cgroups that are no containers count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Units, and those with processes of their own.
    Holding,
    /// Those whose path one of these fits; `*` stands for anything.
    Fitting(Vec<String>),
}

/// A cgroup that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path below the hierarchy's top, with a slash before it.
    pub path: String,
    /// What it is: never a pod.
    pub name: Name,
}

impl Found {
    /// Whether what is below is part of it; else that counts for itself.
    pub fn is_whole(&self) -> bool {
        !goes_on(&self.name)
    }

    /// Its container, where it is one.
    pub fn container(&self) -> Option<&Container> {
        match &self.name {
            Name::Container(container) => Some(container),
            _ => None,
        }
    }
}

/// What a walk found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walked {
    /// Those that count, by path.
    pub found: Vec<Found>,
    /// Pods: their paths, and uids.
    pub pods: Vec<(String, String)>,
    /// How many more would have counted.
    pub left_out: usize,
}

/// Walks through all cgroups. What vanishes meanwhile is not there; that the top cannot be read is an error.
pub fn walk(hierarchy: &Hierarchy, choice: &Choice) -> Result<Walked, Refusal> {
    let refused = |error: std::io::Error| Refusal { path: hierarchy.top.clone(), why: error.to_string() };
    fs::read_dir(&hierarchy.top).map_err(refused)?;
    let mut walked = Walked::default();
    let mut waiting = folders(hierarchy, "");
    let mut looked_into = 0;
    while let Some(path) = waiting.pop() {
        let name = Name::of(&path);
        let goes_on = goes_on(&name) && path.matches('/').count() < DEPTH_MAX;
        if let Name::Pod { uid } = &name {
            if walked.pods.len() < GROUPS_MAX {
                walked.pods.push((path.clone(), uid.clone()));
            }
        } else if counts(hierarchy, choice, &path, &name) {
            if walked.found.len() < GROUPS_MAX {
                walked.found.push(Found { path: path.clone(), name });
            } else {
                walked.left_out += 1;
            }
        }
        if goes_on && looked_into < FOLDERS_MAX {
            looked_into += 1;
            waiting.extend(folders(hierarchy, &path));
        }
    }
    walked.found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    walked.pods.sort_unstable();
    Ok(walked)
}

/// Whether there may be others in it. Services of users have their containers below them.
fn goes_on(name: &Name) -> bool {
    match name {
        Name::Container(_) => false,
        Name::Unit(unit) => {
            unit.starts_with("user@") || unit.starts_with("containerd.") || unit.starts_with("docker.")
        }
        Name::Pod { .. } | Name::Plain(_) => true,
    }
}

fn counts(hierarchy: &Hierarchy, choice: &Choice, path: &str, name: &Name) -> bool {
    match (name, choice) {
        (Name::Container(_), _) => true,
        (Name::Pod { .. }, _) => false,
        (_, Choice::Fitting(globs)) => globs.iter().any(|glob| fits(glob, path)),
        (Name::Unit(_), Choice::Holding) => holds(hierarchy, path) || has_folders(hierarchy, path),
        (Name::Plain(_), Choice::Holding) => holds(hierarchy, path),
    }
}

/// Whether processes live in it, itself.
fn holds(hierarchy: &Hierarchy, path: &str) -> bool {
    let procs = text(&hierarchy.dir(path).join("cgroup.procs"));
    procs.is_ok_and(|procs| !procs.trim().is_empty())
}

/// Whether a unit has cgroups of its own with somebody in them.
fn has_folders(hierarchy: &Hierarchy, path: &str) -> bool {
    match hierarchy.version {
        Version::V2 => {
            let events = text(&hierarchy.dir(path).join("cgroup.events"));
            events.is_ok_and(|events| events.lines().any(|line| line == "populated 1"))
        }
        Version::V1 => folders(hierarchy, path).iter().any(|below| holds(hierarchy, below)),
    }
}

/// The folders in one, none where it has vanished.
fn folders(hierarchy: &Hierarchy, path: &str) -> Vec<String> {
    let dir = hierarchy.dir(path);
    // A folder's links are itself, its name, and each folder in it; file systems that count otherwise say 1.
    if !path.is_empty() && fs::metadata(&dir).is_ok_and(|it| it.nlink() == 2) {
        return Vec::new();
    }
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| Some(format!("{path}/{}", entry.file_name().to_str()?))).collect()
}

/// Whether a path is as a pattern says.
fn fits(glob: &str, path: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            match rest.split_once(before) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

/// Folders below one, those in them too; most cgroups have none.
pub(crate) fn folders_below(hierarchy: &Hierarchy, path: &str) -> Vec<String> {
    let mut all = folders(hierarchy, path);
    let mut next = 0;
    while next < all.len() && all.len() < BELOW_MAX {
        all.extend(folders(hierarchy, &all[next].clone()));
        next += 1;
    }
    all.truncate(BELOW_MAX);
    all
}

impl Found {
    /// The path of a container's pod: the folder above it, where that is one.
    pub fn pod_path(&self) -> Option<&str> {
        self.container()?.pod_uid.as_ref()?;
        let above = name::parent(&self.path);
        matches!(Name::of(above), Name::Pod { .. }).then_some(above)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check =
            |glob: &str, path: &str, expect: bool| assert_eq!(fits(glob, path), expect, "{glob} {path}");
        check("/a", "/a", true);
        check("/a", "/a/b", false);
        check("/a*", "/a/b", true);
        check("*/b", "/a/b", true);
        check("*b*d*", "/a/b/c/d/e", true);
        check("*b*d", "/a/b/c/d/e", false);
        check("/a*a", "/a", false);
        check("*", "", true);
        check("", "/a", false);
        check("**", "/a", true);
        check("/é*", "/é/b", true);
    }
}
