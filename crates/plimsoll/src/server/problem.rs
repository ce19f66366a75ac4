//! What is wrong with a request, as RFC 9457 has it: each with a code that stays.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plimsoll_capacity::StoreError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// All that can be wrong. A code's name, with `-` for spaces, stays the same for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body, the query or the path is not as it should be.
    InvalidRequest,
    /// There is no token, or nobody knows it.
    Unauthorized,
    /// The token does not allow it.
    Forbidden,
    /// There is none of that name.
    NotFound,
    /// That cannot be done there.
    MethodNotAllowed,
    /// It does not fit; the answer says why, and what would.
    CapacityExhausted,
    /// In its present state it cannot be changed so.
    WrongState,
    /// It was changed by somebody else meanwhile.
    Changed,
    /// Longer than is taken.
    TooLarge,
    /// Neither JSON nor, where that is taken, a calendar.
    UnsupportedMediaType,
    /// The same `Idempotency-Key` with another request.
    KeyReused,
    /// A change says in `If-Match` which state of it was seen.
    IfMatchRequired,
    /// Too much at once.
    TooManyRequests,
    /// A fault of ours.
    Internal,
    /// The store does not answer.
    Unavailable,
    /// There is no space left to keep anything.
    StorageFull,
}

impl Code {
    /// All of them.
    pub const ALL: [Code; 16] = [
        Code::InvalidRequest,
        Code::Unauthorized,
        Code::Forbidden,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::CapacityExhausted,
        Code::WrongState,
        Code::Changed,
        Code::TooLarge,
        Code::UnsupportedMediaType,
        Code::KeyReused,
        Code::IfMatchRequired,
        Code::TooManyRequests,
        Code::Internal,
        Code::Unavailable,
        Code::StorageFull,
    ];

    /// Its name, HTTP's status, and what it is in a few words.
    pub fn said(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Code::InvalidRequest => ("invalid-request", StatusCode::BAD_REQUEST, "the request is not valid"),
            Code::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "no valid token"),
            Code::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "the token does not allow this"),
            Code::NotFound => ("not-found", StatusCode::NOT_FOUND, "there is no such thing"),
            Code::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here")
            }
            Code::CapacityExhausted => ("capacity-exhausted", StatusCode::CONFLICT, "it does not fit"),
            Code::WrongState => ("wrong-state", StatusCode::CONFLICT, "its state does not allow this"),
            Code::Changed => {
                ("changed", StatusCode::PRECONDITION_FAILED, "somebody else has changed it meanwhile")
            }
            Code::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
            Code::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the content type is not taken",
            ),
            Code::KeyReused => (
                "key-reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "the idempotency key belongs to another request",
            ),
            Code::IfMatchRequired => (
                "if-match-required",
                StatusCode::PRECONDITION_REQUIRED,
                "a change has to say what it changes",
            ),
            Code::TooManyRequests => {
                ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "too many requests at once")
            }
            Code::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "a fault of plimsoll"),
            Code::Unavailable => {
                ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
            }
            Code::StorageFull => {
                ("storage-full", StatusCode::INSUFFICIENT_STORAGE, "there is no space to keep it")
            }
        }
    }
}

/// A problem, as `application/problem+json`; small, as every answer may be one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem(Box<ProblemBody>);

/// What is said of a problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct ProblemBody {
    /// Where it is explained.
    #[serde(rename = "type")]
    #[schema(example = "/docs#capacity-exhausted")]
    kind: String,
    /// What it is, in a few words; the same for each code.
    title: &'static str,
    /// HTTP's status.
    status: u16,
    /// Stays the same for ever.
    #[schema(example = "capacity-exhausted")]
    code: &'static str,
    /// What is wrong this time.
    detail: String,
    /// What to do next.
    #[serde(skip_serializing_if = "String::is_empty")]
    next: String,
    /// What else there is to know of it.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    more: Map<String, Value>,
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

impl Problem {
    /// What is wrong, and what to do, on a line of its own.
    pub fn new(code: Code, text: impl Into<String>) -> Problem {
        let (name, status, title) = code.said();
        let text = text.into();
        let (detail, next) = text.split_once('\n').unwrap_or((&text, ""));
        Problem(Box::new(ProblemBody {
            kind: format!("/docs#{name}"),
            title,
            status: status.as_u16(),
            code: name,
            detail: detail.to_string(),
            next: next.replace('\n', "; "),
            more: Map::new(),
            retry_after_s: None,
        }))
    }

    /// Nobody knows a reservation with this id.
    pub fn no_reservation(id: &str) -> Problem {
        Problem::new(Code::NotFound, format!("no reservation '{id}'\nsee GET /api/capacity/schedule"))
    }

    /// Says more of it.
    pub fn with(mut self, key: &str, value: impl Serialize) -> Problem {
        if let Ok(value) = serde_json::to_value(value) {
            self.0.more.insert(key.to_string(), value);
        }
        self
    }

    /// It may be tried again after so long.
    pub fn after(mut self, seconds: u64) -> Problem {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// HTTP's status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// Its code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<StoreError> for Problem {
    /// What a database says is for the log; who asked learns that it did not answer.
    fn from(error: StoreError) -> Problem {
        eprintln!("{error}");
        if error.is_full() {
            return Problem::new(
                Code::StorageFull,
                "nothing more can be kept\nmake space where the store is",
            );
        }
        Problem::new(Code::Unavailable, "the store does not answer\ntry again").after(2)
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Problem {
        let next = "see /docs for what is taken";
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(Code::TooLarge, "the body is too large\nsend less at once")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
                Code::UnsupportedMediaType,
                "the body is not JSON\nsend Content-Type: application/json",
            ),
            _ => Problem::new(Code::InvalidRequest, format!("body: {}\n{next}", cause(&rejection))),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Problem {
        Problem::new(
            Code::InvalidRequest,
            format!("query: {}\nsee /docs for what is taken", cause(&rejection)),
        )
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Problem {
        Problem::new(
            Code::InvalidRequest,
            format!("path: {}\nsee /docs for what is taken", cause(&rejection)),
        )
    }
}

/// The innermost reason, without what the framework says around it.
fn cause(error: &dyn std::error::Error) -> String {
    let innermost = std::iter::successors(Some(error), |error| error.source()).last();
    innermost.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_to_do() {
        let problem =
            Problem::new(Code::Changed, "reservation 'r1' was changed\nread it again").with("revision", 7);
        let expect = r#"{"type":"/docs#changed","title":"somebody else has changed it meanwhile","status":412,"code":"changed","detail":"reservation 'r1' was changed","next":"read it again","revision":7}"#;
        assert_eq!(serde_json::to_string(&problem).expect("JSON"), expect);
    }

    #[test]
    fn codes_are_all_different() {
        let names: std::collections::BTreeSet<_> = Code::ALL.iter().map(|code| code.said().0).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
