//! Against real servers: what is read is what PromQL answers on the same samples.

mod common;

use common::All;
use plimsoll_history::server::access::Access;
use plimsoll_history::server::{Server, Way};
use plimsoll_history::{Range, Selector};
use plimsoll_real::write::{Series, stale, write, write_and_flush};
use plimsoll_real::{query, victoria_metrics};
use std::collections::BTreeMap;
use std::sync::Mutex;

const HOUR_MS: i64 = 3_600_000;
/// A whole day, in 2026.
const START_MS: i64 = 1_790_000_000_000 / (24 * HOUR_MS) * 24 * HOUR_MS;
const END_MS: i64 = START_MS + 30 * HOUR_MS;

fn selector(namespace: &str) -> Selector {
    Selector::metric("container_memory_working_set_bytes").equal("namespace", namespace).present("container")
}

/// A flat one, one with a gap of six hours, one that ended stale, one scraped by two replicas at times of their own, the
/// pod's own cgroup, which is no container's, and one elsewhere.
fn samples() -> Vec<Series> {
    let each = |from_h: i64, to_h: i64, offset_ms: i64, value: &dyn Fn(i64) -> f64| -> Vec<(i64, f64)> {
        (from_h * 60..to_h * 60)
            .map(|minute| (START_MS + minute * 60_000 + offset_ms, value(minute)))
            .collect()
    };
    let of = |pod: &str, more: &[(&str, &str)], samples: Vec<(i64, f64)>| {
        let mut labels = vec![("namespace", "shop"), ("pod", pod)];
        labels.extend(more);
        Series::new("container_memory_working_set_bytes", &labels, samples)
    };
    let app = ("container", "app");
    let wave = |minute: i64| 3e8 + 1e6 * ((minute * 7919) % 1000) as f64;
    let mut with_gap = each(0, 10, 0, &wave);
    with_gap.extend(each(16, 30, 0, &wave));
    let mut ended = each(2, 5, 0, &wave);
    ended.push((START_MS + 5 * HOUR_MS, stale()));
    vec![
        of("flat-0", &[app], each(0, 30, 0, &|_| 123_456_789.0)),
        of("gap-0", &[app], with_gap),
        of("ended-0", &[app], ended),
        of("twice-0", &[app, ("prometheus", "a")], each(0, 30, 0, &wave)),
        of("twice-0", &[app, ("prometheus", "b")], each(0, 30, 31_007, &|minute| wave(minute) + 1.0)),
        of("flat-0", &[], each(0, 30, 0, &|_| 9e9)),
        Series::new(
            "container_memory_working_set_bytes",
            &[("namespace", "other \"quoted\""), ("pod", "x"), app],
            each(0, 1, 0, &wave),
        ),
    ]
}

fn compare(server: &plimsoll_real::Server, way: Way) {
    samples().chunks(1).for_each(|series| write_and_flush(server, series));
    let all_ways = [Way::RemoteRead, Way::Export, Way::Query];
    let opened = Server::open(&server.url, &Access::default(), &all_ways).unwrap();
    let range = Range { from_ms: START_MS, to_ms: END_MS - 1 };
    assert_eq!(opened.way(), way);
    let namespaces =
        opened.values("namespace", &Selector::metric("container_memory_working_set_bytes"), range).unwrap();
    assert_eq!(namespaces.iter().map(String::as_str).collect::<Vec<_>>(), ["other \"quoted\"", "shop"]);

    let only_queries = Server::open(&server.url, &Access::default(), &[Way::Query]).unwrap();
    for namespace in namespaces {
        let mut all = All::default();
        opened.read(&[selector(&namespace)], range, &mut all).unwrap();
        same_as_promql(server, &namespace, &all);
        let mut hours = All::default();
        only_queries.read(&[selector(&namespace)], range, &mut hours).unwrap();
        same_by_the_hour(&all, &hours);
    }
    assert!(opened.cost().points > 7000 && opened.cost().requests >= 3, "{:?}", opened.cost());
}

/// Number, highest and sum of every series are those of PromQL.
fn same_as_promql(server: &plimsoll_real::Server, namespace: &str, all: &All) {
    let promql = selector(namespace).promql();
    // PromQL of Prometheus 2 counts a sample at the very start of a range, VictoriaMetrics does not: start between two.
    let seconds = (END_MS - START_MS) / 1000;
    let answers = |function: &str| {
        let query = format!("{function}({promql}[{}s])", seconds + 10);
        let answers = query::instant(server, &query, END_MS / 1000 - 1);
        let key = |mut labels: BTreeMap<String, String>| -> String {
            labels.insert("__name__".into(), "container_memory_working_set_bytes".into());
            labels.iter().map(|(name, value)| format!("{name}={value};")).collect()
        };
        answers.into_iter().map(|(labels, value)| (key(labels), value)).collect::<BTreeMap<_, _>>()
    };
    let ours = |of: &dyn Fn(&BTreeMap<i64, f64>) -> f64| {
        all.series.iter().map(|(key, points)| (key.clone(), of(points))).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(answers("count_over_time"), ours(&|points| points.len() as f64), "{namespace}");
    assert_eq!(
        answers("max_over_time"),
        ours(&|points| points.values().fold(0.0, |a, b| f64::max(a, *b))),
        "{namespace}"
    );
    let (theirs, sums) = (answers("sum_over_time"), ours(&|points| points.values().sum()));
    for (key, sum) in sums {
        assert!((theirs[&key] / sum - 1.0).abs() < 1e-12, "{key}: {} {sum}", theirs[&key]);
    }
}

/// Queries give the highest of each hour; an hour of theirs includes its end, ours its start.
fn same_by_the_hour(all: &All, hours: &All) {
    assert_eq!(all.series.keys().collect::<Vec<_>>(), hours.series.keys().collect::<Vec<_>>());
    for (key, points) in &all.series {
        let mut highest: BTreeMap<i64, f64> = BTreeMap::new();
        for (at_ms, value) in points {
            let hour = (at_ms - 1).div_euclid(HOUR_MS);
            let entry = highest.entry(hour).or_insert(*value);
            *entry = entry.max(*value);
        }
        highest.retain(|hour, _| *hour >= START_MS / HOUR_MS);
        let seen: BTreeMap<i64, f64> =
            hours.series[key].iter().map(|(at_ms, value)| (at_ms.div_euclid(HOUR_MS), *value)).collect();
        assert_eq!(highest, seen, "{key}");
    }
}

#[test]
fn prometheus_by_remote_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = plimsoll_real::prometheus(folder.path(), &[]);
    compare(&server, Way::RemoteRead);
}

#[test]
fn victoria_metrics_by_export() {
    let folder = tempfile::tempdir().unwrap();
    let server = victoria_metrics(folder.path());
    compare(&server, Way::Export);
}

#[test]
fn many_at_once_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let server = plimsoll_real::prometheus(folder.path(), &[]);
    write(&server, &samples());
    let opened = Server::open(&server.url, &Access::default(), &[Way::RemoteRead]).unwrap();
    let range = Range { from_ms: START_MS, to_ms: END_MS };
    let seen = Mutex::new(Vec::new());
    let read = |namespace: &&str| {
        let mut all = All::default();
        opened.read(&[selector(namespace)], range, &mut all)?;
        Ok(all)
    };
    let namespaces = ["shop", "nowhere"].repeat(10);
    let sinks = opened.each(&namespaces, read, &|done| seen.lock().unwrap().push(done)).unwrap();
    assert_eq!(sinks.iter().map(|sink| sink.series.len()).collect::<Vec<_>>(), [5, 0].repeat(10));
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
}

#[test]
fn several_selectors_in_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let (prometheus, victoria) =
        (plimsoll_real::prometheus(folder.path(), &[]), victoria_metrics(folder.path()));
    for server in [&prometheus, &victoria] {
        write_and_flush(server, &samples());
        let opened = Server::open(&server.url, &Access::default(), &[Way::RemoteRead, Way::Export]).unwrap();
        let before = opened.cost().requests;
        let mut all = All::default();
        let range = Range { from_ms: START_MS, to_ms: END_MS };
        opened.read(&[selector("shop"), selector("other \"quoted\"")], range, &mut all).unwrap();
        assert_eq!((all.series.len(), opened.cost().requests - before), (6, 1));
        let labels = opened.labels(&[selector("shop")], range).unwrap();
        assert_eq!(labels.len(), 5);
        assert!(
            labels.iter().all(|labels| labels.get("namespace") == "shop" && labels.get("container") == "app")
        );
    }
}
