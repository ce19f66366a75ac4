//! Threads of one process: how much of its CPU time its main thread has used, and how much all others.
//!
//! In Node the others are V8's and libuv's: when they outweigh the main thread at a full heap, it collects.

use super::stat::Stat;
use std::fs;
use std::path::Path;

/// CPU time of a process, parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadTicks {
    /// Its main thread's, in clock ticks.
    pub main_ticks: u64,
    /// All other living threads', in clock ticks. It falls when one of them ends.
    pub helper_ticks: u64,
}

impl ThreadTicks {
    /// Reads `<root>/proc/PID/task/*/stat`; `None` when the process is gone. A thread that ends meanwhile is left
    /// out.
    pub fn read(root: &Path, pid: i32) -> Option<ThreadTicks> {
        let tasks = root.join(format!("proc/{pid}/task"));
        let mut ticks = ThreadTicks { main_ticks: ticks_of(&tasks.join(pid.to_string()))?, helper_ticks: 0 };
        for task in fs::read_dir(&tasks).ok()?.flatten() {
            if task.file_name().to_str()?.parse() != Ok(pid) {
                ticks.helper_ticks = ticks.helper_ticks.saturating_add(ticks_of(&task.path()).unwrap_or(0));
            }
        }
        Some(ticks)
    }
}

fn ticks_of(task: &Path) -> Option<u64> {
    let text = fs::read(task.join("stat")).ok()?;
    Stat::parse(&String::from_utf8_lossy(&text)).map(|stat| stat.cpu_ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_thread_and_the_others_apart() {
        let root = tempfile::tempdir().unwrap();
        let thread = |tid: i32, user: u64, system: u64| {
            let folder = root.path().join(format!("proc/10/task/{tid}"));
            fs::create_dir_all(&folder).unwrap();
            let stat = format!("{tid} (node) R 1 1 1 0 -1 0 0 0 0 0 {user} {system} 0 0 20 0 3 0 77 0 0");
            fs::write(folder.join("stat"), stat).unwrap();
        };
        thread(10, 100, 5);
        thread(11, 40, 1);
        thread(12, 7, 0);
        let expect = ThreadTicks { main_ticks: 105, helper_ticks: 48 };
        assert_eq!(ThreadTicks::read(root.path(), 10), Some(expect));
        assert_eq!(ThreadTicks::read(root.path(), 9), None);
    }
}
