//! The scan: all processes of a tree, with what each is and holds, cheap enough to repeat.

use super::stat::{Stat, private_bytes};
use plimsoll_core::input::input_of;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of a command line that are looked at.
const CMDLINE_MAX_BYTES: usize = 4096;

/// One process of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its parent's.
    pub ppid: i32,
    /// Start, in clock ticks after boot.
    pub start_ticks: u64,
    /// `R`, `S`, `D`, `T`, ...
    pub state: char,
    /// Program name: the executable's file name.
    pub program: String,
    /// What it works on, where its arguments say so.
    pub input: Option<String>,
    /// Private memory in bytes; `None` when not readable.
    pub private_bytes: Option<u64>,
    /// CPU time so far, in clock ticks.
    pub cpu_ticks: u64,
    /// Whether it may share pages with its parent: forked, and still the same program.
    pub forked: bool,
    /// Its threads.
    pub threads: u32,
    /// Whether it has no living child among those looked at.
    pub leaf: bool,
}

/// What does not change while a process runs its program.
#[derive(Debug, Clone)]
struct Identity {
    start_ticks: u64,
    /// The kernel's name: it changes when the process becomes another program.
    comm: String,
    program: String,
    input: Option<String>,
}

/// Scans the tree again and again.
#[derive(Debug)]
pub struct Scan {
    proc: PathBuf,
    page_bytes: u64,
    known: HashMap<i32, Identity>,
}

impl Scan {
    /// A scan of `<root>/proc`.
    pub fn new(root: &Path) -> Scan {
        let page_bytes = rustix::param::page_size() as u64;
        Scan { proc: root.join("proc"), page_bytes, known: HashMap::new() }
    }

    /// The processes with these ids that still live.
    pub fn of(&mut self, pids: &[i32]) -> Vec<Process> {
        let stats: Vec<(i32, Stat)> = pids
            .iter()
            .filter_map(|pid| Some((*pid, self.stat(*pid)?)))
            .filter(|(_, stat)| stat.state != 'Z')
            .collect();
        // A set, because cgroup.procs of v2 is not sorted.
        let alive: HashSet<i32> = stats.iter().map(|(pid, _)| *pid).collect();
        self.known.retain(|pid, _| alive.contains(pid));
        let parents: HashSet<i32> = stats.iter().map(|(_, stat)| stat.ppid).collect();
        stats.into_iter().map(|(pid, stat)| self.process(pid, stat, !parents.contains(&pid))).collect()
    }

    /// The processes below `root`, itself excluded, by walking all of /proc: the way without a cgroup. As
    /// subreaper `root` also has the orphans.
    pub fn below(&mut self, root: i32) -> Vec<Process> {
        let entries = fs::read_dir(&self.proc).into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let mut parents: HashMap<i32, i32> =
            pids.filter_map(|pid| Some((pid, self.stat(pid)?.ppid))).collect();
        parents.remove(&root);
        let mut below: Vec<i32> =
            parents.keys().copied().filter(|pid| is_below(*pid, root, &parents)).collect();
        below.sort_unstable();
        self.of(&below)
    }

    fn stat(&self, pid: i32) -> Option<Stat> {
        Stat::parse(&String::from_utf8_lossy(&fs::read(self.proc.join(format!("{pid}/stat"))).ok()?))
    }

    fn process(&mut self, pid: i32, stat: Stat, leaf: bool) -> Process {
        let folder = self.proc.join(pid.to_string());
        let known = self
            .known
            .get(&pid)
            .filter(|known| known.start_ticks == stat.start_ticks && known.comm == stat.comm);
        let identity = known.cloned().unwrap_or_else(|| identify(&folder, &stat));
        let statm = fs::read_to_string(folder.join("statm")).ok();
        let process = Process {
            pid,
            ppid: stat.ppid,
            start_ticks: stat.start_ticks,
            state: stat.state,
            program: identity.program.clone(),
            input: identity.input.clone(),
            private_bytes: statm.and_then(|statm| private_bytes(&statm, self.page_bytes)),
            cpu_ticks: stat.cpu_ticks,
            forked: stat.forked,
            threads: stat.threads,
            leaf,
        };
        self.known.insert(pid, identity);
        process
    }
}

fn is_below(pid: i32, root: i32, parents: &HashMap<i32, i32>) -> bool {
    let mut at = pid;
    // A tree is not deeper than it has processes; the bound ends a loop made by ids that were used again.
    for _ in 0..=parents.len() {
        match parents.get(&at) {
            Some(parent) if *parent == root => return true,
            Some(parent) => at = *parent,
            None => return false,
        }
    }
    false
}

fn identify(folder: &Path, stat: &Stat) -> Identity {
    let exe = fs::read_link(folder.join("exe")).ok();
    let exe = exe.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let program = exe.map_or_else(|| stat.comm.clone(), |exe| exe.trim_end_matches(" (deleted)").to_string());
    let cmdline = fs::read(folder.join("cmdline")).unwrap_or_default();
    let cmdline = &cmdline[..cmdline.len().min(CMDLINE_MAX_BYTES)];
    let words: Vec<String> = cmdline
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let input = input_of(&program, &arguments);
    Identity { start_ticks: stat.start_ticks, comm: stat.comm.clone(), program, input }
}

impl Process {
    /// Names the process for good: its id may be used again, but not with the same start.
    pub fn id(&self) -> u64 {
        (self.start_ticks << 22) | self.pid as u64
    }

    /// Sends a signal to this very process: never to another one that got its id in the meantime. False when it
    /// is gone.
    pub fn signal(&self, signal: Signal) -> bool {
        let Some(pid) = Pid::from_raw(self.pid) else { return false };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => self.is_still_there() && pidfd_send_signal(pidfd, signal).is_ok(),
            Err(Errno::SRCH) => false,
            // Before Linux 5.3, or under a seccomp profile from then: its start is all there is to know it by.
            Err(_) => self.is_still_there() && kill_process(pid, signal).is_ok(),
        }
    }

    fn is_still_there(&self) -> bool {
        let text = fs::read(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        Stat::parse(&String::from_utf8_lossy(&text)).is_some_and(|stat| stat.start_ticks == self.start_ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_fake_tree_is_read() {
        let root = tempfile::tempdir().unwrap();
        let process = |pid: i32, ppid: i32, comm: &str, state: char| {
            let folder = root.path().join(format!("proc/{pid}"));
            fs::create_dir_all(&folder).unwrap();
            let stat =
                format!("{pid} ({comm}) {state} {ppid} 1 1 0 -1 0 0 0 0 0 10 5 0 0 20 0 1 0 {pid}00 0 0 0");
            fs::write(folder.join("stat"), stat).unwrap();
            fs::write(folder.join("statm"), "900 300 100 0 0 0 0").unwrap();
            fs::write(folder.join("cmdline"), "/usr/bin/x\0-quiet\0src/a.cc\0").unwrap();
        };
        process(10, 1, "plimsoll", 'S');
        process(11, 10, "make", 'S');
        process(12, 11, "cc1plus", 'R');
        process(13, 11, "gone", 'Z');
        process(20, 1, "other", 'S');
        let mut scan = Scan::new(root.path());
        let found = scan.below(10);
        let seen: Vec<(i32, &str, Option<&str>, bool)> = found
            .iter()
            .map(|process| (process.pid, process.program.as_str(), process.input.as_deref(), process.leaf))
            .collect();
        assert_eq!(seen, [(11, "make", None, false), (12, "cc1plus", Some("src/a.cc"), true)]);
        assert_eq!(found[1].private_bytes, Some(200 * rustix::param::page_size() as u64));
        assert_eq!(found[1].cpu_ticks, 15);
    }

    #[test]
    fn a_signal_reaches_the_process_it_was_meant_for() {
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        let mut scan = Scan::new(Path::new("/"));
        let pid = child.id() as i32;
        let mut process = scan.of(&[pid]).remove(0);
        let true_start_ticks = process.start_ticks;
        process.start_ticks += 1;
        assert!(!process.signal(Signal::KILL), "the id was used again: nothing is sent");
        process.start_ticks = true_start_ticks;
        assert!(process.signal(Signal::KILL));
        child.wait().unwrap();
        assert!(!process.signal(Signal::KILL));
    }
}
