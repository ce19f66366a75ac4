//! v2's rule that a cgroup with processes gives no controllers to its children, and how we get around it: we
//! step aside into a leaf, hand memory down, and undo both at the end.

use super::child::remove_folder;
use super::file::{self, Refusal};
use super::members;
use super::stale::Owner;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the leaf may stay busy after we left it.
const LEAVE_PATIENCE: Duration = Duration::from_millis(100);

/// Memory handed down to the children of `dir`; undone when dropped.
#[derive(Debug)]
pub(crate) struct Delegation {
    dir: PathBuf,
    pid: u32,
    /// Where we went; `None` in the root cgroup, where the rule does not hold.
    leaf: Option<PathBuf>,
}

impl Delegation {
    /// Makes the children of `dir`, our own v2 cgroup, have memory files. `None` where they have already.
    pub(crate) fn begin(dir: &Path, owner: &Owner) -> Result<Option<Delegation>, Refusal> {
        if lists_memory(&dir.join("cgroup.subtree_control"))? {
            return Ok(None);
        }
        let controllers = dir.join("cgroup.controllers");
        if !lists_memory(&controllers)? {
            return Err(Refusal::new(&controllers, "memory is not delegated to our cgroup"));
        }
        let mut delegation = Delegation { dir: dir.to_path_buf(), pid: owner.pid, leaf: None };
        // Only the root cgroup has no type.
        if dir.join("cgroup.type").exists() {
            let others = members::own_members(dir)?.into_iter().filter(|pid| *pid != owner.pid).count();
            if others > 0 {
                let why = format!("{others} other processes live in our cgroup, so it cannot limit a child");
                return Err(Refusal::new(&dir.join("cgroup.procs"), why));
            }
            let leaf = dir.join(owner.folder("self"));
            std::fs::create_dir(&leaf).map_err(|error| Refusal::io(&leaf, &error))?;
            delegation.leaf = Some(leaf.clone());
            file::write(&leaf.join("cgroup.procs"), &owner.pid.to_string())?;
        }
        file::write(&dir.join("cgroup.subtree_control"), "+memory")?;
        Ok(Some(delegation))
    }
}

impl Drop for Delegation {
    fn drop(&mut self) {
        // Each step is refused where a child is left; then the others are no use either, and we stay where we are.
        let _ = file::write(&self.dir.join("cgroup.subtree_control"), "-memory");
        if let Some(leaf) = &self.leaf {
            let _ = file::write(&self.dir.join("cgroup.procs"), &self.pid.to_string());
            let _ = remove_folder(leaf, LEAVE_PATIENCE);
        }
    }
}

fn lists_memory(path: &Path) -> Result<bool, Refusal> {
    Ok(file::text(path)?.split_whitespace().any(|controller| controller == "memory"))
}
