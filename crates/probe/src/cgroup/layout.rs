//! Where we sit: which hierarchy carries memory, and which folder of it is ours.

use super::file::{self, Refusal};
use super::group::Group;
use super::members;
use std::path::{Component, Path, PathBuf};

/// The two interfaces of control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One hierarchy per controller.
    V1,
    /// One hierarchy for all.
    V2,
}

/// Our place in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Interface of the hierarchy.
    pub version: Version,
    /// Where the hierarchy is mounted: as far up as we can see.
    pub top: PathBuf,
    /// Our own cgroup, `top` or below it.
    pub dir: PathBuf,
    /// True where the mount is read-only, as in most containers.
    pub read_only: bool,
}

impl Place {
    /// Our cgroup and every one above it that we can see, the nearest first.
    pub fn upwards(&self) -> Vec<PathBuf> {
        self.dir.ancestors().take_while(|dir| dir.starts_with(&self.top)).map(Path::to_path_buf).collect()
    }
}

/// What was found of control groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The hierarchy that limits memory; with the reason where there is none.
    pub memory: Result<Place, Refusal>,
    /// The v2 hierarchy: on a hybrid system it has no controllers, but PSI, `cgroup.freeze` and `cgroup.kill`.
    pub unified: Option<Place>,
    /// The hierarchy that limits processor time.
    pub cpu: Option<Place>,
}

impl Layout {
    /// Reads `<root>/proc/self/cgroup` and `<root>/proc/self/mountinfo`; `pid` is our own process.
    pub fn detect(root: &Path, pid: u32) -> Layout {
        let cgroup = root.join("proc/self/cgroup");
        let mountinfo = root.join("proc/self/mountinfo");
        let (memberships, mounts) = match (file::text(&cgroup), file::text(&mountinfo)) {
            (Ok(cgroup), Ok(mountinfo)) => (parse_memberships(&cgroup), parse_mounts(&mountinfo)),
            (Err(refusal), _) | (_, Err(refusal)) => {
                return Layout { memory: Err(refusal), unified: None, cpu: None };
            }
        };
        let place = |controller| find_place(root, pid, &memberships, &mounts, controller);
        let unified = place(None);
        let unified_with = |controller: &str| {
            unified.clone().filter(|place| {
                // The controllers a v2 hierarchy has at all are those of the highest folder we can see.
                file::text(&place.top.join("cgroup.controllers"))
                    .is_ok_and(|text| text.split_whitespace().any(|word| word == controller))
            })
        };
        let memory = place(Some("memory")).or_else(|| unified_with("memory")).ok_or_else(|| {
            Refusal::new(&mountinfo, "no cgroup hierarchy with memory that we are in is mounted")
        });
        let cpu = place(Some("cpu")).or_else(|| unified_with("cpu"));
        Layout { memory, unified, cpu }
    }

    /// The memory cgroups that bind us, ours first, then each one above it that we can see.
    pub fn memory_groups(&self) -> Vec<Group> {
        let Ok(place) = &self.memory else { return Vec::new() };
        let groups = place.upwards().into_iter().map(|dir| Group::new(place.version, dir));
        // A v2 cgroup without the memory controller (and the root) has no memory files: the one above counts.
        groups.filter(Group::has_memory_files).collect()
    }
}

/// One line of `/proc/PID/cgroup`: the controllers (none for v2) and our path as our namespace shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    controllers: Vec<String>,
    path: PathBuf,
}

/// One line of `/proc/PID/mountinfo` that mounts a cgroup hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The folder of the hierarchy that is mounted, as our namespace shows it.
    mounted: PathBuf,
    point: PathBuf,
    read_only: bool,
    /// `None` for v2.
    controllers: Option<Vec<String>>,
}

/// Parses `/proc/PID/cgroup`: `id:controllers:path`; what does not parse is left out.
pub(crate) fn parse_memberships(text: &str) -> Vec<Membership> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (_id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            let controllers =
                controllers.split(',').filter(|name| !name.is_empty()).map(str::to_string).collect();
            Some(Membership { controllers, path: PathBuf::from(path) })
        })
        .collect()
}

/// Parses `/proc/PID/mountinfo`, cgroup mounts only: `id parent dev root point options [tags] - type source super`.
pub(crate) fn parse_mounts(text: &str) -> Vec<Mount> {
    text.lines()
        .filter_map(|line| {
            let (mount, filesystem) = line.split_once(" - ")?;
            let mut mount = mount.split(' ').skip(3);
            let (mounted, point, options) = (mount.next()?, mount.next()?, mount.next()?);
            let mut filesystem = filesystem.split(' ');
            let (kind, super_options) = (filesystem.next()?, filesystem.nth(1).unwrap_or_default());
            let controllers = match kind {
                "cgroup2" => None,
                "cgroup" => Some(super_options.split(',').map(str::to_string).collect()),
                _ => return None,
            };
            let read_only =
                [options, super_options].iter().any(|set| set.split(',').any(|word| word == "ro"));
            Some(Mount { mounted: unescape(mounted), point: unescape(point), read_only, controllers })
        })
        .collect()
}

/// mountinfo writes space, tab, newline and backslash as `\ooo`.
fn unescape(field: &str) -> PathBuf {
    let mut plain = field.to_string();
    for (octal, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        plain = plain.replace(octal, character);
    }
    PathBuf::from(plain)
}

/// Our place in the hierarchy of `controller` (`None` for v2): of all its mounts that show our cgroup a
/// writable one, else the first.
fn find_place(
    root: &Path,
    pid: u32,
    memberships: &[Membership],
    mounts: &[Mount],
    controller: Option<&str>,
) -> Option<Place> {
    let ours = memberships.iter().find(|membership| match controller {
        Some(controller) => membership.controllers.iter().any(|name| name == controller),
        None => membership.controllers.is_empty(),
    })?;
    let places: Vec<Place> = mounts
        .iter()
        .filter(|mount| match (controller, &mount.controllers) {
            (Some(controller), Some(names)) => names.iter().any(|name| name == controller),
            (None, None) => true,
            _ => false,
        })
        .filter_map(|mount| {
            let top = root.join(mount.point.strip_prefix("/").unwrap_or(&mount.point));
            let dir = find_dir(&top, &mount.mounted, &ours.path, pid)?;
            let version = if controller.is_some() { Version::V1 } else { Version::V2 };
            Some(Place { version, top, dir, read_only: mount.read_only })
        })
        .collect();
    places.iter().find(|place| !place.read_only).or(places.first()).cloned()
}

/// Our folder under the mount at `top`, which shows the hierarchy from `mounted` downwards.
///
/// Usually `ours` lies below `mounted`. Where it does not (the mount was made outside our cgroup namespace and
/// reads `/../..`, or the other way round) our own pid in `cgroup.procs` tells.
fn find_dir(top: &Path, mounted: &Path, ours: &Path, pid: u32) -> Option<PathBuf> {
    let plain = |path: &Path| path.components().all(|part| part != Component::ParentDir);
    if plain(mounted)
        && plain(ours)
        && let Ok(below) = ours.strip_prefix(mounted)
    {
        let dir = if below.as_os_str().is_empty() { top.to_path_buf() } else { top.join(below) };
        if dir.is_dir() {
            return Some(dir);
        }
    }
    members::descendants(top)
        .into_iter()
        .find(|dir| members::own_members(dir).is_ok_and(|pids| pids.contains(&pid)))
}
