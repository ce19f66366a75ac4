//! A descriptor that wakes when something was killed in one of many cgroups, or came to its limit (v2 only: `memory.events` tells inotify
//! when it changes, at most each 10 ms).

use super::Hierarchy;
use crate::cgroup::Version;
use rustix::fs::inotify;
use std::collections::{BTreeMap, HashMap};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Watches the events of cgroups.
#[derive(Debug)]
pub struct KillWatch {
    watch: OwnedFd,
    numbers: BTreeMap<String, i32>,
    paths: HashMap<i32, String>,
}

impl KillWatch {
    /// None yet. `None` where the hierarchy cannot tell.
    pub fn new(hierarchy: &Hierarchy) -> Option<KillWatch> {
        (hierarchy.version == Version::V2).then_some(())?;
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let watch = inotify::init(flags).ok()?;
        Some(KillWatch { watch, numbers: BTreeMap::new(), paths: HashMap::new() })
    }

    /// Watches these from now on. The kernel takes away those that vanish.
    pub fn follow<'a>(&mut self, hierarchy: &Hierarchy, paths: impl Iterator<Item = &'a str>) {
        let mut before = std::mem::take(&mut self.numbers);
        for path in paths {
            let number = before.remove(path).or_else(|| {
                let events = hierarchy.dir(path).join("memory.events");
                // The number of watches is bounded by the system; what has none is found at the next look.
                inotify::add_watch(&self.watch, &events, inotify::WatchFlags::MODIFY).ok()
            });
            if let Some(number) = number {
                self.numbers.insert(path.to_string(), number);
            }
        }
        self.paths = self.numbers.iter().map(|(path, number)| (*number, path.clone())).collect();
    }

    /// Those in which something has happened since the last time.
    pub fn changed(&mut self) -> Vec<String> {
        let mut bytes = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.watch, &mut bytes);
        let mut changed = Vec::new();
        while let Ok(event) = reader.next() {
            changed.extend(self.paths.get(&event.wd()).cloned());
        }
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

impl AsFd for KillWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}
