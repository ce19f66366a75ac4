//! Traces are played to a real Prometheus, which evaluates the rules for every minute of them.
//!
//! Its rule manager goes by the clock, so three days would take three days. What it would do each minute is done here for all minutes
//! at once, rule by rule: the query is asked for as a range of one step a minute, and what comes is written back under the rule's
//! name, with the marks for what has ended; the next rule reads that. An alert fires once its query has held for as long as its `for`.

use super::contest;
use crate::Failure;
use plimsoll_monitoring::rule::Rule;
use plimsoll_real::write::{Series, stale, write};
use plimsoll_real::{Server, prometheus};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is played: a container's memory of its limit, minute by minute; what was not read is none.
pub struct Played<'a> {
    pub pod: String,
    pub nonreclaimable: &'a [Option<f64>],
    pub working_set: &'a [Option<f64>],
}

/// When each alert fired first, in minutes, by alert, tier and pod.
pub type Fired = BTreeMap<(String, String, String), f64>;

const MINUTE_S: i64 = 60;
/// Any whole day; nothing here depends on which.
const BEGIN_S: i64 = 1_700_006_400;
/// Of all containers, in bytes.
const LIMIT: f64 = (1 << 30) as f64;

/// Plays them, and says what fired.
pub fn play(all: &[Played]) -> Result<Fired, Failure> {
    let folder = tempfile::tempdir()?;
    // One block: what is written back is of all times, and none of it is put away meanwhile.
    let server = prometheus(
        folder.path(),
        &["--storage.tsdb.min-block-duration=20d", "--storage.tsdb.max-block-duration=20d"],
    );
    let minutes = all.iter().map(|it| it.working_set.len()).max().unwrap_or(0) as i64;
    for it in all {
        write(&server, &given(it));
    }
    let mut fired = Fired::new();
    for rule in contest::rules() {
        let found = range(&server, rule.expr(), minutes)?;
        match rule {
            Rule::Record(of) => {
                let series: Vec<Series> = found
                    .into_iter()
                    .map(|(labels, at)| recorded(&of.record, &of.labels, labels, &at, minutes))
                    .collect();
                if !series.is_empty() {
                    write(&server, &series);
                }
            }
            Rule::Alert(of) => {
                let hold = minutes_of(&of.hold)?;
                for (labels, at) in found {
                    if let Some(minute) = first_held(&at, hold) {
                        let pod = labels.get("pod").cloned().unwrap_or_default();
                        let tier = of.labels.get("tier").cloned().unwrap_or_default();
                        let first = fired.entry((of.alert.clone(), tier, pod)).or_insert(f64::MAX);
                        *first = first.min(minute as f64);
                    }
                }
            }
        }
    }
    Ok(fired)
}

/// What the agent would have shown.
fn given(it: &Played) -> Vec<Series> {
    let labels = [("namespace", "n"), ("pod", it.pod.as_str()), ("container", "c")];
    let of = |metric: &str, shares: &mut dyn Iterator<Item = Option<f64>>| {
        let samples = shares
            .enumerate()
            .filter_map(|(minute, share)| {
                Some(((BEGIN_S + minute as i64 * MINUTE_S) * 1000, (share? * LIMIT).round()))
            })
            .collect();
        Series::new(metric, &labels, samples)
    };
    vec![
        of("plimsoll_container_memory_nonreclaimable_bytes", &mut it.nonreclaimable.iter().copied()),
        of("plimsoll_container_memory_working_set_bytes", &mut it.working_set.iter().copied()),
        of(
            "plimsoll_container_memory_limit_bytes",
            &mut it.working_set.iter().map(|share| share.map(|_| 1.0)),
        ),
    ]
}

/// A series by its labels, and what it was by minute.
type Found = (BTreeMap<String, String>, Vec<(i64, f64)>);

/// Asks for each minute.
fn range(server: &Server, query: &str, minutes: i64) -> Result<Vec<Found>, Failure> {
    let end_s = BEGIN_S + (minutes - 1) * MINUTE_S;
    let form = [
        ("query", query.to_string()),
        ("start", BEGIN_S.to_string()),
        ("end", end_s.to_string()),
        ("step", MINUTE_S.to_string()),
    ];
    let mut answer = ureq::post(format!("{}/api/v1/query_range", server.url))
        .config()
        .http_status_as_error(false)
        .build()
        .send_form(form)?;
    let text = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
    let answer: Value = serde_json::from_str(&text)?;
    let result =
        answer["data"]["result"].as_array().ok_or_else(|| format!("{query}\n{}", answer["error"]))?;
    Ok(result.iter().map(found).collect())
}

fn found(series: &Value) -> Found {
    let pairs = series["metric"].as_object().into_iter().flatten();
    let labels = pairs
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_string()))
        .collect();
    let values = series["values"].as_array().into_iter().flatten();
    let at = |pair: &Value| {
        let minute = (pair[0].as_f64()? as i64 - BEGIN_S) / MINUTE_S;
        Some((minute, pair[1].as_str()?.parse().ok()?))
    };
    (labels, values.filter_map(at).collect())
}

/// As the rule manager stores it: where a series is not there at the next evaluation, it is marked as ended.
fn recorded(
    name: &str,
    more: &BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    at: &[(i64, f64)],
    minutes: i64,
) -> Series {
    let ms = |minute: i64| (BEGIN_S + minute * MINUTE_S) * 1000;
    let mut samples = Vec::with_capacity(at.len());
    for (index, (minute, value)) in at.iter().enumerate() {
        samples.push((ms(*minute), *value));
        let next = at.get(index + 1).map_or(minutes, |(minute, _)| *minute);
        if next > minute + 1 {
            samples.push((ms(minute + 1), stale()));
        }
    }
    let labels: BTreeMap<String, String> = labels.into_iter().chain(more.clone()).collect();
    let pairs: Vec<(&str, &str)> =
        labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Series::new(name, &pairs, samples)
}

/// The first minute at which it has held for so many, without a gap.
fn first_held(at: &[(i64, f64)], hold: i64) -> Option<i64> {
    let mut since = None;
    let mut last = i64::MIN;
    for (minute, _) in at {
        if *minute != last + 1 {
            since = Some(*minute);
        }
        last = *minute;
        if minute - since? >= hold {
            return Some(*minute);
        }
    }
    None
}

/// A rule's `for`, in minutes.
fn minutes_of(text: &str) -> Result<i64, Failure> {
    let minutes = text.strip_suffix('m').and_then(|number| number.parse().ok());
    minutes.ok_or_else(|| format!("for: {text}: not whole minutes").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_fires_once_it_has_held() {
        let check = |minutes: &[i64], hold: i64, expect: Option<i64>| {
            let at: Vec<(i64, f64)> = minutes.iter().map(|minute| (*minute, 1.0)).collect();
            assert_eq!(first_held(&at, hold), expect, "{minutes:?} for {hold}");
        };
        check(&[], 0, None);
        check(&[7], 0, Some(7));
        check(&[7, 8, 9], 2, Some(9));
        check(&[7, 8, 10, 11], 2, None);
        check(&[7, 8, 10, 11, 12], 2, Some(12));
    }

    #[test]
    fn what_ends_is_marked() {
        let at = [(0, 1.0), (1, 2.0), (5, 3.0)];
        let series = recorded("x", &BTreeMap::new(), BTreeMap::new(), &at, 6);
        let minutes: Vec<i64> =
            series.samples.iter().map(|(ms, _)| (ms / 1000 - BEGIN_S) / MINUTE_S).collect();
        assert_eq!(minutes, [0, 1, 2, 5]);
        assert!(series.samples[2].1.is_nan());
    }
}
