//! VictoriaMetrics' export: a line of JSON for each stretch of a series, with every sample as it was taken.
//!
//! Source: VictoriaMetrics, "How to export data in JSON line format".

use super::http::{Client, Request, Unread};
use crate::{HistoryError, Labels, Point, Range, Selector, Sink};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

const PATH: &str = "/api/v1/export";
const BODY_BYTES_MAX: u64 = 64 << 30;
/// So many samples a line.
const SAMPLES_A_LINE: u32 = 10_000;
/// A longer line is none of these, in bytes: a sample takes some 40 at most.
const LINE_BYTES_MAX: u64 = 4 << 20;

#[derive(Deserialize)]
struct Line {
    metric: BTreeMap<String, String>,
    values: Vec<Option<f64>>,
    timestamps: Vec<i64>,
}

/// Whether a server does this: asked for nothing, it answers with no lines.
pub fn is_there(client: &Client) -> Result<bool, HistoryError> {
    let nothing = Selector::metric("plimsoll:nothing").promql();
    let request = Request::Get(PATH, vec![("match[]", nothing), ("start", "0".into()), ("end", "1".into())]);
    let answer = client
        .fetch(&request, 1 << 20, |kind, body| Ok(kind.contains("json") && body.read(&mut [0])? == 0))?;
    Ok(answer.unwrap_or(false))
}

/// Reads series.
pub fn read(
    client: &Client,
    selectors: &[Selector],
    range: Range,
    sink: &mut dyn Sink,
) -> Result<(), HistoryError> {
    let seconds = |ms: i64| format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000));
    let mut parameters: Vec<(&str, String)> =
        selectors.iter().map(|selector| ("match[]", selector.promql())).collect();
    parameters.extend([
        ("start", seconds(range.from_ms)),
        ("end", seconds(range.to_ms)),
        ("max_rows_per_line", SAMPLES_A_LINE.to_string()),
        ("reduce_mem_usage", "1".to_string()),
    ]);
    let answer = client.fetch(&Request::Get(PATH, parameters), BODY_BYTES_MAX, |_, body| {
        lines(body, selectors, range, sink)
    })?;
    answer.ok_or_else(|| client.failed("export is not there any more", "try again"))
}

/// All lines of an answer.
pub fn lines(
    body: &mut dyn Read,
    selectors: &[Selector],
    range: Range,
    sink: &mut dyn Sink,
) -> Result<(), Unread> {
    let mut body = BufReader::new(body);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut body).take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        if read as u64 > LINE_BYTES_MAX {
            return Err(Unread::Wrong(format!("a line of the export is longer than {LINE_BYTES_MAX} bytes")));
        }
        // A server that gives up midway ends the last line early.
        if line.last() != Some(&b'\n') {
            return Err(Unread::Broken(std::io::ErrorKind::UnexpectedEof.into()));
        }
        take(&line, selectors, range, sink)?;
    }
}

fn take(line: &[u8], selectors: &[Selector], range: Range, sink: &mut dyn Sink) -> Result<(), Unread> {
    let line: Line = serde_json::from_slice(line)
        .map_err(|error| Unread::Wrong(format!("a line is not what an export has: {error}")))?;
    let labels = Labels::new(line.metric.into_iter().collect());
    if !selectors.iter().any(|one| one.takes(&labels)) {
        return Err(Unread::Wrong("it sent series that were not asked for".into()));
    }
    if line.timestamps.len() != line.values.len() {
        return Err(Unread::Wrong("a line has not as many times as values".into()));
    }
    let points = line.timestamps.into_iter().zip(line.values).filter(|(at_ms, _)| range.has(*at_ms));
    // What is no number is null.
    let points: Vec<Point> =
        points.filter_map(|(at_ms, value)| Some(Point { at_ms, value: value? })).collect();
    sink.series(&labels);
    sink.points(&points);
    Ok(())
}
