//! Queries: the highest of each hour, a day at a time, which everything that speaks PromQL answers.

use super::http::{Client, Request, Unread};
use crate::{HistoryError, Labels, Point, Range, Selector, Sink};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// An answer to one query: 24 points of 200,000 series.
const BODY_BYTES_MAX: u64 = 512 << 20;

#[derive(Deserialize)]
struct Answer<T> {
    status: String,
    data: Option<T>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Matrix {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    /// Time in seconds, and the value as text.
    values: Vec<(f64, String)>,
}

/// Whether a server answers queries at all.
pub fn is_there(client: &Client) -> Result<bool, HistoryError> {
    is_there_at(client, &Request::Get("/api/v1/query", vec![("query", "1".into())]))
}

/// Whether there is something that answers a request; what it says does not matter.
pub(super) fn is_there_at(client: &Client, request: &Request) -> Result<bool, HistoryError> {
    match client.fetch(request, BODY_BYTES_MAX, |_, _| Ok(())) {
        Ok(answer) => Ok(answer.is_some()),
        Err(HistoryError::Server { problem, .. }) if problem.starts_with("status 400") => Ok(false),
        Err(error) => Err(error),
    }
}

/// The values of a label among some series.
pub fn values(
    client: &Client,
    label: &str,
    selector: &Selector,
    range: Range,
) -> Result<BTreeSet<String>, HistoryError> {
    let path = format!("/api/v1/label/{label}/values");
    let parameters = vec![
        ("match[]", selector.promql()),
        ("start", seconds(range.from_ms)),
        ("end", seconds(range.to_ms)),
    ];
    let answer = client.fetch(&Request::Get(&path, parameters), BODY_BYTES_MAX, |_, body| {
        parsed::<BTreeSet<String>>(body)
    })?;
    answer.ok_or_else(|| client.failed("labels cannot be listed there", "check the URL and its path"))
}

/// The labels of some series, without their samples.
pub fn labels(client: &Client, selectors: &[Selector], range: Range) -> Result<Vec<Labels>, HistoryError> {
    let mut parameters: Vec<(&str, String)> =
        selectors.iter().map(|selector| ("match[]", selector.promql())).collect();
    parameters.extend([("start", seconds(range.from_ms)), ("end", seconds(range.to_ms))]);
    let answer = client.fetch(&Request::Form("/api/v1/series", parameters), BODY_BYTES_MAX, |_, body| {
        parsed::<Vec<BTreeMap<String, String>>>(body)
    })?;
    let series =
        answer.ok_or_else(|| client.failed("series cannot be listed there", "check the URL and its path"))?;
    Ok(series.into_iter().map(|labels| Labels::new(labels.into_iter().collect())).collect())
}

/// Reads the highest of each hour; each is stamped at the end of its hour, but for a millisecond.
pub fn read(
    client: &Client,
    selector: &Selector,
    range: Range,
    sink: &mut dyn Sink,
) -> Result<(), HistoryError> {
    let query = format!("max_over_time({}[1h])", selector.promql());
    let mut day_ms = range.from_ms.div_euclid(HOUR_MS) * HOUR_MS;
    while day_ms < range.to_ms {
        // The last hour is not over: its highest so far is asked for as of its end.
        let last_ms = (day_ms + DAY_MS).min((range.to_ms + HOUR_MS - 1).div_euclid(HOUR_MS) * HOUR_MS);
        let parameters = vec![
            ("query", query.clone()),
            ("start", seconds(day_ms + HOUR_MS)),
            ("end", seconds(last_ms)),
            ("step", "3600".to_string()),
        ];
        let answer =
            client.fetch(&Request::Form("/api/v1/query_range", parameters), BODY_BYTES_MAX, |_, body| {
                parsed::<Matrix>(body)
            })?;
        let matrix = answer.ok_or_else(|| client.failed("queries are not answered any more", "try again"))?;
        for series in matrix.result {
            take(series, selector, sink);
        }
        day_ms += DAY_MS;
    }
    Ok(())
}

fn take(series: Series, selector: &Selector, sink: &mut dyn Sink) {
    let mut pairs: Vec<(String, String)> = series.metric.into_iter().collect();
    // A function takes the name away.
    pairs.retain(|(name, _)| name != "__name__");
    pairs.push(("__name__".into(), selector.metric.clone()));
    let point = |(at_s, value): (f64, String)| {
        let value: f64 = value.parse().ok()?;
        (!value.is_nan()).then_some(Point { at_ms: (at_s * 1000.0) as i64 - 1, value })
    };
    let points: Vec<Point> = series.values.into_iter().filter_map(point).collect();
    sink.series(&Labels::new(pairs));
    sink.points(&points);
}

fn parsed<T: DeserializeOwned>(body: &mut dyn Read) -> Result<T, Unread> {
    let mut text = Vec::new();
    body.read_to_end(&mut text)?;
    let answer: Answer<T> = serde_json::from_slice(&text)
        .map_err(|error| Unread::Wrong(format!("the answer is not what Prometheus gives: {error}")))?;
    match (answer.data, answer.error) {
        (Some(data), _) if answer.status == "success" => Ok(data),
        (_, error) => Err(Unread::Wrong(format!("the query failed: {}", error.unwrap_or_default()))),
    }
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}
