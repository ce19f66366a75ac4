//! A container, as far as the kernel knows one: a process in a memory cgroup with a limit, that takes as much of it as it is told to.

use super::home::Home;
use crate::Failure;
use crate::confine::JOIN;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Takes megabytes, one for each line that it reads.
const PROGRAM: &str =
    "import sys\nheld = []\nfor line in sys.stdin:\n    held.append(bytearray(b'x' * int(line)))\n";
const STEP_BYTES: u64 = 1 << 20;
/// It has taken a step by then, or will not.
const TAKES_WITHIN: Duration = Duration::from_secs(2);

/// See the module. It ends, and its cgroup goes, when this is dropped.
pub struct Eater {
    process: Child,
    limit_bytes: u64,
    // After the process, which lives in it.
    home: Home,
}

impl Eater {
    /// Starts one; `variables` say whose it is.
    pub fn start(name: &str, limit_bytes: u64, variables: &[(&str, &str)]) -> Result<Eater, Failure> {
        let home = Home::make(name, Some(limit_bytes))?;
        Eater::run(home, limit_bytes, variables, &["python3", "-c", PROGRAM])
    }

    /// Starts one in a home that there is.
    pub fn move_in(home: Home, limit_bytes: u64) -> Result<Eater, Failure> {
        Eater::run(home, limit_bytes, &[], &["python3", "-c", PROGRAM])
    }

    fn run(
        home: Home,
        limit_bytes: u64,
        variables: &[(&str, &str)],
        program: &[&str],
    ) -> Result<Eater, Failure> {
        let mut command = Command::new("sh");
        command.args(["-c", JOIN, "join"]).args(home.entrances()).arg("--").args(program);
        command
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().map_err(|error| format!("sh: {error}"))?;
        Ok(Eater { process, limit_bytes, home })
    }

    /// Starts a Node process that tells its heap, and does nothing else.
    pub fn node(plimsoll: &Path, limit_bytes: u64) -> Result<Eater, Failure> {
        let preload = std::env::temp_dir().join(format!("plimsoll-preload-{}.cjs", std::process::id()));
        let text = Command::new(plimsoll).args(["agent", "--preload"]).output()?.stdout;
        std::fs::write(&preload, text)?;
        let require = format!("--require={}", preload.display());
        let program = ["node", &require, "-e", "setInterval(() => {}, 1000)"];
        Eater::run(Home::make("node", Some(limit_bytes))?, limit_bytes, &[], &program)
    }

    /// Where it lives.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Has it take memory until so much of the limit cannot be reclaimed.
    pub fn fill(&mut self, share: f64) -> Result<(), Failure> {
        let target = (self.limit_bytes as f64 * share) as u64;
        let group = self.home.memory().clone();
        let began = Instant::now();
        while group.non_reclaimable_bytes()? < target {
            if began.elapsed() > Duration::from_secs(30) {
                return Err("the eater does not take what it is told to".into());
            }
            let before = group.non_reclaimable_bytes()?;
            self.take(STEP_BYTES)?;
            // On a busy machine it takes its time, and what waits in the pipe would be too much in the end.
            let told = Instant::now();
            while group.non_reclaimable_bytes()? < before + STEP_BYTES / 2 && told.elapsed() < TAKES_WITHIN {
                std::thread::sleep(Duration::from_millis(1));
            }
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

    /// Has it take so much more.
    pub fn take(&mut self, bytes: u64) -> Result<(), Failure> {
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
