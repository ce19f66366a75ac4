//! What one cgroup holds, read with as few calls as there are files, into a buffer that is used again.

use super::Hierarchy;
use crate::cgroup::{MemoryStat, Version, kernel_unreclaimable_v1, parse_limit, value_of};
use crate::psi::Pressure;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// No file that is read here is longer: `memory.stat` has some 4 KiB, and lists of processes are cut.
const FILE_MAX_BYTES: usize = 256 << 10;

/// A cgroup at one time. What the kernel does not tell is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Reading {
    /// All that is charged, page cache included, in bytes.
    pub usage_bytes: Option<u64>,
    /// The highest that ever was (v2: since Linux 5.19), in bytes.
    pub peak_bytes: Option<u64>,
    /// The least limit from here upwards that can be seen, in bytes.
    pub limit_bytes: Option<u64>,
    /// What the memory is made of.
    pub stat: MemoryStat,
    /// Stalls of its processes.
    pub pressure: Option<Pressure>,
}

/// Reads cgroups of one hierarchy.
#[derive(Debug)]
pub struct Reader {
    hierarchy: Hierarchy,
    bytes: Vec<u8>,
    /// The least limit of folders above those that were read, until [`Reader::begin`].
    limits: HashMap<String, Option<u64>>,
}

impl Reader {
    /// Of this hierarchy.
    pub fn new(hierarchy: Hierarchy) -> Reader {
        Reader { hierarchy, bytes: Vec::new(), limits: HashMap::new() }
    }

    /// The hierarchy it reads.
    pub fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }

    /// Forgets what may have changed since the last time.
    pub fn begin(&mut self) {
        self.limits.clear();
    }

    /// All of the cgroup at a path; `None` where it has vanished.
    pub fn read(&mut self, path: &str) -> Option<Reading> {
        let dir = open_dir(&self.hierarchy.dir(path))?;
        let mut reading = match self.hierarchy.version {
            Version::V1 => self.read_v1(&dir),
            Version::V2 => self.read_v2(&dir, path),
        }?;
        reading.pressure = self.pressure(&dir, path);
        Some(reading)
    }

    fn read_v1(&mut self, dir: &OwnedFd) -> Option<Reading> {
        let usage_bytes = Some(self.number(dir, "memory.usage_in_bytes")?);
        let text = self.text(dir, "memory.stat")?;
        let limit_bytes = value_of(text, "hierarchical_memory_limit")
            .and_then(|bytes| parse_limit(&bytes.to_string()).ok()?);
        let mut stat = MemoryStat::parse(Version::V1, text);
        let kernel = self.number(dir, "memory.kmem.usage_in_bytes");
        let tasks = self.text(dir, "tasks").map(|text| text.lines().count() as u64);
        stat.kernel_unreclaimable = kernel.map(|bytes| kernel_unreclaimable_v1(bytes, tasks, &stat));
        let peak_bytes = self.number(dir, "memory.max_usage_in_bytes");
        Some(Reading { usage_bytes, peak_bytes, limit_bytes, stat, pressure: None })
    }

    fn read_v2(&mut self, dir: &OwnedFd, path: &str) -> Option<Reading> {
        let usage_bytes = Some(self.number(dir, "memory.current")?);
        let mut stat = MemoryStat::parse(Version::V2, self.text(dir, "memory.stat")?);
        stat.swap = self.number(dir, "memory.swap.current");
        let peak_bytes = self.number(dir, "memory.peak");
        let own = self.text(dir, "memory.max").and_then(|text| parse_limit(text).ok()?);
        let limit_bytes = own.into_iter().chain(self.limit_above(path)).min();
        Some(Reading { usage_bytes, peak_bytes, limit_bytes, stat, pressure: None })
    }

    /// The least limit of the folders above a path.
    fn limit_above(&mut self, path: &str) -> Option<u64> {
        let above = super::name::parent(path);
        if above.is_empty() {
            return None;
        }
        if let Some(known) = self.limits.get(above) {
            return *known;
        }
        let dir = open_dir(&self.hierarchy.dir(above));
        let own =
            dir.and_then(|dir| self.text(&dir, "memory.max").and_then(|text| parse_limit(text).ok()?));
        let least = own.into_iter().chain(self.limit_above(above)).min();
        self.limits.insert(above.to_string(), least);
        least
    }

    fn pressure(&mut self, dir: &OwnedFd, path: &str) -> Option<Pressure> {
        let text = match self.hierarchy.version {
            Version::V2 => self.text(dir, "memory.pressure"),
            Version::V1 => {
                let dir = open_dir(&self.hierarchy.pressure_dir(path)?)?;
                self.text(&dir, "memory.pressure")
            }
        };
        Pressure::parse(text?)
    }

    /// Kills of processes in the cgroup at a path since it was made, and where it `is_whole` in those below it; `None` where it has
    /// vanished or does not tell.
    ///
    /// v1 tells only those of the cgroup itself, so those below it are added; what has gone from there is lost.
    pub fn kills(&mut self, path: &str, is_whole: bool) -> Option<u64> {
        match self.hierarchy.version {
            Version::V2 if is_whole => self.kills_in(path, "memory.events"),
            Version::V2 => self.kills_in(path, "memory.events.local"),
            Version::V1 => {
                let own = self.kills_in(path, "memory.oom_control")?;
                if !is_whole {
                    return Some(own);
                }
                let below = super::walk::folders_below(&self.hierarchy, path);
                let of = |path: &String| self.kills_in(path, "memory.oom_control");
                Some(below.iter().filter_map(of).fold(own, u64::saturating_add))
            }
        }
    }

    fn kills_in(&mut self, path: &str, name: &str) -> Option<u64> {
        let file = self.hierarchy.dir(path).join(name);
        value_of(self.text(CWD, &file)?, "oom_kill")
    }

    /// Up to so many processes of the cgroup at a path and below it, as the hierarchy's machine numbers them.
    pub fn processes(&mut self, path: &str, most: usize) -> Vec<u32> {
        let below = super::walk::folders_below(&self.hierarchy, path);
        let mut all = Vec::new();
        for path in std::iter::once(path).chain(below.iter().map(String::as_str)) {
            let Some(dir) = open_dir(&self.hierarchy.dir(path)) else { continue };
            let Some(text) = self.text(&dir, "cgroup.procs") else { continue };
            let pids = text.lines().filter_map(|line| line.parse::<u32>().ok()).filter(|pid| *pid != 0);
            all.extend(pids.take(most - all.len()));
            if all.len() >= most {
                break;
            }
        }
        all
    }

    fn number(&mut self, dir: impl AsFd, name: &str) -> Option<u64> {
        self.text(dir, name)?.trim().parse().ok()
    }

    fn text(&mut self, dir: impl AsFd, name: impl AsRef<Path>) -> Option<&str> {
        read_into(&mut self.bytes, dir, name.as_ref()).ok()?;
        // A text that was cut may end in the middle of anything: only whole lines count.
        let whole = self.bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        std::str::from_utf8(&self.bytes[..whole]).ok()
    }
}

fn open_dir(dir: &Path) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, dir, flags, Mode::empty()).ok()
}

/// A file of a folder, up to [`FILE_MAX_BYTES`] of it.
fn read_into(bytes: &mut Vec<u8>, dir: impl AsFd, name: &Path) -> Result<(), Errno> {
    // These come in one piece, lists of processes page by page.
    let is_one_piece = name.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"memory."));
    let file = openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut filled = 0;
    loop {
        if bytes.len() < filled + 4096 {
            bytes.resize(filled + (8 << 10), 0);
        }
        let room = bytes.len() - filled;
        let read = rustix::io::read(&file, &mut bytes[filled..])?;
        filled += read;
        if read == 0 || filled >= FILE_MAX_BYTES || is_one_piece && read < room {
            break;
        }
    }
    bytes.truncate(filled);
    Ok(())
}
