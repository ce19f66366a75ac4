//! The cgroup a build runs in: made below ours, limited, frozen, killed and removed as one.

use super::delegation::Delegation;
use super::file::{self, Refusal};
use super::group::Group;
use super::layout::{Layout, Place, Version};
use super::members;
use super::stale::Owner;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two looks at a cgroup that must become empty.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long `rmdir` may say "busy" while the last exits are settled.
const REMOVE_PATIENCE: Duration = Duration::from_millis(500);

/// A child cgroup of ours for one attempt. Dropping it removes it, as far as it is empty.
///
/// It has up to two halves: the memory half limits and counts; the control half, always v2, freezes, kills and
/// tells pressure. On v2 both are one folder, on a hybrid system two, and where the memory half is refused the
/// control half may still be had.
#[derive(Debug)]
pub struct Child {
    memory: Option<Group>,
    control: Option<PathBuf>,
    notes: Vec<Refusal>,
    /// Last, so that it is undone after the folders are gone.
    _delegation: Option<Delegation>,
}

impl Child {
    /// Makes a child cgroup below ours, with a limit of `limit_bytes` on memory and swap together.
    ///
    /// `label` tells apart the children of one process (an attempt's number). Fails only where neither half is
    /// possible; what else was not is in [`Child::notes`]. One child at a time: on v2 the first one's end takes
    /// the memory controller away from its siblings.
    pub fn create(layout: &Layout, label: &str, limit_bytes: Option<u64>) -> Result<Child, Refusal> {
        let owner = Owner::current()?;
        let name = owner.folder(label);
        let mut notes = Vec::new();
        let mut delegation = None;
        let memory = layout.memory.clone().and_then(|place| {
            if place.version == Version::V2 {
                delegation = Delegation::begin(&place.dir, &owner)?;
            }
            make_folder(&place, &name)
        });
        let control = match (&memory, &layout.memory, &layout.unified) {
            (Ok(dir), Ok(place), _) if place.version == Version::V2 => Ok(dir.clone()),
            (_, _, Some(place)) => make_folder(place, &name),
            _ => Err(Refusal::new(Path::new("cgroup.freeze"), "no cgroup v2 hierarchy is mounted")),
        };
        let memory = memory.map_err(|refusal| notes.push(refusal)).ok();
        let control = control.map_err(|refusal| notes.push(refusal)).ok();
        if memory.is_none() && control.is_none() {
            return Err(notes.swap_remove(0));
        }
        let version = layout.memory.as_ref().map_or(Version::V2, |place| place.version);
        let memory = memory.map(|dir| Group::new(version, dir).with_twin(control.clone()));
        let mut child = Child { memory, control, notes, _delegation: delegation };
        if limit_bytes.is_some()
            && let Err(refusal) = child.set_limit(limit_bytes)
        {
            child.notes.push(refusal);
        }
        Ok(child)
    }

    /// What was not possible when it was made, the most important first.
    pub fn notes(&self) -> &[Refusal] {
        &self.notes
    }

    /// The memory half, to read usage, kills and pressure from.
    pub fn memory(&self) -> Option<&Group> {
        self.memory.as_ref()
    }

    /// Folders of its halves, one or two.
    fn folders(&self) -> Vec<&Path> {
        let memory = self.memory.as_ref().map(Group::dir);
        let control = self.control.as_deref().filter(|dir| Some(*dir) != memory);
        memory.into_iter().chain(control).collect()
    }

    /// `cgroup.procs` of each half, open for writing: a forked process that writes `0` to each is in.
    pub fn entrances(&self) -> Result<Vec<OwnedFd>, Refusal> {
        let open = |dir: &Path| {
            let path = dir.join("cgroup.procs");
            rustix::fs::open(&path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
                .map_err(|errno| Refusal::io(&path, &errno.into()))
        };
        self.folders().into_iter().map(open).collect()
    }

    /// Moves a process in. What it has already allocated stays charged where it was.
    pub fn attach(&self, pid: u32) -> Result<(), Refusal> {
        self.folders()
            .into_iter()
            .try_for_each(|dir| file::write(&dir.join("cgroup.procs"), &pid.to_string()))
    }

    /// Its processes, those of cgroups below included.
    pub fn members(&self) -> Vec<u32> {
        let mut pids: Vec<u32> = self.folders().into_iter().flat_map(members::members).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Sets the limit on memory and swap together, in bytes; `None` lifts it.
    ///
    /// Below the present usage v1 refuses what it cannot reclaim, but v2 kills: look at
    /// [`Group::non_reclaimable_bytes`] first.
    pub fn set_limit(&self, limit_bytes: Option<u64>) -> Result<(), Refusal> {
        let group = self.memory_half()?;
        match group.version() {
            Version::V1 => set_limit_v1(group, limit_bytes),
            Version::V2 => {
                file::write(
                    &group.limit_path(),
                    &limit_bytes.map_or("max".to_string(), |bytes| bytes.to_string()),
                )?;
                let swap = group.dir().join("memory.swap.max");
                if swap.exists() { file::write(&swap, limit_bytes.map_or("max", |_| "0")) } else { Ok(()) }
            }
        }
    }

    /// Stops every process in it where it stands.
    pub fn freeze(&self) -> Result<(), Refusal> {
        file::write(&self.control_half()?.join("cgroup.freeze"), "1")
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<(), Refusal> {
        file::write(&self.control_half()?.join("cgroup.freeze"), "0")
    }

    /// True once all of them stand still.
    pub fn is_frozen(&self) -> Result<bool, Refusal> {
        Ok(file::keyed(&self.control_half()?.join("cgroup.events"), "frozen")? == 1)
    }

    /// Asks the kernel to let go of `bytes` of page cache (v2 since Linux 5.19). Getting less is no failure.
    ///
    /// v1 takes no amount: everything goes that can, the code the build runs included. Measured: 600 ms for
    /// 93 MiB, with the processes running.
    pub fn reclaim(&self, bytes: u64) -> Result<(), Refusal> {
        let group = self.memory_half()?;
        match group.version() {
            Version::V1 => file::write(&group.dir().join("memory.force_empty"), "0"),
            Version::V2 => file::request(&group.dir().join("memory.reclaim"), &bytes.to_string()),
        }
    }

    /// Kills every process in it, frozen ones too, and waits up to `patience` until it is empty.
    pub fn kill_all(&self, patience: Duration) -> Result<(), Refusal> {
        let started = Instant::now();
        loop {
            if let Some(control) = &self.control {
                // Since Linux 5.14; the signals below serve where it is missing, and reach what has left this half.
                let _ = file::write(&control.join("cgroup.kill"), "1");
            }
            let alive = self.members();
            if alive.is_empty() {
                return Ok(());
            }
            if started.elapsed() >= patience {
                let dir = self.folders()[0].to_path_buf();
                return Err(Refusal {
                    path: dir,
                    why: format!("still has {} processes after SIGKILL", alive.len()),
                });
            }
            for pid in alive.into_iter().filter(|pid| *pid != std::process::id()) {
                if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                    // It may have ended since it was listed.
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            sleep(LOOK_AGAIN);
        }
    }

    /// Moves its processes to the cgroup above, where they would have been without it. On v2 that is refused while
    /// children have controllers; then they stay.
    pub fn release(&self) {
        for dir in self.folders() {
            let above = dir.parent().map(|above| above.join("cgroup.procs"));
            for pid in members::members(dir) {
                let _ = above.as_ref().map(|above| file::write(above, &pid.to_string()));
            }
        }
    }

    /// Removes it and the cgroups the build made below it; they must be empty.
    pub fn remove(mut self) -> Result<(), Refusal> {
        self.take_down(REMOVE_PATIENCE)
    }

    fn take_down(&mut self, patience: Duration) -> Result<(), Refusal> {
        let folders: Vec<PathBuf> = self.folders().into_iter().map(Path::to_path_buf).collect();
        (self.memory, self.control) = (None, None);
        let removed: Vec<Result<(), Refusal>> =
            folders.iter().map(|dir| remove_folder(dir, patience)).collect();
        removed.into_iter().collect()
    }

    fn memory_half(&self) -> Result<&Group, Refusal> {
        self.memory
            .as_ref()
            .ok_or_else(|| Refusal::new(Path::new("memory cgroup"), "the build has none of its own"))
    }

    fn control_half(&self) -> Result<&Path, Refusal> {
        let missing = || Refusal::new(Path::new("cgroup.freeze"), "the build has no cgroup v2 of its own");
        self.control.as_deref().ok_or_else(missing)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // What still lives keeps its cgroup; a later run takes it away (`remove_stale`).
        let _ = self.take_down(Duration::ZERO);
    }
}

fn make_folder(place: &Place, name: &str) -> Result<PathBuf, Refusal> {
    let dir = place.dir.join(name);
    std::fs::create_dir(&dir).map_err(|error| Refusal::io(&dir, &error))?;
    Ok(dir)
}

/// The memory limit may never pass the memory+swap limit, so one of the two orders is refused: going down
/// memory goes first, going up it goes last.
fn set_limit_v1(group: &Group, limit_bytes: Option<u64>) -> Result<(), Refusal> {
    let value = limit_bytes.map_or("-1".to_string(), |bytes| bytes.to_string());
    let (memory, both) = (group.limit_path(), group.dir().join("memory.memsw.limit_in_bytes"));
    if !both.exists() {
        // Swap is not accounted on this kernel (`swapaccount=0`).
        return file::write(&memory, &value);
    }
    let down_first = file::write(&memory, &value).and_then(|()| file::write(&both, &value));
    down_first.or_else(|_| file::write(&both, &value).and_then(|()| file::write(&memory, &value)))
}

/// Removes a cgroup and those below it, deepest first, trying again while the kernel says "busy".
pub(crate) fn remove_folder(dir: &Path, patience: Duration) -> Result<(), Refusal> {
    let started = Instant::now();
    loop {
        let removed = members::descendants(dir).iter().rev().try_for_each(std::fs::remove_dir);
        match removed {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if started.elapsed() >= patience => return Err(Refusal::io(dir, &error)),
            Err(_) => sleep(LOOK_AGAIN),
        }
    }
}
