//! A container, as far as the kernel knows one: a process in a memory cgroup with a limit, that takes as much of it as it is told to.

use super::home::Home;
use crate::Failure;
use crate::confine::JOIN;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Takes so many bytes for each line that it reads. Told to leak, it takes some each so many seconds, until it is told something else.
const PROGRAM: &str = "
import select, sys
held, each = [], None
while True:
    if select.select([sys.stdin], [], [], each)[0]:
        words, each = sys.stdin.buffer.raw.readline().split(), None
        if not words: break
        step = int(words[0])
        if len(words) > 1: each = float(words[1])
    held.append(bytearray(b'x' * step))
";
/// Holds so many bytes, and reads a file here and there for ever: what does not fit beside them is let go and read back.
const READER: &str = "
import mmap, os, random, sys
held = bytearray(int(sys.argv[1]))
for at in range(0, len(held), 4096): held[at] = 1
file = open(sys.argv[2], 'rb')
os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
while True: pages[random.randrange(len(pages))]
";
const STEP_BYTES: u64 = 1 << 20;
/// It has taken what it was told to by then, or will not.
const TAKES_WITHIN: Duration = Duration::from_secs(60);

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

    /// Starts one that holds part of the limit, and reads a file that does not fit into the rest.
    pub fn reading(name: &str, limit_bytes: u64, share: f64, file: &Path) -> Result<Eater, Failure> {
        let held = (limit_bytes as f64 * share) as u64;
        let home = Home::make(name, Some(limit_bytes))?;
        let program = ["python3", "-c", READER, &held.to_string(), &file.display().to_string()];
        Eater::run(home, limit_bytes, &[], &program)
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
        // What it holds by what it was told: the kernel may tell it two seconds late, and more by then would be too much.
        let mut held = group.non_reclaimable_bytes()?;
        while held < target {
            self.take(STEP_BYTES)?;
            held += STEP_BYTES;
        }
        while group.non_reclaimable_bytes()? + STEP_BYTES < target {
            if !self.runs() {
                return Err("the eater has ended before it had taken what it was told to".into());
            }
            if began.elapsed() > TAKES_WITHIN {
                return Err("the eater does not take what it is told to".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Has it take so much of the limit each second, until it is told something else.
    pub fn leak(&mut self, share_per_second: f64) -> Result<(), Failure> {
        let seconds = STEP_BYTES as f64 / (self.limit_bytes as f64 * share_per_second);
        self.tell(&format!("{STEP_BYTES} {seconds}"))
    }

    /// Whether it runs: the kernel may have killed it.
    pub fn runs(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
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
        self.tell(&bytes.to_string())
    }

    fn tell(&mut self, line: &str) -> Result<(), Failure> {
        let stdin = self.process.stdin.as_mut().ok_or("the eater does not listen")?;
        writeln!(stdin, "{line}")?;
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
