//! Heaps of Node processes, as the preload of `plimsoll agent --preload` tells them: one file for each process, of one line, in the
//! process's own `/tmp` or `/dev/shm`.
//!
//! Whoever can write there can write anything, so a file is believed only if it is small, fresh, of that process's number, and makes
//! sense.

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The preload writes each 5 s; a process that is stopped or has no time to write is not believed after this.
const FRESH: Duration = Duration::from_secs(60);
/// The line has 59 bytes.
const FILE_MAX_BYTES: usize = 128;
/// No heap is larger.
const HEAP_MAX_BYTES: u64 = 1 << 50;
/// Where the preload may write, the first that it can.
const FOLDERS: [&str; 2] = ["tmp", "dev/shm"];

/// A V8 heap at one time, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heap {
    /// In use: `used_heap_size` of Node's `v8.getHeapStatistics()`.
    pub used_bytes: u64,
    /// What it dies at: `heap_size_limit`.
    pub limit_bytes: u64,
}

/// What there is of a process's heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It tells.
    Heap(Heap),
    /// It is a Node that has not told yet, or was not given the preload.
    Silent,
    /// It is no Node, or is gone.
    Other,
    /// It may not be looked at.
    Refused,
}

/// The heap of a process, through `<root>/proc/PID/root`.
pub fn of_process(root: &Path, pid: u32, now: SystemTime) -> Seen {
    let process = root.join(format!("proc/{pid}"));
    match std::fs::read_link(process.join("exe")) {
        Ok(program) if is_node(&program) => {}
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Seen::Refused,
        _ => return Seen::Other,
    }
    let Some(number) = own_number(&process, pid) else { return Seen::Other };
    let own_root = process.join("root");
    let of = |folder: &&str| read(&own_root.join(folder).join(format!("plimsoll-heap-{number}")), now);
    FOLDERS.iter().find_map(of).map_or(Seen::Silent, Seen::Heap)
}

fn is_node(program: &Path) -> bool {
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // What was replaced while it runs ends with " (deleted)".
    let name = name.split(' ').next().unwrap_or_default();
    name == "node" || name == "nodejs" || name.starts_with("node-")
}

/// The number a process has for itself: in the innermost of its namespaces.
fn own_number(process: &Path, pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(process.join("status")).ok()?;
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    // Kernels without pid namespaces have no such line.
    numbers.map_or(Some(pid), |numbers| numbers.split_whitespace().last()?.parse().ok())
}

fn read(path: &Path, now: SystemTime) -> Option<Heap> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(CWD, path, flags, Mode::empty()).ok()?;
    is_fresh(&file, now).then_some(())?;
    let mut bytes = [0; FILE_MAX_BYTES];
    let length = rustix::io::read(&file, &mut bytes).ok()?;
    parse(std::str::from_utf8(&bytes[..length]).ok()?)
}

/// A plain file that was written a moment ago.
fn is_fresh(file: &OwnedFd, now: SystemTime) -> bool {
    let Ok(stat) = fstat(file) else { return false };
    let written = u64::try_from(stat.st_mtime).unwrap_or(0);
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    // A second ahead: times of files are those of the last tick.
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && written <= now + 1
        && now.saturating_sub(written) <= FRESH.as_secs()
}

/// Parses the line: `plimsoll-heap 1 used=BYTES limit=BYTES`.
pub fn parse(text: &str) -> Option<Heap> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    (words.next()? == "plimsoll-heap" && words.next()? == "1").then_some(())?;
    let mut field = |key: &str| {
        let digits = words.next()?.strip_prefix(key)?.strip_prefix('=')?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse::<u64>().ok())?.filter(|bytes| *bytes <= HEAP_MAX_BYTES)
    };
    let (used_bytes, limit_bytes) = (field("used")?, field("limit")?);
    // V8 goes over its limit by little before it gives up.
    let makes_sense = words.next().is_none() && limit_bytes > 0 && used_bytes / 2 <= limit_bytes;
    makes_sense.then_some(Heap { used_bytes, limit_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lines() {
        let check = |text: &str, expect: Option<(u64, u64)>| {
            let found = parse(text).map(|heap| (heap.used_bytes, heap.limit_bytes));
            assert_eq!(found, expect, "{text:?}");
        };
        check("plimsoll-heap 1 used=000000000000100 limit=000000000000200\n", Some((100, 200)));
        check("plimsoll-heap 1 used=210 limit=200\n", Some((210, 200)));
        check("plimsoll-heap 1 used=500 limit=200\n", None);
        check("plimsoll-heap 1 used=1 limit=0\n", None);
        check("plimsoll-heap 1 used=1 limit=99999999999999999999\n", None);
        check("plimsoll-heap 1 used=1 limit=2000000000000000\n", None);
        check("plimsoll-heap 1 used=+1 limit=2\n", None);
        check("plimsoll-heap 1 used=1 limit=2", None);
        check("plimsoll-heap 1 used=1 limit=2 more=3\n", None);
        check("plimsoll-heap 2 used=1 limit=2\n", None);
        check("plimsoll-heap 1 limit=2 used=1\n", None);
        check("", None);
    }

    /// A fake process in a namespace where it is number 1.
    #[test]
    fn only_what_is_fresh_and_small_is_believed() {
        let root = tempfile::tempdir().expect("temp dir");
        let process = root.path().join("proc/77");
        fs::create_dir_all(process.join("root/tmp")).expect("folders");
        fs::create_dir_all(process.join("root/dev/shm")).expect("folders");
        std::os::unix::fs::symlink("/usr/bin/node", process.join("exe")).expect("a link");
        fs::write(process.join("status"), "Name:\tnode\nNSpid:\t77\t1\n").expect("status");
        let file = process.join("root/tmp/plimsoll-heap-1");
        let (now, line) = (SystemTime::now(), "plimsoll-heap 1 used=1 limit=2\n");
        let check = |now: SystemTime, expect: Seen| assert_eq!(of_process(root.path(), 77, now), expect);
        let heap = Seen::Heap(Heap { used_bytes: 1, limit_bytes: 2 });
        check(now, Seen::Silent);
        fs::write(&file, line).expect("a file");
        check(now, heap);
        check(now + Duration::from_secs(90), Seen::Silent);
        check(now - Duration::from_secs(90), Seen::Silent);
        fs::write(&file, line.repeat(100)).expect("a file");
        check(now, Seen::Silent);
        fs::remove_file(&file).expect("removed");
        // Somebody else's file under that name.
        fs::write(process.join("other"), line).expect("a file");
        std::os::unix::fs::symlink(process.join("other"), &file).expect("a link");
        check(now, Seen::Silent);
        fs::write(process.join("root/dev/shm/plimsoll-heap-1"), line).expect("a file");
        check(now, heap);
        fs::remove_file(process.join("exe")).expect("removed");
        std::os::unix::fs::symlink("/usr/bin/python3", process.join("exe")).expect("a link");
        check(now, Seen::Other);
    }
}
