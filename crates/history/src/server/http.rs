//! The client: one server, asked politely. What is busy is asked again later, what is broken is named.

use super::access::{Access, Authorization, tls};
use super::cost::{Meter, Metered};
use super::failure::Failure;
use super::url::Base;
use crate::HistoryError;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use ureq::http::{HeaderValue, Response};
use ureq::{Agent, Body};

/// A request is sent so often at most.
const TRIES_MAX: u32 = 4;
/// Before the second try unless told otherwise; before each next one twice as long.
const RETRY_WAIT_MS: u64 = 1000;
/// A server that asks for a longer wait gets no further try.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// What a server says of an error is cut off here, in bytes.
const COMPLAINT_BYTES_MAX: u64 = 4096;
/// A request takes so long at most unless told otherwise, in seconds.
const TIMEOUT_SECONDS: u64 = 300;
/// Nobody waits longer than a week, in seconds.
const TIMEOUT_SECONDS_MAX: u64 = 7 * 24 * 3600;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One server.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    /// Without user, password and a slash at its end.
    base: String,
    authorization: Option<Authorization>,
    /// What goes along with every request.
    headers: Vec<(&'static str, HeaderValue)>,
    wait_first: Duration,
    stopped: AtomicBool,
    pub meter: Meter,
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
enum Answer {
    /// Status 200; with the type of the body.
    Body(String, Response<Body>),
    /// The server does not know the path, or does not do this.
    NoSuchThing,
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

impl From<Unread> for Failure {
    fn from(unread: Unread) -> Failure {
        match unread {
            Unread::Broken(error) => Failure::of_body(&error),
            Unread::Wrong(problem) => Failure::wrong(problem),
        }
    }
}

impl Client {
    pub fn new(url: &str, access: &Access) -> Result<Client, HistoryError> {
        let base = Base::parse(url)?;
        let authorization = access.authorization.clone().or(base.authorization);
        let seconds = access.timeout_seconds.unwrap_or(TIMEOUT_SECONDS).min(TIMEOUT_SECONDS_MAX);
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(Duration::from_secs(seconds)))
            .tls_config(tls(access)?)
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")));
        if base.is_loopback {
            // The proxy's own loopback is another one.
            config = config.proxy(None);
        }
        Ok(Client {
            agent: config.build().new_agent(),
            headers: headers(&base.url, authorization.as_ref(), access.tenant.as_deref())?,
            base: base.url,
            authorization,
            wait_first: Duration::from_millis(access.retry_wait_ms.unwrap_or(RETRY_WAIT_MS)),
            stopped: AtomicBool::new(false),
            meter: Meter::start(),
        })
    }

    /// Ends all requests under way, and all to come.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.agent.clone().shutdown();
    }

    /// Sends a request and has `take` read the answer; both again where the server is busy or the answer breaks off.
    pub fn fetch<T>(
        &self,
        request: &Request,
        body_bytes_max: u64,
        mut take: impl FnMut(&str, &mut dyn Read) -> Result<T, Unread>,
    ) -> Result<Option<T>, HistoryError> {
        let mut wait = self.wait_first;
        let mut tries = 0;
        loop {
            tries += 1;
            let taken = self.try_once(request, body_bytes_max, &mut take);
            let failure = match taken {
                Ok(taken) => return Ok(taken),
                Err(failure) => failure,
            };
            // A server that asks for no wait at all gets one.
            let asked_wait = failure.wait.unwrap_or(wait).max(wait);
            let in_vain = !failure.again || tries == TRIES_MAX || asked_wait > WAIT_MAX;
            if in_vain || !self.pause(asked_wait) {
                return Err(self.error(&failure));
            }
            wait *= 2;
        }
    }

    /// The same, and not again: what is asked for anew soon has no need of that.
    pub fn fetch_once<T>(
        &self,
        request: &Request,
        body_bytes_max: u64,
        mut take: impl FnMut(&str, &mut dyn Read) -> Result<T, Unread>,
    ) -> Result<Option<T>, HistoryError> {
        self.try_once(request, body_bytes_max, &mut take).map_err(|failure| self.error(&failure))
    }

    fn try_once<T>(
        &self,
        request: &Request,
        body_bytes_max: u64,
        take: &mut impl FnMut(&str, &mut dyn Read) -> Result<T, Unread>,
    ) -> Result<Option<T>, Failure> {
        match self.send(request)? {
            Answer::NoSuchThing => Ok(None),
            Answer::Body(kind, response) => {
                let body = response.into_body().into_with_config().limit(body_bytes_max).reader();
                Ok(Some(take(&kind, &mut Metered { body, meter: &self.meter })?))
            }
        }
    }

    /// Waits; `false` when told to stop meanwhile.
    fn pause(&self, wait: Duration) -> bool {
        const STEP: Duration = Duration::from_millis(50);
        let until = Instant::now() + wait;
        while !self.stopped.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(STEP));
        }
        false
    }

    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        self.meter.request();
        let response = self.call(request).map_err(|error| {
            let failure = Failure::of_call(&error);
            if self.base.starts_with("https:") { failure.over_tls() } else { failure }
        })?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_string()
        };
        match response.status().as_u16() {
            200 => Ok(Answer::Body(header("content-type"), response)),
            404 | 405 | 415 | 501 => Ok(Answer::NoSuchThing),
            status => {
                let wait = header("retry-after").parse().ok().map(Duration::from_secs);
                let location = header("location");
                let said = match location.is_empty() {
                    true => complaint(response),
                    false => format!("it leads to {location}"),
                };
                Err(Failure::of_status(status, &said, wait))
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

    fn headed<Any>(&self, call: ureq::RequestBuilder<Any>) -> ureq::RequestBuilder<Any> {
        self.headers.iter().fold(call, |call, (name, value)| call.header(*name, value))
    }

    /// An error of this server.
    pub fn failed(&self, problem: &str, advice: &'static str) -> HistoryError {
        HistoryError::server(&self.base, problem, advice)
    }

    /// What servers say may be long, have lines, or repeat our secrets.
    fn error(&self, failure: &Failure) -> HistoryError {
        let problem = match &self.authorization {
            Some(authorization) => authorization.hidden_in(&failure.problem),
            None => failure.problem.clone(),
        };
        HistoryError::Server {
            url: self.base.clone(),
            status: failure.status,
            problem: one_line(&problem),
            advice: failure.advice,
        }
    }
}

fn headers(
    url: &str,
    authorization: Option<&Authorization>,
    tenant: Option<&str>,
) -> Result<Vec<(&'static str, HeaderValue)>, HistoryError> {
    let mut headers = Vec::new();
    if let Some(authorization) = authorization {
        let value = HeaderValue::from_str(&authorization.header()).map_err(|_| {
            let advice = "check that its file has the token and nothing else, in one line";
            HistoryError::server(url, "the token has characters that no token has", advice)
        });
        let mut value = value?;
        value.set_sensitive(true);
        headers.push(("authorization", value));
    }
    if let Some(tenant) = tenant {
        let value = HeaderValue::from_str(tenant).map_err(|_| {
            HistoryError::server(url, "the tenant has characters that no tenant has", "check --tenant")
        });
        headers.push(("x-scope-orgid", value?));
    }
    Ok(headers)
}

/// What the server says itself: the error of Prometheus' JSON, or all of it.
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
    serde_json::from_str::<Said>(&text).map_or(text, |said| said.error).trim().to_string()
}

fn one_line(text: &str) -> String {
    const CHARS_MAX: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|char| !char.is_control()).take(CHARS_MAX).collect()
}
