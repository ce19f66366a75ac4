//! Where eaters live: a memory cgroup with a limit. Where memory is v1 it has a twin in the v2 hierarchy at the same path, as systemd
//! makes them: only there the kernel tells pressure.

use crate::Failure;
use plimsoll_probe::cgroup::{Child, Group, Layout, Version};
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A cgroup stays busy for a moment after its last process has gone.
const REMOVE_TRIES: u32 = 20;
const REMOVE_EACH: Duration = Duration::from_millis(10);

/// See the module. It goes when this is dropped; its processes have to be gone by then.
pub struct Home {
    memory: Group,
    /// What a process joins: the memory half first.
    halves: Vec<PathBuf>,
    /// Of one below another: where that one's halves are.
    tops: Vec<PathBuf>,
    child: Option<Child>,
}

impl Home {
    /// One of this name beside us.
    pub fn make(name: &str, limit_bytes: Option<u64>) -> Result<Home, Failure> {
        let child = Child::create(&layout(), name, limit_bytes)
            .map_err(|refusal| format!("cannot make a memory cgroup\nrun as root\n{refusal}"))?;
        let memory = child.memory().ok_or("the cgroup has no memory\nrun as root")?.clone();
        let path = |entrance: &dyn AsRawFd| fs::read_link(format!("/proc/self/fd/{}", entrance.as_raw_fd()));
        let mut halves = Vec::new();
        for entrance in child.entrances()? {
            halves.push(path(&entrance)?.parent().ok_or("a cgroup is a folder")?.to_path_buf());
        }
        Ok(Home { memory, halves, tops: Vec::new(), child: Some(child) })
    }

    /// One at a path below this one, in which nobody lives then.
    pub fn below(&self, path: &str, limit_bytes: u64) -> Result<Home, Failure> {
        for half in &self.halves {
            fs::create_dir_all(half.join(path))?;
        }
        let halves: Vec<PathBuf> = self.halves.iter().map(|half| half.join(path)).collect();
        let version = self.memory.version();
        if version == Version::V2 {
            let above = halves[0].ancestors().skip(1).take_while(|dir| dir.starts_with(&self.halves[0]));
            for dir in above.collect::<Vec<_>>().into_iter().rev() {
                fs::write(dir.join("cgroup.subtree_control"), "+memory")?;
            }
        }
        let memory = Group::new(version, halves[0].clone());
        let home = Home { memory, halves, tops: self.halves.clone(), child: None };
        home.limit(limit_bytes)?;
        Ok(home)
    }

    /// What is known of its memory.
    pub fn memory(&self) -> &Group {
        &self.memory
    }

    /// Lets it have so much from now on, as a kubelet does.
    pub fn limit(&self, bytes: u64) -> Result<(), Failure> {
        Ok(fs::write(self.memory.limit_path(), bytes.to_string())?)
    }

    /// Files that a process writes its number to.
    pub fn entrances(&self) -> impl Iterator<Item = PathBuf> {
        self.halves.iter().map(|half| half.join("cgroup.procs"))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.child.take());
        for (index, half) in self.halves.iter().enumerate() {
            let top = self.tops.get(index);
            if top.is_some() {
                remove(half);
            }
            // Folders that were made for it alone are empty now; others are not, and stay.
            let above = half.ancestors().skip(1).take_while(|dir| top.is_none_or(|top| dir != top));
            let _ = above.take_while(|dir| fs::remove_dir(dir).is_ok()).count();
        }
    }
}

/// What is busy for longer is left to a later run.
fn remove(dir: &Path) {
    for _ in 0..REMOVE_TRIES {
        if fs::remove_dir(dir).is_ok() {
            return;
        }
        std::thread::sleep(REMOVE_EACH);
    }
}

/// Where we are, in the v2 hierarchy beside v1 too: at the same path in both.
fn layout() -> Layout {
    let mut layout = Layout::detect(Path::new("/"), std::process::id());
    if let (Ok(memory), Some(unified)) = (&layout.memory, &mut layout.unified)
        && memory.version == Version::V1
        && let Ok(path) = memory.dir.strip_prefix(&memory.top)
    {
        let twin = unified.top.join(path);
        if fs::create_dir_all(&twin).is_ok() {
            unified.dir = twin;
        }
    }
    layout
}
