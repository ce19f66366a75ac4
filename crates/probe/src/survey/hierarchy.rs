//! Where cgroups are mounted, seen by somebody who looks at a whole machine: at the places every distribution has them, below a root
//! that may be another machine's, as in a container that was given its host's.

use crate::cgroup::{Refusal, Version, text};
use std::path::{Path, PathBuf};

/// The hierarchies a survey reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// How memory is told.
    pub version: Version,
    /// The top of the hierarchy with memory.
    pub top: PathBuf,
    /// The top of a v2 hierarchy beside it, where memory is v1: pressure is only told there.
    pub unified: Option<PathBuf>,
}

impl Hierarchy {
    /// Looks below `<root>/sys/fs/cgroup`.
    pub fn find(root: &Path) -> Result<Hierarchy, Refusal> {
        let mounted = root.join("sys/fs/cgroup");
        let is_v2 = |top: &Path| {
            text(&top.join("cgroup.controllers"))
                .is_ok_and(|text| text.split_whitespace().any(|word| word == "memory"))
        };
        if is_v2(&mounted) {
            return Ok(Hierarchy { version: Version::V2, top: mounted, unified: None });
        }
        let unified = Some(mounted.join("unified")).filter(|top| top.join("cgroup.procs").exists());
        let v1 = mounted.join("memory");
        if v1.join("memory.usage_in_bytes").exists() {
            return Ok(Hierarchy { version: Version::V1, top: v1, unified });
        }
        if let Some(top) = unified.filter(|top| is_v2(top)) {
            return Ok(Hierarchy { version: Version::V2, top, unified: None });
        }
        Err(Refusal { path: mounted, why: "no cgroups with memory are mounted there".into() })
    }

    /// The folder that tells the pressure of the cgroup at a path.
    pub(crate) fn pressure_dir(&self, path: &str) -> Option<PathBuf> {
        let top = match self.version {
            Version::V2 => &self.top,
            Version::V1 => self.unified.as_ref()?,
        };
        Some(below(top, path))
    }

    /// The folder of the cgroup at a path, which begins with a slash.
    pub fn dir(&self, path: &str) -> PathBuf {
        below(&self.top, path)
    }
}

fn below(top: &Path, path: &str) -> PathBuf {
    top.join(path.trim_start_matches('/'))
}
