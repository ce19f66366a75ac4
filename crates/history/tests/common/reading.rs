//! Reading from a scripted server.

use super::frames::{flat_chunk, frame, message};
use super::{All, Answer, Asked, Scripted};
use plimsoll_history::server::access::Access;
use plimsoll_history::server::{Server, Way};
use plimsoll_history::{HistoryError, Range, Selector};

pub const STREAMED: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
pub const LINES: &str = "application/stream+json; charset=utf-8";
pub const JSON: &str = "application/json";

pub const HOUR_MS: i64 = 3_600_000;
pub const RANGE: Range = Range { from_ms: HOUR_MS, to_ms: 3 * HOUR_MS };
pub const LABELS: [(&str, &str); 3] = [("__name__", "m"), ("container", "app"), ("namespace", "shop")];

pub const SAME_AGAIN: &str = "try again; if it stays so, read a shorter --window";
pub const ELSEWHERE: &str = "check that the URL leads to Prometheus, VictoriaMetrics or the like";
pub const BUSY: &str = "try again later, or read a shorter --window or one --namespace at a time";
pub const SLOW: &str = "raise --timeout, read a shorter --window or one --namespace at a time";

pub fn selector() -> Selector {
    Selector::metric("m").equal("namespace", "shop").present("container")
}

/// Tries follow each other quickly.
pub fn access() -> Access {
    Access { retry_wait_ms: Some(2), timeout_seconds: Some(20), ..Access::default() }
}

/// A server that is what it says until it has been opened; then comes the script, whose first request has number 0.
pub fn opened(
    way: Way,
    access: &Access,
    script: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static,
) -> (Scripted, Server) {
    let scripted = Scripted::start(move |asked, answer| match (asked.number.checked_sub(1), way) {
        (Some(number), _) => script(&Asked { number, ..asked.clone() }, answer),
        (None, Way::RemoteRead) => answer.body(STREAMED, ""),
        (None, Way::Export) => answer.body(LINES, ""),
        (None, Way::Query) => {
            answer.body(JSON, r#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"1"]}}"#);
        }
    });
    let server = Server::open(&scripted.url, access, &[way]).unwrap();
    (scripted, server)
}

/// The error's text, the server's address being `URL`.
pub fn text(error: &HistoryError, server: &Scripted) -> String {
    error.to_string().replace(&server.url, "URL")
}

pub fn read(server: &Server) -> Result<All, HistoryError> {
    let mut all = All::default();
    server.read(&[selector()], RANGE, &mut all).map(|()| all)
}

/// The text of the error in which reading ends, and how many requests it took.
pub fn refused(way: Way, script: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static) -> (String, usize) {
    let (scripted, server) = opened(way, &access(), script);
    match read(&server) {
        Ok(all) => panic!("it was read: {:?}", all.series),
        Err(error) => (text(&error, &scripted), scripted.asked().len() - 1),
    }
}

/// Two samples of one series.
pub fn good_frame() -> Vec<u8> {
    frame(&message(&LABELS, &flat_chunk(HOUR_MS, 60_000, 5.0, 2)))
}

pub fn is_good(all: &All) {
    let (key, points) = all.series.first_key_value().unwrap();
    assert_eq!((key.as_str(), all.series.len()), ("__name__=m;container=app;namespace=shop;", 1));
    assert_eq!(points.iter().collect::<Vec<_>>(), [(&HOUR_MS, &5.0), (&(HOUR_MS + 60_000), &5.0)]);
}
