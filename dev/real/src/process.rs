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

    /// CPU time it has taken, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("its stat");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
        let ticks = |index: usize| fields[index].parse::<f64>().expect("ticks");
        // User and system time are the 14th and 15th field, the first after the name being the third.
        (ticks(11) + ticks(12)) / TICKS_PER_SECOND
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
