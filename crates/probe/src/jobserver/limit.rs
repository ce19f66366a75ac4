//! The jobserver and admission under a real memory limit with real kills. Needs a version 1 memory cgroup that may
//! be divided, make and python3; where one is missing the test says so and is skipped.

use super::flags::{Environment, VARIABLES, detect, environment};
use super::*;
use plimsoll_core::admission::{Job, View, grant};
use plimsoll_core::promise::Promises;
use plimsoll_core::size::MIB;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const LIMIT_BYTES: u64 = 512 * MIB;
const JOBS: u32 = 8;
/// A job that grows to 140 MiB within a second, as a compiler does, and then works on.
const GROW: &str = "\
import time
kept = []
for step in range(20):
    kept.append(b'x' * (7 << 20))
    time.sleep(0.05)
time.sleep(0.3)
";

/// A child cgroup with [`LIMIT_BYTES`], removed when dropped.
struct Limited(PathBuf);

impl Limited {
    fn new(name: &str) -> Option<Limited> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = own.lines().find_map(|line| line.split_once(":memory:"))?.1;
        let name = format!("jobserver-{name}-{}", std::process::id());
        let limited =
            Limited(PathBuf::from("/sys/fs/cgroup/memory").join(own.trim_start_matches('/')).join(name));
        fs::create_dir(&limited.0).ok()?;
        fs::write(limited.0.join("memory.limit_in_bytes"), LIMIT_BYTES.to_string()).ok()?;
        Some(limited)
    }

    fn number(&self, file: &str, key: &str) -> u64 {
        let text = fs::read_to_string(self.0.join(file)).unwrap();
        text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok()).unwrap()
    }

    fn kills(&self) -> u64 {
        self.number("memory.oom_control", "oom_kill ")
    }

    fn pids(&self) -> Vec<String> {
        let text = fs::read_to_string(self.0.join("cgroup.procs")).unwrap();
        text.lines().map(str::to_string).collect()
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Program, parent and held bytes of a process that may be gone already.
fn process(pid: &str) -> Option<(String, String, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
    let parent = rest.split(' ').nth(1)?.to_string();
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages = |field: usize| statm.split(' ').nth(field)?.parse::<u64>().ok();
    Some((name.to_string(), parent, (pages(1)? - pages(2)?) * 4096))
}

/// Runs make with growing jobs inside the limit; with a jobserver, admission sets its target every 20 ms.
/// Returns whether it passed, and how many jobs ran at once.
fn run(limited: &Limited, dir: &Path, jobserver: Option<(&Jobserver, &Promises)>) -> (bool, usize) {
    let targets: Vec<String> = (0..9).map(|job| format!("job{job}")).collect();
    let targets = targets.join(" ");
    fs::write(dir.join("grow.py"), GROW).unwrap();
    fs::write(dir.join("Makefile"), format!("all: {targets}\n{targets}:\n\t@exec python3 grow.py\n"))
        .unwrap();
    let enter = format!("echo $$ >{}/cgroup.procs && exec make -k", limited.0.display());
    let mut command = Command::new("sh");
    command.current_dir(dir).args(["-c", &enter]).env("MAKEFLAGS", format!("-j{JOBS}"));
    if let Some((jobserver, _)) = jobserver {
        let make = Command::new("make").arg("--version").output().unwrap();
        let clients = detect(Some(&String::from_utf8_lossy(&make.stdout)), None);
        for name in VARIABLES {
            command.env_remove(name);
        }
        let asked = |name: &str| (name == "MAKEFLAGS").then(|| format!("-j{JOBS}"));
        if let Environment::Set(set) = environment(&jobserver.auth(), clients, None, asked) {
            command.envs(set);
        }
        jobserver.attach(&mut command);
    }
    let mut child = command.spawn().unwrap();
    let mut most = 0;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status.success(), most);
        }
        let processes: Vec<_> =
            limited.pids().iter().filter_map(|pid| Some((pid.clone(), process(pid)?))).collect();
        let leaf = |pid: &String| !processes.iter().any(|(_, (_, parent, _))| parent == pid);
        let jobs: Vec<Job> = processes
            .iter()
            .filter(|(pid, _)| leaf(pid))
            .map(|(_, (program, _, held_bytes))| Job {
                program,
                input: None,
                held_bytes: *held_bytes,
                threads: 1,
            })
            .collect();
        most = most.max(jobs.iter().filter(|job| job.program == "python3").count());
        if let Some((jobserver, promises)) = jobserver {
            let view = View {
                budget_bytes: Some(LIMIT_BYTES),
                reserve_bytes: LIMIT_BYTES / 20,
                held_bytes: limited.number("memory.stat", "total_rss "),
                jobs: &jobs,
                outstanding: jobserver.counts().unwrap().outstanding,
                tokens_max: JOBS - 1,
                cores: 1,
            };
            jobserver.set_target(grant(&view, promises)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_was_learned_keeps_the_kernel_from_killing() {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let (Some(plain), Some(kept)) = (Limited::new("plain"), Limited::new("kept")) else {
        eprintln!("skipped: no memory cgroup (version 1) that may be divided here");
        return;
    };
    if !has("make") || !has("python3") {
        eprintln!("skipped: needs make and python3 (apt-get install make python3)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (passed, _) = run(&plain, dir.path(), None);
    assert!(!passed && plain.kills() > 0, "eight jobs of 140 MiB do not fit into 512 MiB");

    let mut promises = Promises::new(Default::default(), Some(LIMIT_BYTES));
    for _ in 0..2 {
        promises.learn("python3", None, 150 * MIB);
    }
    let jobserver = Jobserver::create(dir.path(), 0).unwrap();
    let (passed, most) = run(&kept, dir.path(), Some((&jobserver, &promises)));
    assert!(passed, "a job failed");
    assert_eq!(kept.kills(), 0);
    assert_eq!(most, 3, "what fits runs at once");
    assert_eq!(jobserver.counts().unwrap().outstanding, 0);
}
