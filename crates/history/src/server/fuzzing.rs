//! What fuzz targets start: any bytes as a server's answer. Whatever is taken from it is what was asked for.

use super::http::Unread;
use super::{export, query, remote_read};
use crate::{Labels, Point, Range, Selector, Sink};
use std::io::Read;

const RANGE: Range = Range { from_ms: 0, to_ms: 3_600_000 };

/// Sees to it that nothing else arrives.
struct Strict(Selector);

impl Sink for Strict {
    fn series(&mut self, labels: &Labels) {
        assert!(self.0.takes(labels));
    }

    fn points(&mut self, points: &[Point]) {
        assert!(points.iter().all(|point| RANGE.has(point.at_ms) && !point.value.is_nan()));
    }
}

fn strictly(
    mut bytes: &[u8],
    take: impl Fn(&mut dyn Read, &[Selector], Range, &mut dyn Sink) -> Result<(), Unread>,
) {
    // Every series is one of these, so that the fuzzer gets past the labels.
    let selector = Selector::metric("");
    let _ = take(&mut bytes, std::slice::from_ref(&selector), RANGE, &mut Strict(selector.clone()));
}

/// A stream of remote read.
pub fn stream(bytes: &[u8]) {
    strictly(bytes, remote_read::stream);
}

/// A message of remote read, in a frame as it should be.
pub fn message(bytes: &[u8]) {
    let mut frame = Vec::new();
    prost::encoding::encode_varint(bytes.len() as u64, &mut frame);
    frame.extend(crc32c::crc32c(bytes).to_be_bytes());
    frame.extend(bytes);
    stream(&frame);
}

/// Lines of an export; and one line whose values and times these are, parted by the first NUL.
pub fn lines(bytes: &[u8]) {
    strictly(bytes, export::lines);
    let (values, times) = parted(bytes);
    let line = [br#"{"metric":{},"values":["#, values, br#"],"timestamps":["#, times, b"]}\n"];
    strictly(&line.concat(), export::lines);
}

/// Answers to queries; and one whose labels and samples these are, parted by the first NUL.
pub fn answers(bytes: &[u8]) {
    strictly(bytes, matrix);
    let _ = query::names(&mut &bytes[..]);
    let (labels, samples) = parted(bytes);
    let start = br#"{"status":"success","data":{"result":[{"metric":{"#;
    let answer = [start, labels, br#"},"values":["#, samples, b"]}]}}"];
    strictly(&answer.concat(), matrix);
}

fn matrix(
    body: &mut dyn Read,
    selectors: &[Selector],
    range: Range,
    sink: &mut dyn Sink,
) -> Result<(), Unread> {
    query::matrix(body, &selectors[0], range, 1, sink)
}

fn parted(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
