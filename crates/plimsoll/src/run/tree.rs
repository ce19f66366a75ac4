//! The tree of one attempt: in a cgroup of its own where that is allowed, else the processes below it.

use super::wakes::Wakes;
use plimsoll_core::size::MIB;
use plimsoll_probe::cgroup::{Child, Group, Layout};
use std::fs::File;
use std::time::Duration;

/// How long a killed tree may take to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// The child's limit stays this much below ours, so that a kill hits the build and never its supervisor.
const SUPERVISOR_BYTES: u64 = 8 * MIB;

/// Where the processes of an attempt are, and what counts them.
#[derive(Debug)]
pub struct Tree {
    child: Option<Child>,
    /// Counts kernel kills, refaults and pressure: the child, else the cgroup we share with the build.
    counter: Option<Group>,
    kills_before: u64,
    /// What was not possible, one line each.
    pub notes: Vec<String>,
}

/// What the kernel says of the tree as a whole. Without a cgroup of its own the rest is said of the cgroup we share
/// with it, and all is `None` where none is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Memory that cannot be reclaimed, in bytes; `None` without a cgroup of its own.
    pub used_bytes: Option<u64>,
    /// Page cache, in bytes.
    pub file_bytes: Option<u64>,
    /// File pages read back after they had been evicted, since the start.
    pub refaults: Option<u64>,
    /// Major page faults since the start.
    pub major_faults: Option<u64>,
    /// Share of the last 10 s in which the whole tree waited for memory, in percent.
    pub full_percent: Option<f64>,
    /// Share in which some of it did.
    pub some_percent: Option<f64>,
}

impl Tree {
    /// Makes the child cgroup, or says why not.
    pub fn open(layout: &Layout, label: &str, budget_bytes: Option<u64>) -> Tree {
        let limit_bytes = budget_bytes.map(|bytes| bytes.saturating_sub(SUPERVISOR_BYTES.min(bytes / 16)));
        let mut notes = Vec::new();
        let child = match Child::create(layout, label, limit_bytes) {
            Ok(child) => {
                notes.extend(child.notes().iter().map(ToString::to_string));
                Some(child)
            }
            Err(refusal) => {
                notes.push(format!("no cgroup for the build, watching its processes instead: {refusal}"));
                None
            }
        };
        let own = || layout.memory_groups().into_iter().next();
        let counter = child.as_ref().and_then(Child::memory).cloned().or_else(own);
        let kills_before = counter.as_ref().and_then(|group| group.oom_kills().ok()).unwrap_or(0);
        Tree { child, counter, kills_before, notes }
    }

    /// `cgroup` or `processes`: what the report calls it.
    pub fn kind(&self) -> &'static str {
        if self.memory().is_some() { "cgroup" } else { "processes" }
    }

    /// Files the command writes itself into; empty without a cgroup.
    pub fn entrances(&mut self) -> Vec<File> {
        let Some(child) = &self.child else { return Vec::new() };
        match child.entrances() {
            Ok(entrances) => entrances.into_iter().map(File::from).collect(),
            Err(refusal) => {
                self.notes.push(refusal.to_string());
                Vec::new()
            }
        }
    }

    /// One look at the whole.
    pub fn read(&self) -> Reading {
        let Some(group) = &self.counter else { return Reading::default() };
        let Ok(stat) = group.stat() else { return Reading::default() };
        let pressure = group.pressure().ok();
        Reading {
            used_bytes: stat.non_reclaimable_bytes().filter(|_| self.memory().is_some()),
            file_bytes: stat.file,
            refaults: stat.refaults_file,
            major_faults: stat.major_faults,
            full_percent: pressure
                .as_ref()
                .and_then(|pressure| pressure.full)
                .map(|share| share.avg10_percent),
            some_percent: pressure.as_ref().map(|pressure| pressure.some.avg10_percent),
        }
    }

    /// Kernel OOM kills in the tree; `None` when no counter is readable.
    pub fn kernel_kills(&self) -> Option<u64> {
        let now = self.counter.as_ref()?.oom_kills().ok()?;
        Some(now.saturating_sub(self.kills_before))
    }

    /// Process ids in the cgroup; `None` where there is none and the tree has to be walked.
    pub fn members(&self) -> Option<Vec<i32>> {
        let pids = self.child.as_ref()?.members();
        Some(pids.into_iter().map(|pid| pid as i32).collect())
    }

    /// Kills all that is left of it; how many processes that were. Without a cgroup the caller kills by scan.
    pub fn kill(&self) -> usize {
        let Some(child) = &self.child else { return 0 };
        let left = child.members().len();
        if left > 0 {
            // What survives SIGKILL hangs in the kernel; a later run removes its cgroup.
            let _ = child.kill_all(KILL_PATIENCE);
        }
        left
    }

    /// Ends the cgroup. Daemons that live on go back to the cgroup they would have been in without us.
    pub fn close(self) {
        let Some(child) = self.child else { return };
        child.release();
        // A busy cgroup is removed by a later run.
        let _ = child.remove();
    }

    /// The limit of its own that binds the tree, in bytes: with one a kernel kill cannot be ours.
    pub fn limit_bytes(&self) -> Option<u64> {
        self.memory()?.limit_bytes().ok().flatten()
    }

    /// Everything charged to the tree, page cache included, in bytes.
    pub fn usage_bytes(&self) -> Option<u64> {
        self.memory()?.usage_bytes().ok()
    }

    /// Lets go of the page cache.
    pub fn drop_cache(&self) {
        if let (Some(child), Some(bytes)) = (&self.child, self.usage_bytes()) {
            // Getting less than asked for is no failure.
            let _ = child.reclaim(bytes);
        }
    }

    /// Kernel events that wake the watch.
    pub fn wakes(&self, budget_bytes: Option<u64>) -> Wakes {
        self.memory().map(|group| Wakes::arm(group, budget_bytes)).unwrap_or_default()
    }

    /// See [`Wakes::draw_line`].
    pub fn draw_line(&self, wakes: &mut Wakes) -> u64 {
        self.memory().map_or(u64::MAX, |group| wakes.draw_line(group))
    }

    fn memory(&self) -> Option<&Group> {
        self.child.as_ref().and_then(Child::memory)
    }
}
