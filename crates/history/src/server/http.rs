//! The client: one server, asked politely. What is busy is asked again later, what is broken is named.

use super::access::{Access, tls};
use crate::HistoryError;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use ureq::http::Response;
use ureq::{Agent, Body};

/// A request is sent so often at most.
const TRIES_MAX: u32 = 4;
/// Before the second try; before each next one twice as long.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// A server that asks for a longer wait gets no further try.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// What a server says of an error is cut off here, in bytes.
const COMPLAINT_BYTES_MAX: u64 = 4096;
/// A request takes so long at most unless told otherwise, in seconds.
const TIMEOUT_SECONDS: u64 = 300;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server was asked for and what it sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Requests sent.
    pub requests: u64,
    /// Bytes of the answers, as they came over the wire where these were not packed.
    pub bytes: u64,
    /// Readings in them.
    pub points: u64,
    /// Since the first request, in seconds.
    pub seconds: f64,
}

/// One server.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    /// Without a slash at its end and without a password.
    base: String,
    authorization: Option<String>,
    tenant: Option<String>,
    wait_first: Duration,
    started: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
    points: AtomicU64,
}

/// What is sent: a path and its parameters, or a body.
#[derive(Debug, Clone)]
pub(super) enum Request<'a> {
    /// With parameters in the URL.
    Get(&'a str, Vec<(&'a str, String)>),
    /// With parameters in the body.
    Form(&'a str, Vec<(&'a str, String)>),
    /// A message of remote read.
    Message(&'a str, Vec<u8>),
}

/// What came of a request: the answer's body, or a status that says that there is no such thing.
pub(super) enum Answer {
    /// Status 200; with the type of the body.
    Body(String, Response<Body>),
    /// The server does not know the path, or does not do this.
    NoSuchThing,
}

impl Client {
    pub fn new(url: &str, access: &Access) -> Result<Client, HistoryError> {
        let seconds = access.timeout_seconds.unwrap_or(TIMEOUT_SECONDS);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(Duration::from_secs(seconds)))
            .tls_config(tls(access)?)
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Client {
            agent,
            base: url.trim_end_matches('/').to_string(),
            authorization: access.authorization.as_ref().map(|authorization| authorization.header()),
            tenant: access.tenant.clone(),
            wait_first: WAIT_FIRST,
            started: Instant::now(),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            points: AtomicU64::new(0),
        })
    }

    pub fn cost(&self) -> Cost {
        Cost {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            points: self.points.load(Ordering::Relaxed),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }

    pub fn count_points(&self, points: u64) {
        self.points.fetch_add(points, Ordering::Relaxed);
    }

    /// Sends a request and has `take` read the answer; both again where the server is busy or the answer breaks off.
    pub fn fetch<T>(
        &self,
        request: &Request,
        body_bytes_max: u64,
        mut take: impl FnMut(&str, &mut dyn Read) -> Result<T, Unread>,
    ) -> Result<Option<T>, HistoryError> {
        let mut wait = self.wait_first;
        for tries_left in (0..TRIES_MAX).rev() {
            let failed = match self.send(request) {
                Ok(Answer::NoSuchThing) => return Ok(None),
                Ok(Answer::Body(kind, response)) => {
                    let body = response.into_body().into_with_config().limit(body_bytes_max).reader();
                    let mut counted = Counted { body, bytes: &self.bytes };
                    match take(&kind, &mut counted) {
                        Ok(taken) => return Ok(Some(taken)),
                        Err(Unread::Broken(error)) => {
                            Failed { error: self.broken(&error), again: is_transient(&error), wait: None }
                        }
                        Err(Unread::Wrong(problem)) => {
                            return Err(self.failed(
                                &problem,
                                "check that the URL leads to Prometheus, VictoriaMetrics or the like",
                            ));
                        }
                    }
                }
                Err(failed) => failed,
            };
            let asked_wait = failed.wait.unwrap_or(wait);
            if tries_left == 0 || !failed.again || asked_wait > WAIT_MAX {
                return Err(failed.error);
            }
            std::thread::sleep(asked_wait);
            wait *= 2;
        }
        Err(self.failed("it is too busy", "try again later"))
    }

    fn send(&self, request: &Request) -> Result<Answer, Failed> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = self.call(request).map_err(|error| Failed {
            again: matches!(error, ureq::Error::Io(_) | ureq::Error::ConnectionFailed),
            error: self.unreachable(&error),
            wait: None,
        })?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_string()
        };
        let status = response.status().as_u16();
        match status {
            200 => Ok(Answer::Body(header("content-type"), response)),
            404 | 405 | 415 | 501 => Ok(Answer::NoSuchThing),
            _ => {
                let (wait, location) =
                    (header("retry-after").parse().ok().map(Duration::from_secs), header("location"));
                let error = self.refused(status, &location, &complaint(response));
                Err(Failed { error, again: matches!(status, 422 | 429 | 502 | 503 | 504), wait })
            }
        }
    }

    fn call(&self, request: &Request) -> Result<Response<Body>, ureq::Error> {
        let url = |path: &str| format!("{}{path}", self.base);
        match request {
            Request::Get(path, parameters) => {
                let mut call = self.agent.get(url(path));
                for (name, value) in parameters {
                    call = call.query(*name, value);
                }
                self.headed(call).call()
            }
            Request::Form(path, parameters) => self
                .headed(self.agent.post(url(path)))
                .send_form(parameters.iter().map(|(name, value)| (*name, value.as_str()))),
            Request::Message(path, message) => {
                let call = self.headed(self.agent.post(url(path)));
                let call = call
                    .header("content-type", "application/x-protobuf")
                    .header("content-encoding", "snappy");
                call.header("x-prometheus-remote-read-version", "0.1.0").send(message.as_slice())
            }
        }
    }

    fn headed<Any>(&self, mut call: ureq::RequestBuilder<Any>) -> ureq::RequestBuilder<Any> {
        if let Some(authorization) = &self.authorization {
            call = call.header("authorization", authorization);
        }
        if let Some(tenant) = &self.tenant {
            call = call.header("x-scope-orgid", tenant);
        }
        call
    }

    /// An error of this server.
    pub fn failed(&self, problem: &str, advice: &'static str) -> HistoryError {
        HistoryError::Server { url: self.base.clone(), problem: problem.to_string(), advice }
    }

    fn unreachable(&self, error: &ureq::Error) -> HistoryError {
        let advice = match error {
            ureq::Error::Timeout(_) => "raise --timeout or read a shorter --window",
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => {
                "name the authority's certificates with --ca, and your own with --cert and --key where it asks for one"
            }
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                "write it as http://HOST:PORT or https://HOST/PATH"
            }
            _ => "check that it runs and can be reached from here",
        };
        self.failed(&one_line(&error.to_string()), advice)
    }

    fn broken(&self, error: &std::io::Error) -> HistoryError {
        let text = one_line(&error.to_string());
        let is_timeout = error.kind() == std::io::ErrorKind::TimedOut || text.contains("timeout");
        let advice = if is_timeout {
            "raise --timeout or read a shorter --window"
        } else {
            "try again; if it stays so, read a shorter --window"
        };
        self.failed(&format!("the answer broke off: {text}"), advice)
    }

    fn refused(&self, status: u16, location: &str, complaint: &str) -> HistoryError {
        let advice = match status {
            300..400 => "use the URL it leads to",
            401 => "give a token (--token-file or PLIMSOLL_TOKEN) or a user (--user)",
            403 => "ask for the right to read there",
            400 => "check the URL; Mimir, Cortex and Thanos may want a --tenant",
            422 | 429 | 500.. => "try again later, or read a shorter --window or one --namespace at a time",
            _ => "check the URL",
        };
        let said =
            if location.is_empty() { complaint.to_string() } else { format!("it leads to {location}") };
        let said = if said.is_empty() { said } else { format!(": {said}") };
        self.failed(&format!("status {status}{said}"), advice)
    }
}

/// Why an answer was not read.
pub(super) enum Unread {
    /// It broke off.
    Broken(std::io::Error),
    /// It is not what was asked for.
    Wrong(String),
}

impl From<std::io::Error> for Unread {
    fn from(error: std::io::Error) -> Unread {
        Unread::Broken(error)
    }
}

struct Failed {
    error: HistoryError,
    again: bool,
    wait: Option<Duration>,
}

/// A body that is too long or too slow will be so again.
fn is_transient(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// What the server says itself: the error of Prometheus' JSON, or the first line.
fn complaint(response: Response<Body>) -> String {
    let mut text = Vec::new();
    let body = response.into_body().into_with_config().limit(COMPLAINT_BYTES_MAX).reader();
    // What was read before an error is what there is to show.
    let _ = body.take(COMPLAINT_BYTES_MAX).read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    #[derive(serde::Deserialize)]
    struct Said {
        error: String,
    }
    one_line(&serde_json::from_str::<Said>(&text).map_or(text, |said| said.error))
}

fn one_line(text: &str) -> String {
    const CHARS_MAX: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|char| !char.is_control()).take(CHARS_MAX).collect()
}

struct Counted<'a, R> {
    body: R,
    bytes: &'a AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.body.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
