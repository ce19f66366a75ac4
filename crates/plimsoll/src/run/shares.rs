//! Shares: what the processes of a tree without a cgroup hold together, with the pages they share counted once.

use plimsoll_probe::proc::{Process, share_bytes};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// Looking into page tables may take this part of the time: one look per so many times its own duration.
const COST_DIVISOR: u32 = 50;
/// And no look sooner than this after the last.
const PAUSE_LEAST: Duration = Duration::from_millis(500);

/// How far each process's private memory is from its share, by the latest look; what a process has grown since is its
/// own.
#[derive(Debug, Default)]
pub struct Shares {
    offsets: HashMap<u64, i64>,
    next: Option<Instant>,
}

impl Shares {
    /// What these processes hold together, in bytes; `None` without a process.
    pub fn sum_bytes(&mut self, root: &Path, processes: &[Process]) -> Option<u64> {
        if processes.is_empty() {
            return None;
        }
        if self.next.is_none_or(|next| Instant::now() >= next) {
            self.look(root, processes);
        }
        Some(processes.iter().map(|process| self.share_of(process)).sum())
    }

    fn look(&mut self, root: &Path, processes: &[Process]) {
        let began = Instant::now();
        let offset = |process: &Process| {
            let share = share_bytes(root, process.pid)?;
            let private = process.private_bytes?;
            Some((process.id(), i64::try_from(share).ok()? - i64::try_from(private).ok()?))
        };
        self.offsets = families(processes).filter_map(offset).collect();
        self.next = Some(Instant::now() + (began.elapsed() * COST_DIVISOR).max(PAUSE_LEAST));
    }

    fn share_of(&self, process: &Process) -> u64 {
        let offset = self.offsets.get(&process.id()).copied().unwrap_or(0);
        process.private_bytes.unwrap_or(0).saturating_add_signed(offset)
    }
}

/// Those that may share pages: the forked and their parents. A process that became another program shares none.
fn families(processes: &[Process]) -> impl Iterator<Item = &Process> {
    let parents: HashSet<i32> =
        processes.iter().filter(|process| process.forked).map(|process| process.ppid).collect();
    processes.iter().filter(move |process| process.forked || parents.contains(&process.pid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_probe::proc::Scan;
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    const MIB: u64 = 1 << 20;
    /// Holds 64 MiB and forks three times, so that four processes have the same pages.
    const FORKS: &str = "import os, sys\nheld = bytearray(b'x' * (64 << 20))\nfor _ in range(3):\n    if os.fork() == 0:\n        sys.stdin.read()\n        os._exit(0)\nprint('ready', flush=True)\nsys.stdin.read()\n";

    #[test]
    fn forked_processes_are_counted_once() {
        let mut command = Command::new("python3");
        command.args(["-c", FORKS]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut parent) = command.spawn() else {
            eprintln!("skipped: python3 is missing");
            return;
        };
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        let root = Path::new("/");
        let mut scan = Scan::new(root);
        let mut processes = scan.below(parent.id() as i32);
        processes.extend(scan.of(&[parent.id() as i32]));
        let alone: u64 = processes.iter().filter_map(|process| process.private_bytes).sum();
        let shared = Shares::default().sum_bytes(root, &processes).unwrap();
        drop(parent.stdin.take());
        parent.wait().unwrap();
        assert_eq!(processes.len(), 4);
        assert!(alone > 4 * 64 * MIB, "counted in each: {alone}");
        assert!((64 * MIB..2 * 64 * MIB).contains(&shared), "counted once: {shared}");
    }

    #[test]
    fn nothing_is_not_zero() {
        assert_eq!(Shares::default().sum_bytes(Path::new("/"), &[]), None);
    }
}
