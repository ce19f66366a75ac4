//! One bash for the whole guide, so that what one step sets the next one has.

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// No step takes longer.
const WITHIN: Duration = Duration::from_secs(300);
/// What it says when a step is over.
const OVER: &str = "-- the step is over --";

/// The shell; what was started in it ends with it.
pub struct Shell {
    child: Child,
    commands: ChildStdin,
    lines: Receiver<String>,
}

impl Shell {
    /// In a folder, with these variables and no others.
    pub fn start(folder: &Path, variables: &[(&str, OsString)]) -> Shell {
        let mut command = Command::new("bash");
        command.args(["-c", "exec 2>&1; exec bash -s"]).current_dir(folder).env_clear();
        command.envs(variables.iter().cloned()).process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash starts");
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut commands = child.stdin.take().expect("a pipe");
        writeln!(commands, "set -euo pipefail").expect("a command");
        Shell { child, commands, lines }
    }

    /// What commands say; where one fails or they do not end, what they said so far and why.
    pub fn run(&mut self, commands: &str) -> Result<String, (String, &'static str)> {
        let mut said = String::new();
        // Nothing that is run may read the steps that come.
        if writeln!(self.commands, "{{ {commands}\n}} </dev/null\necho '{OVER}'").is_err() {
            return Err((said, "the shell has ended before"));
        }
        loop {
            match self.lines.recv_timeout(WITHIN) {
                Ok(line) if line == OVER => return Ok(said),
                Ok(line) => said.extend([&line, "\n"]),
                Err(RecvTimeoutError::Timeout) => return Err((said, "it does not end")),
                Err(RecvTimeoutError::Disconnected) => return Err((said, "a command failed")),
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
