//! Messages of remote read, as Prometheus' `prompb/remote.proto` and `types.proto` number their fields.

use crate::{Labels, Range, Selector};
use prost::Message;

/// `ReadRequest`
#[derive(Clone, PartialEq, Message)]
pub struct ReadRequest {
    #[prost(message, repeated, tag = "1")]
    pub queries: Vec<Query>,
    /// `ResponseType`
    #[prost(int32, repeated, tag = "2")]
    pub accepted_response_types: Vec<i32>,
}

/// `Query`
#[derive(Clone, PartialEq, Message)]
pub struct Query {
    #[prost(int64, tag = "1")]
    pub start_timestamp_ms: i64,
    #[prost(int64, tag = "2")]
    pub end_timestamp_ms: i64,
    #[prost(message, repeated, tag = "3")]
    pub matchers: Vec<LabelMatcher>,
}

/// `LabelMatcher`
#[derive(Clone, PartialEq, Message)]
pub struct LabelMatcher {
    /// 0 is equal, 1 is not equal.
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub value: String,
}

/// `ChunkedReadResponse`: one frame.
#[derive(Clone, PartialEq, Message)]
pub struct ChunkedReadResponse {
    #[prost(message, repeated, tag = "1")]
    pub chunked_series: Vec<ChunkedSeries>,
}

/// `ChunkedSeries`
#[derive(Clone, PartialEq, Message)]
pub struct ChunkedSeries {
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub chunks: Vec<Chunk>,
}

/// `Label`
#[derive(Clone, PartialEq, Message)]
pub struct Label {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// `Chunk`
#[derive(Clone, PartialEq, Message)]
pub struct Chunk {
    #[prost(int64, tag = "1")]
    pub min_time_ms: i64,
    #[prost(int64, tag = "2")]
    pub max_time_ms: i64,
    /// [`crate::chunk::xor::ENCODING`] for samples; others hold histograms.
    #[prost(int32, tag = "3")]
    pub kind: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub data: Vec<u8>,
}

/// `STREAMED_XOR_CHUNKS` of `ResponseType`.
const STREAMED_XOR_CHUNKS: i32 = 1;
const EQUAL: i32 = 0;
const NOT_EQUAL: i32 = 1;

/// A request for the chunks of some series.
pub fn request(selectors: &[Selector], range: Range) -> ReadRequest {
    let queries = selectors.iter().map(|selector| Query {
        start_timestamp_ms: range.from_ms,
        end_timestamp_ms: range.to_ms,
        matchers: matchers(selector),
    });
    ReadRequest { queries: queries.collect(), accepted_response_types: vec![STREAMED_XOR_CHUNKS] }
}

fn matchers(selector: &Selector) -> Vec<LabelMatcher> {
    let matcher =
        |kind: i32, name: &str, value: &str| LabelMatcher { kind, name: name.into(), value: value.into() };
    let mut matchers = vec![matcher(EQUAL, "__name__", &selector.metric)];
    matchers.extend(selector.equal.iter().map(|(label, value)| matcher(EQUAL, label, value)));
    matchers.extend(selector.present.iter().map(|label| matcher(NOT_EQUAL, label, "")));
    matchers
}

/// The labels of a series.
pub fn labels(labels: Vec<Label>) -> Labels {
    Labels::new(labels.into_iter().map(|label| (label.name, label.value)).collect())
}
