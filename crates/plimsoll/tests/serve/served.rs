//! `plimsoll serve` as a process, and who asks it.

use crate::common::PLIMSOLL;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use ureq::Agent;
use ureq::http::Request;

/// An answer: HTTP's status, headers as text, and the body.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub etag: String,
    pub body: Value,
}

/// A replica of the service.
pub struct Served {
    child: Child,
    pub url: String,
    agent: Agent,
    token: Option<String>,
}

impl Served {
    /// With this store, this configuration, and more arguments.
    pub fn start(store: &str, config: &Path, more: &[&str]) -> Served {
        Served::start_by(Command::new(PLIMSOLL), store, config, more)
    }

    /// The same in an environment.
    pub fn start_in(variables: &[(&str, &str)], store: &str, config: &Path, more: &[&str]) -> Served {
        let mut command = Command::new(PLIMSOLL);
        command.envs(variables.iter().copied());
        Served::start_by(command, store, config, more)
    }

    /// With a command that may have variables of its own.
    pub fn start_by(mut command: Command, store: &str, config: &Path, more: &[&str]) -> Served {
        command.args(["serve", "--listen", "127.0.0.1:0", "--store", store]).args(more);
        command.arg("--config").arg(config).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("plimsoll starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let url = line.strip_prefix("serving at ").and_then(|rest| rest.split(',').next());
        let url = url.unwrap_or_else(|| panic!("{line}")).to_string();
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        Served { child, url, agent, token: None }
    }

    /// Who asks with this token from now on.
    pub fn with(mut self, token: Option<&str>) -> Served {
        self.token = token.map(str::to_string);
        self
    }

    /// The same once, with another token.
    pub fn ask_as(&self, token: &str, method: &str, path: &str, body: Option<String>) -> Answer {
        let bearer = format!("Bearer {token}");
        self.ask(method, path, &[("authorization", &bearer)], body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[], Some(body.to_string()))
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        self.send(method, path, headers, body).expect("an answer")
    }

    /// `None` where nobody answers.
    pub fn try_ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Option<Answer> {
        self.send(method, path, headers, body).ok()
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = match body {
            Some(body) => self
                .agent
                .run(request.header("content-type", "application/json").body(body).expect("a request"))?,
            None => self.agent.run(request.body(()).expect("a request"))?,
        };
        let etag =
            answer.headers().get("etag").and_then(|it| it.to_str().ok()).unwrap_or_default().to_string();
        let text = answer.body_mut().read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status: answer.status().as_u16(), etag, body })
    }

    /// The same as [`Served::kill`] while others ask it.
    pub fn kill_now(&self) {
        let _ = rustix::process::kill_process(self.pid(), rustix::process::Signal::KILL);
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Is told to end.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is there");
    }

    /// How it ends by itself.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    /// Dies as in a power cut.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// All that has happened.
    pub fn events_so_far(&self) -> Vec<(i64, Value)> {
        let now = self.get("/api/capacity/status").body["last_event"].as_i64().expect("a number");
        self.events(0, now as usize)
    }

    /// Events after a number, until there are so many.
    pub fn events(&self, after: i64, count: usize) -> Vec<(i64, Value)> {
        let mut request = Request::builder().uri(format!("{}/api/capacity/events", self.url));
        request = request.header("last-event-id", after.to_string());
        let answer = self.agent.run(request.body(()).expect("a request")).expect("an answer");
        let (mut found, mut number) = (Vec::new(), 0);
        for line in BufReader::new(answer.into_body().into_reader()).lines() {
            let line = line.expect("a line");
            if let Some(id) = line.strip_prefix("id: ") {
                number = id.parse().expect("a number");
            } else if let Some(data) = line.strip_prefix("data: ") {
                found.push((number, serde_json::from_str(data).expect("JSON")));
            }
            if found.len() == count {
                break;
            }
        }
        found
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

/// So many hours from now, to the full hour, as RFC 3339.
pub fn in_hours(hours: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs();
    let at = jiff::Timestamp::from_second((now / 3600 + hours) as i64 * 3600).expect("a time");
    at.to_string()
}

/// Asks at the same moment, so many times, turning from one replica to the next.
pub fn all_at_once(replicas: &[Arc<Served>], count: usize, body: impl Fn(usize) -> Value) -> Vec<Answer> {
    let barrier = Arc::new(std::sync::Barrier::new(count));
    let ask = |index: usize| {
        let (replica, barrier, body) =
            (replicas[index % replicas.len()].clone(), barrier.clone(), body(index));
        std::thread::spawn(move || {
            barrier.wait();
            replica.post("/api/capacity/schedule", &body)
        })
    };
    let asked: Vec<_> = (0..count).map(ask).collect();
    asked.into_iter().map(|it| it.join().expect("an answer")).collect()
}
