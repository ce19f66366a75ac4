//! Queries, which everything that speaks PromQL answers: the highest of each hour, a day at a time; and what holds at each step.

use super::http::{Client, Request, Unread};
use crate::{HistoryError, Labels, Point, Range, Selector, Sink};
use serde::de::{DeserializeOwned, Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// An answer to one query: 24 points of 50,000 series. In memory it takes up to three times as much.
const BODY_BYTES_MAX: u64 = 64 << 20;
/// A list of 100,000 names, each as long as Kubernetes' may be.
const NAMES_BYTES_MAX: u64 = 8 << 20;

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
    values: Vec<Sample>,
}

/// Time in seconds, and the value, which is text.
#[derive(Deserialize)]
struct Sample(f64, #[serde(deserialize_with = "value")] f64);

fn value<'text, D: Deserializer<'text>>(text: D) -> Result<f64, D::Error> {
    let text = <&str>::deserialize(text)?;
    text.parse().map_err(|_| D::Error::custom(format_args!("'{text}' is not what a value looks like")))
}

/// Whether a server answers queries at all.
pub fn is_there(client: &Client) -> Result<bool, HistoryError> {
    const BYTES_MAX: u64 = 64 << 10;
    let request = Request::Get("/api/v1/query", vec![("query", "1".into())]);
    // Whatever else the answer may be, it is not this.
    let answer =
        client.fetch(&request, 1 << 20, |_, body| match parsed::<IgnoredAny>(&mut body.take(BYTES_MAX)) {
            Err(Unread::Broken(error)) => Err(Unread::Broken(error)),
            parsed => Ok(parsed.is_ok()),
        })?;
    Ok(answer.unwrap_or(false))
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
    let answer = client.fetch(&Request::Get(&path, parameters), NAMES_BYTES_MAX, |_, body| names(body))?;
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
        let day = Range { from_ms: day_ms, to_ms: last_ms };
        let request = Request::Form("/api/v1/query_range", parameters);
        let answer =
            client.fetch(&request, BODY_BYTES_MAX, |_, body| matrix(body, selector, day, 1, sink))?;
        answer.ok_or_else(|| client.failed("queries are not answered any more", "try again"))?;
        day_ms += DAY_MS;
    }
    Ok(())
}

/// Reads what holds at the beginning of a range and after each step of it: the last sample that is not older than the server looks
/// back, 5 minutes by default.
pub fn steps(
    client: &Client,
    selector: &Selector,
    range: Range,
    step_ms: i64,
    sink: &mut dyn Sink,
) -> Result<(), HistoryError> {
    let parameters = vec![
        ("query", selector.promql()),
        ("start", seconds(range.from_ms)),
        ("end", seconds(range.to_ms)),
        ("step", seconds(step_ms)),
    ];
    let request = Request::Form("/api/v1/query_range", parameters);
    let answer = client.fetch(&request, BODY_BYTES_MAX, |_, body| matrix(body, selector, range, 0, sink))?;
    answer.ok_or_else(|| client.failed("queries are not answered there", "check the URL and its path"))
}

/// All names of an answer.
pub fn names(body: &mut dyn Read) -> Result<BTreeSet<String>, Unread> {
    parsed(body)
}

/// All series of an answer, each point stamped so many milliseconds before its time.
pub fn matrix(
    body: &mut dyn Read,
    selector: &Selector,
    range: Range,
    before_ms: i64,
    sink: &mut dyn Sink,
) -> Result<(), Unread> {
    let matrix: Matrix = parsed(body)?;
    matrix.result.into_iter().try_for_each(|series| take(series, selector, range, before_ms, sink))
}

fn take(
    series: Series,
    selector: &Selector,
    range: Range,
    before_ms: i64,
    sink: &mut dyn Sink,
) -> Result<(), Unread> {
    let mut pairs: Vec<(String, String)> = series.metric.into_iter().collect();
    // A function takes the name away.
    pairs.retain(|(name, _)| name != "__name__");
    pairs.push(("__name__".into(), selector.metric.clone()));
    let labels = Labels::new(pairs);
    if !selector.takes(&labels) {
        return Err(Unread::Wrong("it sent series that were not asked for".into()));
    }
    let at_ms = |at_s: f64| ((at_s * 1000.0).round() as i64).saturating_sub(before_ms);
    let point = |Sample(at_s, value)| Point { at_ms: at_ms(at_s), value };
    let points = series.values.into_iter().map(point);
    let points: Vec<Point> = points.filter(|point| !point.value.is_nan() && range.has(point.at_ms)).collect();
    sink.series(&labels);
    sink.points(&points);
    Ok(())
}

fn parsed<T: DeserializeOwned>(body: &mut dyn Read) -> Result<T, Unread> {
    let mut text = Vec::new();
    body.read_to_end(&mut text)?;
    let answer: Answer<T> = serde_json::from_slice(&text)
        .map_err(|error| Unread::Wrong(format!("the answer is not what Prometheus gives: {error}")))?;
    match (answer.data, answer.error) {
        (Some(data), _) if answer.status == "success" => Ok(data),
        (_, error) => {
            let why = error.unwrap_or_else(|| "it does not say why".into());
            Err(Unread::Wrong(format!("the query failed: {why}")))
        }
    }
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}
