//! A server as a process.

use rustix::process::{Signal, set_parent_process_death_signal};
use serde_json::Value;
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::slice;
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// So long a server may take to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// A running program; it is killed when this is dropped, and when we die without that.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
}

impl Process {
    /// Starts it, with nothing to read; it is spoken of by this name.
    pub fn start(mut command: Command, name: &str) -> Process {
        command.stdin(Stdio::null());
        let child = spawned(command);
        let child = child.unwrap_or_else(|error| panic!("{name}: {error}\ninstall it with make tools"));
        Process { name: name.to_string(), child }
    }

    /// Whether it has ended, by itself or not.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().ok().flatten().is_some()
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until what these do together is ready, and panics if one of them ends or it takes too long.
pub(crate) fn wait_until(processes: &mut [Process], is_ready: impl Fn() -> bool) {
    wait_until_within(READY_TIMEOUT, processes, is_ready);
}

/// Waits until it is so, and panics if that takes too long.
pub fn eventually(is_so: impl Fn() -> bool) {
    wait_until(&mut [], is_so);
}

/// Asks again and again until there is an answer, and panics after so long, with what there was instead.
pub fn answered<T>(within: Duration, what: &str, mut ask: impl FnMut() -> Result<T, Value>) -> T {
    let started = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(instead) => {
                assert!(started.elapsed() < within, "not so after {within:?}: {what}: {instead:#}");
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The same for what has a time of its own.
pub(crate) fn wait_until_within(timeout: Duration, processes: &mut [Process], is_ready: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_ready() {
        for Process { name, child } in &mut *processes {
            let ended = child.try_wait().ok().flatten();
            assert!(ended.is_none(), "{name} ended with {ended:?} before it was ready");
        }
        let names: Vec<&str> = processes.iter().map(|process| process.name.as_str()).collect();
        let names = names.join(", ");
        assert!(started.elapsed() < timeout, "not ready after {timeout:?}: {names}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a command that the kernel kills when we die. It is sent that when the thread dies that has started it, so a thread
/// that lives as long as we do starts them all: a test's thread ends with the test.
fn spawned(mut command: Command) -> io::Result<Child> {
    static STARTER: LazyLock<Sender<(Command, Sender<io::Result<Child>>)>> = LazyLock::new(|| {
        let (sender, receiver) = channel::<(Command, Sender<io::Result<Child>>)>();
        std::thread::spawn(move || {
            for (mut command, answer) in receiver {
                // Nobody waits for it any more only where the test has ended.
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    // SAFETY: between fork and exec only prctl is called, which is async-signal-safe.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
    let (answer, answered) = channel();
    STARTER.send((command, answer)).expect("the thread that starts programs");
    answered.recv().expect("the thread that starts programs")
}

/// A running server; it is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    process: Process,
}

impl Server {
    /// Starts a program and waits until it answers at `ready`.
    pub fn start(
        program: &str,
        arguments: &[&str],
        listen: impl Fn(u16) -> Vec<String>,
        ready: &str,
    ) -> Server {
        Server::start_until(program, arguments, listen, |port| {
            let answer = ureq::get(format!("http://127.0.0.1:{port}{ready}")).call();
            answer.is_ok_and(|answer| answer.status() == 200)
        })
    }

    /// Starts a program and waits until it is ready at its port.
    pub fn start_until(
        program: &str,
        arguments: &[&str],
        listen: impl Fn(u16) -> Vec<String>,
        is_ready: impl Fn(u16) -> bool,
    ) -> Server {
        let port = free_port();
        let mut command = Command::new(program);
        command.args(arguments).args(listen(port)).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process::start(command, program);
        wait_until(slice::from_mut(&mut process), || is_ready(port));
        Server { url: format!("http://127.0.0.1:{port}"), process }
    }

    /// One that is started already.
    pub(crate) fn of(process: Process, url: String) -> Server {
        Server { url, process }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// The most memory it had at once, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        let kib = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of KiB");
        kib * 1024
    }

    /// CPU time its threads have taken, in seconds; those that have ended, which in Go hardly any do, are not in it.
    pub fn cpu_seconds(&self) -> f64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("its threads");
        // The first number is the time on a processor, in nanoseconds: ticks of 10 ms would be too coarse.
        let nanoseconds = |task: std::fs::DirEntry| -> Option<f64> {
            let schedstat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            schedstat.split(' ').next()?.parse().ok()
        };
        tasks.flatten().filter_map(nanoseconds).sum::<f64>() / 1e9
    }
}

/// A port on loopback that nobody listened on a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
