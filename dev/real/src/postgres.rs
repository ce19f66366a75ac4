//! A PostgreSQL on a folder of its own.

use crate::process::{Process, free_port};
use rustix::process::geteuid;
use std::net::TcpStream;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Debian's `nobody`: PostgreSQL does not run as root.
const NOBODY: (u32, u32) = (65_534, 65_534);

/// It takes no longer to start.
const START_WITHIN: Duration = Duration::from_secs(60);

/// A running PostgreSQL; it is killed when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    /// `postgres://plimsoll@127.0.0.1:PORT/postgres`
    pub url: String,
    process: Process,
    folder: tempfile::TempDir,
    port: u16,
}

impl Postgres {
    /// One with nothing in it; who comes by loopback is let in.
    pub fn start() -> Postgres {
        let folder = tempfile::tempdir().expect("a folder");
        if geteuid().is_root() {
            chown(folder.path(), Some(NOBODY.0), Some(NOBODY.1)).expect("a folder of nobody's");
        }
        let blocks = folder.path().join("blocks").display().to_string();
        let arguments = ["-D", &blocks, "-U", "plimsoll", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"];
        let made = command("initdb", folder.path()).args(arguments).output().expect("initdb");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let process = serve(folder.path(), port);
        let url = format!("postgres://plimsoll@127.0.0.1:{port}/postgres");
        Postgres { url, process, folder, port }
    }

    /// Kills it as a power cut would, and starts it again on what is on disk.
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = serve(self.folder.path(), self.port);
    }
}

/// Starts it. After a kill those who served are there for a while, and until they have seen that they are alone it ends at once.
fn serve(folder: &Path, port: u16) -> Process {
    let began = Instant::now();
    loop {
        if let Some(process) = try_serve(folder, port) {
            return process;
        }
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(began.elapsed() < START_WITHIN, "postgres does not start: {log}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Once; none where it ends before it is ready.
fn try_serve(folder: &Path, port: u16) -> Option<Process> {
    let log = std::fs::File::create(folder.join("log")).expect("a log");
    let mut command = command("postgres", folder);
    let settings = [
        "listen_addresses=127.0.0.1".to_string(),
        format!("port={port}"),
        format!("unix_socket_directories={}", folder.display()),
        "max_connections=200".to_string(),
    ];
    command.arg("-D").arg(folder.join("blocks"));
    command.args(settings.iter().flat_map(|setting| ["-c", setting])).stderr(log);
    let mut process = Process::start(command, "postgres");
    let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    let is_ready =
        || TcpStream::connect(("127.0.0.1", port)).is_ok() && log().contains("ready to accept connections");
    let began = Instant::now();
    while !is_ready() {
        if process.has_ended() {
            return None;
        }
        assert!(began.elapsed() < START_WITHIN, "postgres is not ready: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(process)
}

/// One of its programs, as somebody who is not root.
fn command(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(programs().join(name));
    command.current_dir(folder);
    if geteuid().is_root() {
        command.uid(NOBODY.0).gid(NOBODY.1);
    }
    command
}

/// The newest of those that are installed.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin"));
    let found = programs.filter(|programs| programs.join("postgres").exists()).max();
    found.expect("PostgreSQL\ninstall it with make tools")
}
