//! The agent as a process, and what it shows.
#![allow(dead_code)]

use super::common::PLIMSOLL;
use super::common::cluster::within;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

pub const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0,text/plain;q=0.1";

pub struct Agent {
    child: Child,
    url: String,
    said: Arc<Mutex<String>>,
}

impl Agent {
    pub fn start(more: &[&str]) -> Agent {
        Agent::start_by(Command::new(PLIMSOLL), more)
    }

    /// By a command that ends with the program.
    pub fn start_by(mut command: Command, more: &[&str]) -> Agent {
        command.args(["agent", "--listen", "127.0.0.1:0"]).args(more);
        command.env_remove("NODE_NAME").env_remove("KUBERNETES_SERVICE_HOST");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("plimsoll starts");
        let said = Arc::new(Mutex::new(String::new()));
        listen(child.stderr.take().expect("a pipe"), said.clone());
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
        let url = first.trim().strip_prefix("metrics at ").unwrap_or_else(|| panic!("{first}")).to_string();
        Agent { child, url, said }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches("/metrics")
    }

    /// What whoever asks so gets: the media type and the text.
    pub fn asked(&self, accept: &str) -> (String, String) {
        let mut answer = ureq::get(&self.url).header("accept", accept).call().expect("an answer");
        let kind = answer.headers()["content-type"].to_str().expect("a text").to_string();
        (kind, answer.body_mut().with_config().limit(64 << 20).read_to_string().expect("a text"))
    }

    pub fn metrics(&self) -> String {
        self.asked("*/*").1
    }

    /// The value of the one series of this name with all of these pieces in its labels.
    pub fn value(&self, name: &str, pieces: &[&str]) -> Option<f64> {
        value(&self.metrics(), name, pieces)
    }

    /// Waits until it is so.
    pub fn shows(&self, what: &str, so: impl Fn(&str) -> bool) -> String {
        within(PATIENCE, what, || so(&self.metrics()), || format!("{}\n{}", self.metrics(), self.said()));
        self.metrics()
    }

    /// What it has said on stderr so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("no panic").clone()
    }

    /// Tells it to end, which it does at once and well.
    pub fn terminate(mut self) -> String {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, Signal::TERM).expect("a signal");
        assert!(self.child.wait().expect("it is over").success(), "{}", self.said());
        self.said()
    }
}

fn listen(pipe: ChildStderr, said: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            println!("agent: {line}");
            said.lock().expect("no panic").push_str(&format!("{line}\n"));
        }
    });
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// See [`Agent::value`].
pub fn value(text: &str, name: &str, pieces: &[&str]) -> Option<f64> {
    let is_it = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && pieces.iter().all(|piece| line.contains(piece))
    };
    let found: Vec<&str> = text.lines().filter(is_it).collect();
    assert!(found.len() < 2, "{name} {pieces:?}: {found:#?}");
    found.first()?.rsplit_once(' ')?.1.parse().ok()
}

/// What promtool says of a text.
pub fn promtool(text: &str) -> String {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool\ninstall it with make tools");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let mut said = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut said).expect("a text");
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("a text");
    let ended = child.wait().expect("it ends");
    format!("{said}{}", if ended.success() { "" } else { "promtool failed" })
}
