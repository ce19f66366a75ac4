//! A client of the Kubernetes API that speaks JSON as it is.

use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Method, Request};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// So long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A client with one token.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    url: String,
    token: String,
}

/// How a patch is merged, by its content type.
#[derive(Debug, Clone, Copy)]
pub enum Patch {
    /// RFC 6902
    Json,
    /// RFC 7386
    Merge,
    /// Kubernetes' own, which merges lists by their keys.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl Patch {
    fn content_type(self) -> &'static str {
        match self {
            Patch::Json => "application/json-patch+json",
            Patch::Merge => "application/merge-patch+json",
            Patch::Strategic => "application/strategic-merge-patch+json",
            Patch::Apply => "application/apply-patch+yaml",
        }
    }
}

/// An answer, good or bad.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP's status; 0 where nobody answered.
    pub status: u16,
    /// The object, or the Status that says what went wrong; text where it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The object; a refusal fails the test.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        self.body
    }

    /// The object that is new or was there already.
    pub fn created(self) -> Value {
        if self.status == 409 { self.body } else { self.ok() }
    }
}

impl Client {
    pub(super) fn new(url: &str, authority: &Path, token: &str) -> Client {
        let pem = std::fs::read(authority).expect("the authority");
        let root = Certificate::from_pem(&pem).expect("a certificate");
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(vec![root])))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            // Of which the API server makes the field manager.
            .user_agent("plimsoll-real")
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build();
        Client { agent: config.into(), url: url.to_string(), token: token.to_string() }
    }

    /// Reads what is at a path.
    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None)
    }

    /// Creates an object in a collection.
    pub fn post(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::POST, path, Some(("application/json", object)))
    }

    /// Replaces an object.
    pub fn put(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::PUT, path, Some(("application/json", object)))
    }

    /// Changes a part of an object.
    pub fn patch(&self, path: &str, kind: Patch, change: &Value) -> Answer {
        self.send(Method::PATCH, path, Some((kind.content_type(), change)))
    }

    /// Deletes an object.
    pub fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None)
    }

    fn send(&self, method: Method, path: &str, content: Option<(&str, &Value)>) -> Answer {
        self.send_text(method, path, content.map(|(kind, value)| (kind, value.to_string())))
    }

    fn send_text(&self, method: Method, path: &str, content: Option<(&str, String)>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token));
        let answer = match content {
            Some((kind, text)) => {
                self.agent.run(request.header("content-type", kind).body(text).expect("a request"))
            }
            None => self.agent.run(request.body(()).expect("a request")),
        };
        let read = answer.and_then(|mut answer| {
            let text = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
            Ok((answer.status().as_u16(), text))
        });
        match read {
            Ok((status, text)) => {
                Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
            }
            Err(error) => Answer { status: 0, body: Value::String(error.to_string()) },
        }
    }
}
