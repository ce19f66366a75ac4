//! A server as a process.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// So long a server may take to be ready.
const READY_SECONDS: u64 = 60;

/// A running server; it is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    child: Child,
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
        let child = Command::new(program)
            .args(arguments)
            .args(listen(port))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}\ninstall it with make tools"));
        let mut server = Server { url: format!("http://127.0.0.1:{port}"), child };
        let started = Instant::now();
        while !is_ready(port) {
            let ended = server.child.try_wait().ok().flatten();
            assert!(ended.is_none(), "{program} ended with {ended:?} before it was ready");
            assert!(
                started.elapsed().as_secs() < READY_SECONDS,
                "{program} was not ready after {READY_SECONDS} s"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
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

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port on loopback that nobody listened on a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
