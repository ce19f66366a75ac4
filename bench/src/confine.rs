//! One command in a fresh memory cgroup: what it took, how it ended, and nothing of it left behind.

use crate::Failure;
use plimsoll_probe::cgroup::{Child, Group, Layout};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, set_child_subreaper, waitpid};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at the cgroup. Short against the seconds a compiler needs to grow.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// How long what is left may take to die.
const DEATH_PATIENCE: Duration = Duration::from_secs(10);
/// Kernel ticks a second in `/proc/PID/stat` (USER_HZ: 100 on every Linux architecture Rust knows but Alpha).
const TICKS_A_SECOND: u64 = 100;
/// Joins the cgroups named before `--`, then becomes the command after it.
pub const JOIN: &str =
    r#"while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@""#;

/// What to run, where, and within what.
pub struct Order {
    pub name: String,
    pub command: Vec<String>,
    pub dir: PathBuf,
    pub variables: Vec<(String, String)>,
    pub limit_bytes: Option<u64>,
    pub timeout: Option<Duration>,
    /// Where both its outputs go instead of ours.
    pub log: Option<PathBuf>,
}

impl Order {
    pub fn new(name: &str, command: Vec<String>, dir: PathBuf) -> Order {
        let name = name.to_string();
        Order { name, command, dir, variables: Vec::new(), limit_bytes: None, timeout: None, log: None }
    }
}

/// What a command took and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// As a shell tells it: 128 + the signal's number where one ended it.
    pub exit_code: i32,
    pub timed_out: bool,
    /// Processes the kernel killed for memory, in cgroups below too.
    pub kernel_kills: u64,
    /// Highest anonymous and shared memory seen, in bytes.
    pub peak_bytes: Option<u64>,
    pub wall_ms: u64,
    /// User and system time of all its processes.
    pub cpu_ms: u64,
}

/// Runs it to its end, kills what is left and removes the cgroup.
pub fn measure(order: &Order) -> Result<Measured, Failure> {
    // Orphans come to us, so that their time is counted and none outlives the measurement.
    set_child_subreaper(Pid::from_raw(1))?;
    let child = cgroup(order)?;
    let group = child.memory().ok_or("no memory cgroup\nrun as root, or in a delegated cgroup")?;
    let cpu_before = reaped_cpu_ms()?;
    let started = Instant::now();
    let mut process = spawn(order, &child)?;
    let pid = Pid::from_child(&process);
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let mut watch = Watch::default();
    let mut timed_out = false;
    loop {
        let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&LOOK)).unwrap_or(0) > 0;
        watch.look(group);
        if ended {
            break;
        }
        if !timed_out && order.timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
            timed_out = true;
            child.kill_all(DEATH_PATIENCE)?;
        }
    }
    let status = process.wait()?;
    let wall_ms = started.elapsed().as_millis() as u64;
    child.kill_all(DEATH_PATIENCE)?;
    // What died orphaned is ours to reap; an error means nobody is left.
    while matches!(waitpid(None, WaitOptions::NOHANG), Ok(Some(_))) {}
    watch.look(group);
    let measured = Measured {
        exit_code: shell_code(status),
        timed_out,
        kernel_kills: watch.kills,
        peak_bytes: watch.peak_bytes,
        wall_ms,
        cpu_ms: reaped_cpu_ms()?.saturating_sub(cpu_before),
    };
    child.remove()?;
    Ok(measured)
}

fn cgroup(order: &Order) -> Result<Child, Failure> {
    let layout = Layout::detect(Path::new("/"), std::process::id());
    let advice = "cannot make a memory cgroup\nrun as root, or in a delegated cgroup (systemd-run --user --scope -p Delegate=yes)";
    let child = Child::create(&layout, &order.name, order.limit_bytes)
        .map_err(|refusal| format!("{advice}\n{refusal}"))?;
    let limited = child.memory().is_some_and(|group| {
        order.limit_bytes.is_none_or(|limit| group.limit_bytes().ok().flatten() == Some(limit & !4095))
    });
    if limited { Ok(child) } else { Err(format!("{advice}\n{:?}", child.notes()).into()) }
}

fn spawn(order: &Order, child: &Child) -> Result<std::process::Child, Failure> {
    let mut command = Command::new("sh");
    command.args(["-c", JOIN, "join"]);
    for entrance in child.entrances()? {
        command.arg(fs::read_link(format!("/proc/self/fd/{}", entrance.as_raw_fd()))?);
    }
    command.arg("--").args(&order.command).current_dir(&order.dir);
    command.envs(order.variables.iter().map(|(name, value)| (name, value)));
    if let Some(path) = &order.log {
        let log = File::create(path)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    }
    command.spawn().map_err(|error| format!("sh: {error}").into())
}

/// What was seen of a cgroup so far.
#[derive(Default)]
struct Watch {
    peak_bytes: Option<u64>,
    kills: u64,
    kills_shown: u64,
}

impl Watch {
    /// A v1 cgroup removed below takes its count of kills away with it, so only rises are added up.
    fn look(&mut self, group: &Group) {
        if let Ok(stat) = group.stat() {
            let used = stat.anon.map(|anon| anon + stat.shmem.unwrap_or(0));
            self.peak_bytes = self.peak_bytes.max(used);
        }
        if let Ok(shown) = group.oom_kills() {
            self.kills += shown.saturating_sub(self.kills_shown);
            self.kills_shown = shown;
        }
    }
}

fn shell_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// CPU time of all our children that have ended and been waited for, and of theirs.
fn reaped_cpu_ms() -> Result<u64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    parse_reaped_cpu_ms(&stat).ok_or_else(|| "/proc/self/stat: no CPU time of children".into())
}

/// Fields 16 and 17; the name in field 2 may hold anything, so count from its closing bracket.
fn parse_reaped_cpu_ms(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks * 1000 / TICKS_A_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_of_children() {
        let check = |stat: &str, expect: Option<u64>| assert_eq!(parse_reaped_cpu_ms(stat), expect, "{stat}");
        check("7 (a b) c) S 1 7 7 0 -1 0 1 2 3 4 5 6 150 25 20 0 1 0 99", Some(1750));
        check("7 (a) S 1 7", None);
        check("", None);
    }
}
