//! The controller as a process, and what it needs in a cluster.
#![allow(dead_code)]

use super::common::PLIMSOLL;
use super::common::cluster::within;
use plimsoll_real::cluster::Client;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);

pub fn eventually(what: &str, so: impl FnMut() -> bool) {
    within(PATIENCE, what, so, String::new);
}

/// Makes in a cluster what plimsoll prints with these arguments.
pub fn install(admin: &Client, arguments: &[&str]) {
    let printed = Command::new(PLIMSOLL).args(arguments).output().expect("plimsoll starts");
    admin.apply_all(&String::from_utf8(printed.stdout).expect("a text"));
}

/// The controller, and what it says.
pub struct Controller {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Controller {
    /// With these arguments besides.
    pub fn start(kubeconfig: &Path, more: &[&str]) -> Controller {
        let mut command = Command::new(PLIMSOLL);
        command.args(["controller", "--listen", "127.0.0.1:0"]).args(more).env("KUBECONFIG", kubeconfig);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("plimsoll starts");
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, shared) = (BufReader::new(child.stdout.take().expect("a pipe")).lines(), said.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                println!("controller: {line}");
                shared.lock().expect("no panic").push_str(&format!("{line}\n"));
            }
        });
        Controller { child, said }
    }

    /// Waits until it says so.
    pub fn says(&self, words: &str) {
        eventually(words, || self.said().contains(words));
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("no panic").clone()
    }

    pub fn metrics(&self) -> String {
        let said = self.said();
        let url = said.lines().find_map(|line| line.strip_prefix("metrics at ")).expect("an address");
        ureq::get(url).call().expect("metrics").body_mut().read_to_string().expect("a text")
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("it is over");
    }

    /// Tells it to end, which it does.
    pub fn terminate(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process"), rustix::process::Signal::TERM)
            .expect("a signal");
        let ended = self.child.wait().expect("it is over");
        assert!(ended.success(), "{ended:?}");
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
