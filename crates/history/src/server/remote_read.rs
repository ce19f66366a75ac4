//! Remote read in streamed XOR chunks: the server sends what it has on disk, and we unpack it.
//!
//! Source: Prometheus, `storage/remote/read_handler.go`; the chunks are those of [`crate::chunk`].

use super::http::{Client, Request, Unread};
use super::wire::{ChunkedReadResponse, request};
use super::{frames, wire};
use crate::chunk::xor;
use crate::{HistoryError, Range, Selector, Sink};
use prost::Message;
use std::io::{BufReader, Read};

const PATH: &str = "/api/v1/read";
/// All that one request may send: at 1.7 bytes a sample, a month of 100,000 containers.
const BODY_BYTES_MAX: u64 = 16 << 30;
/// Memory is no histogram.
const HISTOGRAMS: [i32; 2] = [2, 3];
const STREAMED: &str = "application/x-streamed-protobuf";

/// Whether a server does this: asked for nothing, it answers with a stream of nothing.
pub fn is_there(client: &Client) -> Result<bool, HistoryError> {
    let nothing = Selector::metric("plimsoll:nothing");
    let message = packed(client, &[nothing], Range { from_ms: 0, to_ms: 1 })?;
    // Whatever else the answer may be, it is not this.
    let answer =
        client.fetch(&Request::Message(PATH, message), 1 << 20, |kind, _| Ok(kind.starts_with(STREAMED)))?;
    Ok(answer.unwrap_or(false))
}

/// Reads series.
pub fn read(
    client: &Client,
    selectors: &[Selector],
    range: Range,
    sink: &mut dyn Sink,
) -> Result<(), HistoryError> {
    let message = packed(client, selectors, range)?;
    let answer = client.fetch(&Request::Message(PATH, message), BODY_BYTES_MAX, |kind, body| {
        if !kind.starts_with(STREAMED) {
            return Err(Unread::Wrong(format!(
                "remote read answered with '{kind}', not with a stream of chunks"
            )));
        }
        stream(body, selectors, range, sink)
    })?;
    answer.ok_or_else(|| client.failed("remote read is not there any more", "try again"))
}

fn packed(client: &Client, selectors: &[Selector], range: Range) -> Result<Vec<u8>, HistoryError> {
    let message = request(selectors, range).encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&message).map_err(|error| {
        client
            .failed(&format!("the request cannot be packed: {error}"), "ask for fewer --namespace at a time")
    })
}

/// All frames of an answer.
pub fn stream(
    body: &mut dyn Read,
    selectors: &[Selector],
    range: Range,
    sink: &mut dyn Sink,
) -> Result<(), Unread> {
    const BUFFER_BYTES: usize = 256 << 10;
    let mut body = BufReader::with_capacity(BUFFER_BYTES, body);
    let mut frame = Vec::new();
    let mut points = Vec::new();
    while frames::next(&mut body, &mut frame)? {
        let message = ChunkedReadResponse::decode(frame.as_slice())
            .map_err(|error| Unread::Wrong(format!("a frame is not what remote read sends: {error}")))?;
        for series in message.chunked_series {
            let labels = wire::labels(series.labels);
            if !selectors.iter().any(|one| one.takes(&labels)) {
                return Err(Unread::Wrong("it sent series that were not asked for".into()));
            }
            sink.series(&labels);
            for chunk in series.chunks.iter().filter(|chunk| !HISTOGRAMS.contains(&chunk.kind)) {
                if chunk.kind != i32::from(xor::ENCODING) {
                    return Err(Unread::Wrong(format!(
                        "a chunk is packed in a way that is not known: {}",
                        chunk.kind
                    )));
                }
                points.clear();
                xor::decode(&chunk.data, &mut points)
                    .map_err(|_| Unread::Wrong("a chunk ends early".into()))?;
                // Chunks at the edges reach beyond them.
                points.retain(|point| range.has(point.at_ms));
                if !points.is_empty() {
                    sink.points(&points);
                }
            }
        }
    }
    Ok(())
}
