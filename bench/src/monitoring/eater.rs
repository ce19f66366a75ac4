//! A container, as far as the kernel knows one: a process in a memory cgroup with a limit, that takes as much of it as it is told to.

use crate::Failure;
use crate::confine::JOIN;
use plimsoll_probe::cgroup::{Child as Cgroup, Layout};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Takes megabytes, one for each line that it reads.
const PROGRAM: &str =
    "import sys\nheld = []\nfor line in sys.stdin:\n    held.append(bytearray(b'x' * int(line)))\n";
const STEP_BYTES: u64 = 1 << 20;

/// See the module. It ends, and its cgroup goes, when this is dropped.
pub struct Eater {
    cgroup: Cgroup,
    process: Child,
    limit_bytes: u64,
}

impl Eater {
    /// Starts one; `variables` say whose it is.
    pub fn start(name: &str, limit_bytes: u64, variables: &[(&str, &str)]) -> Result<Eater, Failure> {
        Eater::run(name, limit_bytes, variables, &["python3", "-c", PROGRAM])
    }

    fn run(
        name: &str,
        limit_bytes: u64,
        variables: &[(&str, &str)],
        program: &[&str],
    ) -> Result<Eater, Failure> {
        let layout = Layout::detect(Path::new("/"), std::process::id());
        let cgroup = Cgroup::create(&layout, name, Some(limit_bytes))
            .map_err(|refusal| format!("cannot make a memory cgroup\nrun as root\n{refusal}"))?;
        let mut command = Command::new("sh");
        command.args(["-c", JOIN, "join"]);
        for entrance in cgroup.entrances()? {
            command.arg(std::fs::read_link(format!("/proc/self/fd/{}", entrance.as_raw_fd()))?);
        }
        command.arg("--").args(program);
        command
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().map_err(|error| format!("sh: {error}"))?;
        Ok(Eater { cgroup, process, limit_bytes })
    }

    /// Starts a Node process that tells its heap, and does nothing else.
    pub fn node(plimsoll: &Path, limit_bytes: u64) -> Result<Eater, Failure> {
        let preload = std::env::temp_dir().join(format!("plimsoll-preload-{}.cjs", std::process::id()));
        let text = Command::new(plimsoll).args(["agent", "--preload"]).output()?.stdout;
        std::fs::write(&preload, text)?;
        let require = format!("--require={}", preload.display());
        Eater::run("node", limit_bytes, &[], &["node", &require, "-e", "setInterval(() => {}, 1000)"])
    }

    /// Has it take memory until so much of the limit cannot be reclaimed.
    pub fn fill(&mut self, share: f64) -> Result<(), Failure> {
        let target = (self.limit_bytes as f64 * share) as u64;
        let group = self.cgroup.memory().ok_or("the cgroup has no memory")?.clone();
        let began = Instant::now();
        while group.non_reclaimable_bytes()? < target {
            if began.elapsed() > Duration::from_secs(30) {
                return Err("the eater does not take what it is told to".into());
            }
            self.take(STEP_BYTES)?;
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Has it take more than there is: the kernel kills it.
    pub fn overfill(&mut self) -> Result<(), Failure> {
        // It may be dead before all of it is told.
        let _ = self.take(self.limit_bytes);
        self.process.wait()?;
        Ok(())
    }

    fn take(&mut self, bytes: u64) -> Result<(), Failure> {
        let stdin = self.process.stdin.as_mut().ok_or("the eater does not listen")?;
        writeln!(stdin, "{bytes}")?;
        stdin.flush()?;
        Ok(())
    }
}

impl Drop for Eater {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
