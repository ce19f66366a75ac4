//! What people take, as `plimsoll serve` knows it: learned from two weeks of them, held against what was foretold, and behind a token.

use crate::common::{Bench, PLIMSOLL};
use crate::served::{Served, all_at_once};
use crate::{finding, report, said};
use jiff::{SignedDuration, Timestamp};
use plimsoll_core::capacity::formula::observation::Observation;
use plimsoll_core::capacity::formula::truth::{Change, Truth};
use plimsoll_core::sizing::{DAY_MS, HOUR_MS};
use plimsoll_real::eventually;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::Arc;

const OBSERVATIONS: &str = "/api/capacity/observations";
const PROFILING: &str = "/api/capacity/profiling";
/// As many as may be sent at once.
const BATCH: usize = 10_000;

fn serve(bench: &Bench, more: &[&str]) -> Served {
    // One pod, with room for a hundred people at the same time.
    bench.file("serve.yaml", "capacity: {pod_limit: 16G, regions: [{pods: 1, most_pods: 1}]}");
    let store = format!("sqlite:{}", bench.path("capacity.db").display());
    Served::start(&store, &bench.path("serve.yaml"), more)
}

/// What a server that is asked says, in a report.
fn asked(bench: &Bench, served: &Served, more: &[&str]) -> Value {
    let output = report(bench, &[&["--server", &served.url, "-o", "json"], more].concat());
    let report: Value = serde_json::from_str(&said(&output)).expect("JSON");
    let capacity = &report["sources"][2];
    assert_eq!((&capacity["asked"], &capacity["from"]), (&json!(true), &json!(served.url)), "{report:#}");
    report
}

fn grew(report: &Value) -> Vec<&str> {
    let all = report["grew"]["findings"].as_array().expect("findings");
    all.iter().filter_map(|one| one["what"].as_str()).collect()
}

/// The number of a text that is `before`, a number and `after`.
fn number(text: &str, before: &str, after: &str) -> f64 {
    let number = text.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)?.parse().ok());
    number.unwrap_or_else(|| panic!("'{text}' is not {before}N{after}"))
}

fn near(found: f64, expect: f64, apart: f64) {
    assert!((found - expect).abs() <= apart, "{found} is not {expect}");
}

/// A service that was told of an app until an hour ago, and has learned it.
fn learned(bench: &Bench, truth: &Truth) -> Served {
    let served = serve(bench, &[]);
    let mut all = truth.observations(1);
    let later_ms = Timestamp::now().as_millisecond() - HOUR_MS - all.last().expect("the last").at_ms;
    all.iter_mut().for_each(|seen| seen.at_ms += later_ms);
    for batch in all.chunks(BATCH) {
        let body: Vec<Value> = batch.iter().map(body).collect();
        let answer = served.post(OBSERVATIONS, &json!({"observations": body}));
        assert_eq!(
            (answer.status, &answer.body["accepted"]),
            (200, &json!(batch.len())),
            "{:?}",
            answer.body
        );
    }
    drop(served);
    // It learns when it starts, and each hour.
    let served = serve(bench, &[]);
    eventually(|| served.get(PROFILING).body["in_force"] == "1");
    served
}

fn body(seen: &Observation) -> Value {
    let roles = seen.counts.iter().map(|(role, count)| (role.to_string(), json!(count)));
    json!({
        "at": Timestamp::from_millisecond(seen.at_ms).expect("a time").to_string(),
        "pod": seen.pod, "version": seen.version, "memory_bytes": seen.memory_bytes,
        "roles": roles.collect::<serde_json::Map<_, _>>(), "uptime_seconds": seen.uptime_ms.map(|ms| ms / 1000),
    })
}

#[test]
fn what_people_take_more_and_what_leaks_are_told() {
    let bench = Bench::new();
    // From the eleventh day on all takes three tenths more, and each hour of running adds 4 MB.
    let change = Change { day: 10, version: None, factor: 1.3 };
    let mut truth = Truth { changes: vec![change], days: 14, ripple_share: 0.0, ..Truth::usual() };
    truth.formula.hour_mb = 4.0;
    let served = learned(&bench, &truth);
    let found = asked(&bench, &served, &[]);
    let [more, leak] = grew(&found)[..] else { panic!("{found:#}") };
    near(number(more, "people take ", " % more than before"), 30.0, 3.0);
    near(number(leak, "each hour of running adds ", " MB"), 4.0 * 1.3, 0.5);
    let first = finding(&found, "grew", "capacity");
    let since = first["evidence"].as_str().expect("evidence");
    // Within a day after it began, four days and an hour ago.
    near(number(since, "since ", " days before its end"), 3.5, 0.6);
    assert_eq!((&found["counts"]["warning"], &found["sources"][2]["remarks"]), (&json!(2), &json!([])));
    let code = |least: &str| report(&bench, &["--server", &served.url, "--fail-on", least]).status.code();
    assert_eq!((code("warning"), code("critical")), (Some(1), Some(0)));

    // A week ago nobody took more than before.
    let week_ago = Timestamp::now() - SignedDuration::from_millis(7 * DAY_MS);
    let before = asked(&bench, &served, &["--as-of", &week_ago.to_string()]);
    assert_eq!(grew(&before), [leak], "{before:#}");

    let next = first["next"].as_str().expect("a command").strip_prefix("plimsoll ").expect("ours");
    let shown = Command::new(PLIMSOLL).args(next.split(' ')).current_dir(bench.folder.path()).output();
    let shown = said(&shown.expect("plimsoll starts"));
    assert!(shown.contains("participant_video"), "{next}: {shown}");
}

#[test]
fn of_an_app_that_is_as_it_was_nothing_is_told() {
    let bench = Bench::new();
    let served = learned(&bench, &Truth { days: 7, ..Truth::clean() });
    let found = asked(&bench, &served, &[]);
    assert_eq!((grew(&found), &found["sources"][2]["remarks"]), (vec![], &json!([])), "{found:#}");
}

/// A hundred reserve and come, and take ten times of what was foretold.
#[test]
fn projections_that_were_passed_are_told() {
    let bench = Bench::new();
    let served = [Arc::new(serve(&bench, &[]))];
    let start = Timestamp::now() + SignedDuration::from_secs(30);
    let one = json!({
        "title": "a pilot", "scheduled_time": start.to_string(), "expected_duration_minutes": 1,
        "expected_participants": 1, "features": {"video_chat": true},
    });
    let made = all_at_once(&served, 100, |_| one.clone());
    let refused = made.iter().find(|answer| answer.status != 201);
    assert!(refused.is_none(), "{refused:?}");
    let [served] = &served;
    let observe = |people: u64, memory_bytes: Option<u64>| {
        let seen = json!({
            "at": Timestamp::now().to_string(), "pod": "backend-0", "version": "1", "memory_bytes": memory_bytes,
            "roles": {"participant_video": people},
        });
        assert_eq!(served.post(OBSERVATIONS, &json!({"observations": [seen]})).status, 200);
    };
    // Memory that was not read scores nothing; what was promised until now is written down.
    observe(0, None);
    assert_eq!(grew(&asked(&bench, served, &[])), [""; 0]);
    // Each is held against what is used in its middle.
    let middle = start + SignedDuration::from_secs(30);
    while Timestamp::now() <= middle {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    // 100 MB and 15 MB for each were foretold.
    observe(100, Some(16_000_000_000));
    let found = asked(&bench, served, &[]);
    assert_eq!(grew(&found), ["100.0 % of projections were passed where 1 % may be"], "{found:#}");
    // The ten minutes under way are foretold too, by who is there.
    let evidence = &finding(&found, "grew", "capacity")["evidence"];
    assert_eq!(evidence, "101 projections, 90.0 % off on average");
}

#[test]
fn who_has_a_token_is_answered() {
    let bench = Bench::new();
    let made = Command::new(PLIMSOLL).args(["serve", "--new-token", "report", "--scope", "read"]).output();
    let made = made.expect("plimsoll starts");
    bench.file("tokens.yaml", &said(&made));
    bench.file("token", &String::from_utf8_lossy(&made.stderr));
    bench.file("other", "not-this-one");
    let served = serve(&bench, &["--tokens", &bench.path("tokens.yaml").display().to_string()]);
    let found = asked(&bench, &served, &["--server-token-file", "token"]);
    let remark = "nothing was observed yet: published values stand in";
    assert_eq!((grew(&found), &found["sources"][2]["remarks"]), (vec![], &json!([remark])));

    let check = |args: &[&str], expect: &str| {
        let output = report(&bench, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0), "{args:?}: {error}");
        assert!(error.contains(expect), "{args:?}: {error}");
    };
    let url = served.url.as_str();
    check(
        &["--server", url],
        &format!("{url}: no token\nname a file with a token that it knows by --server-token-file"),
    );
    check(&["--server", url, "--server-token-file", "other"], "nobody knows the token");
    check(&["--server", url, "--server-token-file", "gone"], "gone: ");
}

/// The store of `plimsoll serve`: what people take.
#[test]
fn what_people_take_is_asked_of_a_store() {
    let bench = Bench::new();
    let store = bench.path("capacity.db").display().to_string();
    let made = Command::new(PLIMSOLL)
        .args(["capacity", "--store", &store, "status"])
        .current_dir(bench.folder.path())
        .output();
    assert!(made.expect("plimsoll starts").status.success());
    let output = report(&bench, &["--server", &store, "-o", "json"]);
    let report: Value = serde_json::from_str(&said(&output)).expect("JSON");
    let capacity = &report["sources"][2];
    assert_eq!((&capacity["asked"], &capacity["from"]), (&true.into(), &store.into()));
    assert_eq!(capacity["remarks"][0], "nothing was observed yet: published values stand in");
}
