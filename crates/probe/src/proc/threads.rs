//! Threads of one process: how much of its CPU time its main thread has used, and how much all others.
//!
//! In Node the others are V8's and libuv's: when they outweigh the main thread at a full heap, it collects.

use super::stat::Stat;
use std::fs;
use std::path::Path;

/// CPU time of a process, parted. Both only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadTicks {
    /// Its main thread's, in clock ticks.
    pub main_ticks: u64,
    /// All other threads', the ended ones too, in clock ticks.
    pub helper_ticks: u64,
}

impl ThreadTicks {
    /// Reads `<root>/proc/PID/stat` and its main thread's; `None` when the process is gone.
    pub fn read(root: &Path, pid: i32) -> Option<ThreadTicks> {
        let process = root.join(format!("proc/{pid}"));
        let main_ticks = ticks_of(&process.join(format!("task/{pid}")))?;
        Some(ThreadTicks { main_ticks, helper_ticks: ticks_of(&process)?.saturating_sub(main_ticks) })
    }
}

fn ticks_of(folder: &Path) -> Option<u64> {
    let text = fs::read(folder.join("stat")).ok()?;
    Stat::parse(&String::from_utf8_lossy(&text)).map(|stat| stat.cpu_ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_thread_and_the_others_apart() {
        let root = tempfile::tempdir().unwrap();
        let write = |folder: &str, user: u64, system: u64| {
            let folder = root.path().join("proc/10").join(folder);
            fs::create_dir_all(&folder).unwrap();
            let stat = format!("10 (node) R 1 1 1 0 -1 0 0 0 0 0 {user} {system} 0 0 20 0 3 0 77 0 0");
            fs::write(folder.join("stat"), stat).unwrap();
        };
        write("", 147, 6);
        write("task/10", 100, 5);
        let expect = ThreadTicks { main_ticks: 105, helper_ticks: 48 };
        assert_eq!(ThreadTicks::read(root.path(), 10), Some(expect));
        assert_eq!(ThreadTicks::read(root.path(), 9), None);
    }
}
