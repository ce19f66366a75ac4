//! The kernel's log, where it may be read: it names the cgroup of each process it kills for want of memory, even when that cgroup has
//! vanished by the time anybody looks.

use crate::cgroup::Refusal;
use rustix::fs::{Mode, OFlags, SeekFrom, seek};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// A record has no more: `PRINTKRB` and what `/dev/kmsg` adds (Linux's `CONSOLE_EXT_LOG_MAX`).
const RECORD_MAX_BYTES: usize = 8 << 10;
/// Records that are read at one look; the others wait for the next.
const RECORDS_MAX: usize = 10_000;

/// The log from now on.
#[derive(Debug)]
pub struct KernelLog {
    file: OwnedFd,
    bytes: Vec<u8>,
}

impl KernelLog {
    /// Opens `<root>/dev/kmsg` at its end. Many systems let only CAP_SYSLOG read it (`kernel.dmesg_restrict`).
    pub fn open(root: &Path) -> Result<KernelLog, Refusal> {
        let path = root.join("dev/kmsg");
        let open = || {
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = rustix::fs::open(&path, flags, Mode::empty())?;
            seek(&file, SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(|errno: Errno| Refusal::io(&path, &errno.into()))?;
        Ok(KernelLog { file, bytes: vec![0; RECORD_MAX_BYTES] })
    }

    /// Cgroups of the processes that were killed since the last time, as the kernel names them: from the root of the hierarchy.
    pub fn kills(&mut self) -> Vec<String> {
        let mut kills = Vec::new();
        for _ in 0..RECORDS_MAX {
            match rustix::io::read(&self.file, &mut self.bytes[..]) {
                Ok(0) => break,
                Ok(length) => {
                    let record = String::from_utf8_lossy(&self.bytes[..length]);
                    kills.extend(killed_in(&record).map(str::to_string));
                }
                // The ring went over what was not read yet, or a record was too long: the next read goes on.
                Err(Errno::PIPE | Errno::INVAL | Errno::INTR) => {}
                Err(_) => break,
            }
        }
        kills
    }
}

impl AsFd for KernelLog {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The cgroup of the process that a record says was killed: `oom-kill:constraint=...,task_memcg=PATH,task=NAME,pid=...` (Linux's
/// `dump_oom_victim`, since 5.0). Only the kernel's own records count: anybody may write others into the log.
pub fn killed_in(record: &str) -> Option<&str> {
    let (head, text) = record.split_once(';')?;
    let priority: u32 = head.split(',').next()?.parse().ok()?;
    // What is above the three bits of the level is who wrote it; 0 is the kernel.
    (priority >> 3 == 0).then_some(())?;
    let rest = text.strip_prefix("oom-kill:constraint=")?;
    let (_, path) = rest.split_once(",task_memcg=")?;
    let path = path.split_once(",task=").map(|(path, _)| path)?;
    path.starts_with('/').then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let line = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=tail,pid=77,uid=0";
        let check = |record: &str, expect: Option<&str>| assert_eq!(killed_in(record), expect, "{record}");
        check(&format!("6,1234,5678,-;{line}\n"), Some("/a/b"));
        check(&format!("6,1234,5678,-,caller=T1;{line}\n SUBSYSTEM=x\n"), Some("/a/b"));
        check(
            "4,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/c,task=a,b,pid=1,uid=0",
            Some("/c"),
        );
        // Of a user who writes to the log: facility 1.
        check(&format!("14,1234,5678,-;{line}\n"), None);
        check(&format!("6,1,2,-;x {line}"), None);
        check("6,1,2,-;oom-kill:constraint=A,task_memcg=b,task=c", None);
        check("6,1,2,-;oom-kill:constraint=A,task_memcg=/b", None);
        check(line, None);
        check("", None);
    }
}
