//! Remote write: how samples of any age come into Prometheus and VictoriaMetrics.
//!
//! Source: Prometheus, `prompb/remote.proto` and `types.proto`.

use super::Server;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    at_ms: i64,
}

/// The value that marks a series as stale.
pub fn stale() -> f64 {
    f64::from_bits(0x7ff0_0000_0000_0002)
}

/// A series to write: labels, the metric's name first, and samples by time in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Name and value.
    pub labels: Vec<(String, String)>,
    /// In the order of time.
    pub samples: Vec<(i64, f64)>,
}

impl Series {
    /// Of this metric with these labels.
    pub fn new(metric: &str, labels: &[(&str, &str)], samples: Vec<(i64, f64)>) -> Series {
        let mut pairs = vec![("__name__".to_string(), metric.to_string())];
        pairs.extend(labels.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        Series { labels: pairs, samples }
    }
}

/// Writes all of them, and has VictoriaMetrics show them at once.
pub fn write_and_flush(server: &Server, series: &[Series]) {
    write(server, series);
    flush(server);
}

fn flush(server: &Server) {
    // Prometheus knows no such path, and needs none.
    let _ = ureq::get(format!("{}/internal/force_flush", server.url)).call();
}

/// Writes all of them in the order of time, half an hour in each request: Prometheus takes that as if it came live.
pub fn write_in_order(server: &Server, series: &[Series]) {
    const STEP_MS: usize = 30 * 60_000;
    let times =
        || series.iter().flat_map(|series| series.samples.first().into_iter().chain(series.samples.last()));
    let (Some(first), Some(last)) =
        (times().map(|(at_ms, _)| *at_ms).min(), times().map(|(at_ms, _)| *at_ms).max())
    else {
        return;
    };
    for from_ms in (first..=last).step_by(STEP_MS) {
        let part = |series: &Series| {
            let index = |ms: i64| series.samples.partition_point(|(at_ms, _)| *at_ms < ms);
            let samples = series.samples[index(from_ms)..index(from_ms + STEP_MS as i64)].to_vec();
            (!samples.is_empty()).then(|| Series { labels: series.labels.clone(), samples })
        };
        write(server, &series.iter().filter_map(part).collect::<Vec<_>>());
    }
    flush(server);
}

/// Writes all of them in one request.
pub fn write(server: &Server, series: &[Series]) {
    let timeseries = series.iter().map(|series| {
        let mut labels: Vec<Label> = series
            .labels
            .iter()
            .map(|(name, value)| Label { name: name.clone(), value: value.clone() })
            .collect();
        labels.sort_by(|one, other| one.name.cmp(&other.name));
        let samples =
            series.samples.iter().map(|(at_ms, value)| Sample { value: *value, at_ms: *at_ms }).collect();
        TimeSeries { labels, samples }
    });
    let message = WriteRequest { timeseries: timeseries.collect() }.encode_to_vec();
    let packed = snap::raw::Encoder::new().compress_vec(&message).expect("a message to pack");
    let answer = ureq::post(format!("{}/api/v1/write", server.url))
        .config()
        .http_status_as_error(false)
        .build()
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "0.1.0")
        .send(packed.as_slice());
    let mut answer = answer.expect("an answer to remote write");
    let status = answer.status().as_u16();
    assert!(
        (200..300).contains(&status),
        "remote write: {status} {}",
        answer.body_mut().read_to_string().unwrap_or_default()
    );
}
