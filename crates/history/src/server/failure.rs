//! Why a request failed: what to say of it, what to do about it, and whether another try may help.

use std::io::{self, ErrorKind};
use std::time::Duration;
use ureq::{Error, Timeout};

/// For what is no answer of a server that we know.
pub const LEADS_ELSEWHERE: &str = "check that the URL leads to Prometheus, VictoriaMetrics or the like";
const TOO_LONG: &str = "read a shorter --window or one --namespace at a time";
const TOO_SLOW: &str = "raise --timeout, read a shorter --window or one --namespace at a time";
const NOT_REACHED: &str = "check that it runs and can be reached from here";
const NAME_A_CERTIFICATE: &str =
    "it may ask for a certificate of yours: name it and its key with --cert and --key";
const PROXY: &str =
    "check the proxy that ALL_PROXY, HTTPS_PROXY or HTTP_PROXY names, or list the host in NO_PROXY";

/// A request that failed.
#[derive(Debug)]
pub struct Failure {
    /// The status, where there was one.
    pub status: Option<u16>,
    /// What went wrong.
    pub problem: String,
    /// What to do.
    pub advice: &'static str,
    /// Whether the next try may succeed.
    pub again: bool,
    /// How long the server asks us to wait before it.
    pub wait: Option<Duration>,
}

impl Failure {
    fn new(problem: impl Into<String>, advice: &'static str) -> Failure {
        Failure { status: None, problem: problem.into(), advice, again: false, wait: None }
    }

    /// The answer is not what was asked for.
    pub fn wrong(problem: String) -> Failure {
        Failure::new(problem, LEADS_ELSEWHERE)
    }

    /// There was no answer.
    pub fn of_call(error: &Error) -> Failure {
        match error {
            Error::Io(error) => Failure::of_io(error),
            Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                Failure::new("it cannot be reached in time", NOT_REACHED)
            }
            Error::Timeout(_) => Failure::new("it takes too long to answer", TOO_SLOW),
            Error::BodyExceedsLimit(bytes) => Failure::new(format!("more than {bytes} bytes came"), TOO_LONG),
            // What is packed ends early with its connection.
            Error::Decompress(_, error) if is_transient(error) => Failure::of_io(error),
            Error::Decompress(_, error) => {
                Failure::new(format!("it cannot be unpacked: {error}"), LEADS_ELSEWHERE)
            }
            Error::Protocol(_) | Error::LargeResponseHeader(..) => {
                Failure::new(format!("it does not speak HTTP as it should: {error}"), LEADS_ELSEWHERE)
            }
            Error::Rustls(error) => Failure::of_tls(error),
            Error::InvalidProxyUrl | Error::ConnectProxyFailed(_) => Failure::new(error.to_string(), PROXY),
            _ => Failure::new(error.to_string(), NOT_REACHED),
        }
    }

    /// The same of a call over TLS. A server of TLS 1.3 that misses the client's certificate says so after the
    /// client has begun to send (RFC 8446, 4.4.2), and hangs up: where that is noticed first, its alert is never read.
    pub fn over_tls(self) -> Failure {
        match self.again && self.advice == NOT_REACHED {
            true => Failure { advice: NAME_A_CERTIFICATE, ..self },
            false => self,
        }
    }

    /// The answer broke off.
    pub fn of_body(error: &io::Error) -> Failure {
        let failure = Failure::of_io(error);
        let advice = if failure.advice == NOT_REACHED {
            "try again; if it stays so, read a shorter --window"
        } else {
            failure.advice
        };
        Failure { problem: format!("the answer broke off: {}", failure.problem), advice, ..failure }
    }

    fn of_io(error: &io::Error) -> Failure {
        let inner = error.get_ref();
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<Error>()) {
            return Failure::of_call(error);
        }
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Failure::of_tls(error);
        }
        let problem = match error.kind() {
            ErrorKind::UnexpectedEof => "the connection ended early".to_string(),
            _ => error.to_string(),
        };
        Failure { again: is_transient(error), ..Failure::new(problem, NOT_REACHED) }
    }

    fn of_tls(error: &rustls::Error) -> Failure {
        let advice = match error {
            rustls::Error::InvalidCertificate(_) => {
                "name the certificates of the authority that signed its own with --ca"
            }
            rustls::Error::AlertReceived(_) => NAME_A_CERTIFICATE,
            rustls::Error::InvalidMessage(_) => "it may not speak TLS on this port: try http://",
            _ => "check that it speaks TLS 1.2 or newer on this port",
        };
        Failure::new(error.to_string(), advice)
    }

    /// The server answered with another status than 200; `said` is what else it said.
    pub fn of_status(status: u16, said: &str, wait: Option<Duration>) -> Failure {
        let wants_tenant = said.contains("org id") || said.contains("X-Scope-OrgID");
        let advice = match status {
            300..400 => "use the URL it leads to",
            400 | 401 if wants_tenant => "name the tenant with --tenant",
            401 => "give a token (--token-file or PLIMSOLL_TOKEN) or a user (--user)",
            403 => "ask for the right to read there",
            400 => "check the URL; Mimir, Cortex and Thanos may want a --tenant",
            407 => PROXY,
            422 | 429 | 500.. => "try again later, or read a shorter --window or one --namespace at a time",
            _ => "check the URL",
        };
        let problem =
            if said.is_empty() { format!("status {status}") } else { format!("status {status}: {said}") };
        let again = matches!(status, 422 | 429 | 502 | 503 | 504);
        Failure { status: Some(status), again, wait, ..Failure::new(problem, advice) }
    }
}

/// A connection that is lost may come back; one that is refused, a body that is too long or too slow, will be so again.
fn is_transient(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hangs_up_over_tls_may_miss_a_certificate() {
        let check = |kind: ErrorKind, expect: &str| {
            let failure = Failure::of_call(&Error::Io(kind.into()));
            assert_eq!(failure.advice, NOT_REACHED, "{kind}");
            assert_eq!(failure.over_tls().advice, expect, "{kind}");
        };
        check(ErrorKind::BrokenPipe, NAME_A_CERTIFICATE);
        check(ErrorKind::ConnectionReset, NAME_A_CERTIFICATE);
        check(ErrorKind::ConnectionRefused, NOT_REACHED);
    }
}
