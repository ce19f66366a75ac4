//! Metrics are what promtool takes and a real Prometheus reads; and observations beside what was expected.

use crate::pods::Pod;
use crate::served::{Served, in_hours};
use crate::{Place, SCHEDULE, ten};
use plimsoll_real::query::instant;
use plimsoll_real::{Server, eventually};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

const OBSERVATIONS: &str = "/api/capacity/observations";
const ACCURACY: &str = "/api/capacity/accuracy";

/// So many seconds ago, with so many experimenters, in a pod that takes as much as the published formula says and 5 MB more.
fn observation(pod: &str, seconds_ago: i64, experimenters: u64) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds_ago);
    json!({
        "at": at.to_string(), "pod": pod, "version": "2.0", "memory_bytes": (105 + 25 * experimenters) * 1_000_000,
        "roles": {"experimenter": experimenters, "participant_video": 0}, "uptime_seconds": 60,
    })
}

fn observe(served: &Served, all: &[Value]) {
    let answer = served.post(OBSERVATIONS, &json!({"observations": all}));
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

fn text(served: &Served) -> String {
    served.get("/metrics").body.as_str().expect("text").to_string()
}

/// What promtool says of a text. It reads what was before OpenMetrics, where a counter's help has the suffix of its samples.
fn promtool(text: &str) -> String {
    let counters = ["decisions", "requests"].map(|name| format!("plimsoll_capacity_{name} "));
    let text = counters.iter().fold(text.to_string(), |text, name| {
        text.replace(&format!("# HELP {name}"), &format!("# HELP {}_total ", name.trim_end()))
            .replace(&format!("# TYPE {name}"), &format!("# TYPE {}_total ", name.trim_end()))
    });
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool\ninstall it with make tools");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).to_string() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn metrics_are_what_promtool_takes() {
    let place = Place::new("");
    let served = place.serve(&[]);
    let mut later = ten(2);
    later["experiment_id"] = json!("e-7");
    assert_eq!(served.post(SCHEDULE, &later).status, 201);
    assert_eq!(served.post(SCHEDULE, &json!({"roles": {"nobody": 1}})).status, 400);
    observe(&served, &[observation("backend-0", 20, 2), observation("backend-1", 20, 1)]);
    let text = text(&served);
    assert!(text.ends_with("# EOF\n"), "{text}");
    let ours: String = text
        .lines()
        .filter(|line| !line.contains("hyperstudy_"))
        .fold(String::new(), |all, line| all + line + "\n");
    assert_eq!(promtool(&ours), "", "{ours}");
    // Names of the plan have units that are none of Prometheus'; nothing else is wrong with them.
    let said = promtool(&text);
    assert!(said.lines().all(|line| line.contains("hyperstudy_") && line.contains("unit")), "{said}");
    for line in [
        "plimsoll_capacity_total_bytes 4368709120",
        "plimsoll_capacity_used_bytes 285000000",
        "plimsoll_capacity_people{role=\"experimenter\"} 3",
        "plimsoll_capacity_observed_pods 2",
        "plimsoll_capacity_reservations{state=\"confirmed\"} 1",
        "plimsoll_capacity_decisions_total{outcome=\"reserved\"} 1",
        "plimsoll_capacity_requests_total{route=\"/api/capacity/schedule\",method=\"POST\",status=\"400\"} 1",
        "plimsoll_capacity_request_duration_seconds_count{route=\"/api/capacity/observations\"} 1",
        "plimsoll_capacity_profile_base_bytes 100000000",
        "plimsoll_capacity_profile_role_bytes{role=\"admin\"} 30000000",
        "hyperstudy_backend_memory_per_user_mb{role=\"participant\",video_enabled=\"true\",pod_name=\"backend-0\",by=\"plimsoll\"} 15.0",
        "hyperstudy_experiment_memory_projection_mb{experiment_id=\"e-7\",pod_type=\"backend\",by=\"plimsoll\"} 150.0",
        "hyperstudy_active_users_online{role=\"experimenter\",by=\"plimsoll\"} 3",
        "hyperstudy_active_participants{by=\"plimsoll\"} 0",
        "hyperstudy_total_participants{by=\"plimsoll\"} 0",
        "hyperstudy_active_experiments{by=\"plimsoll\"} 0",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    for absent in ["hyperstudy_frontend", "hyperstudy_router"] {
        assert!(!text.contains(absent), "what is not known is not shown: {text}");
    }
}

/// The only value of a query.
fn value(prometheus: &Server, query: &str) -> Option<f64> {
    let found = instant(prometheus, query, jiff::Timestamp::now().as_second());
    match &found[..] {
        [(_, value)] => Some(*value),
        _ => None,
    }
}

#[test]
fn a_prometheus_reads_our_metrics_and_we_do_not_take_them_for_an_app() {
    let place = Place::new("");
    let (entry, token) = place.token("prometheus", "read");
    let file = place.folder.path().join("tokens.yaml");
    std::fs::write(&file, json!({"tokens": [entry]}).to_string()).expect("tokens");
    let shown = place.serve(&["--tokens", &file.display().to_string()]);
    assert_eq!(shown.get("/metrics").status, 401);
    let port = shown.url.rsplit(':').next().expect("a port");
    let job = format!(
        "  - job_name: plimsoll\n    authorization: {{credentials: {token}}}\n    static_configs: [{{targets: ['127.0.0.1:{port}'], labels: {{pod: plimsoll-0}}}}]\n"
    );
    let pod = Pod::serve(&Pod::page(200, 12, 2));
    let folder = tempfile::tempdir().expect("a folder");
    let prometheus = Pod::collected(folder.path(), &[(&pod, "backend-0")], &[job]);
    let config = format!("capacity: {{observe: {{prometheus: '{}', every: 1s}}}}", prometheus.url);
    let observer = Served::start(&place.sqlite(), &Place::new(&config).config(), &[]);
    let aliased = "hyperstudy_active_users_online{by=\"plimsoll\",role=\"participant_video\"}";
    eventually(|| value(&prometheus, aliased) == Some(12.0));
    assert_eq!(value(&prometheus, "plimsoll_capacity_used_bytes"), Some(2e8));
    let buckets = "sum(plimsoll_capacity_request_duration_seconds_bucket{route=\"/metrics\",le=\"+Inf\"})";
    eventually(|| value(&prometheus, buckets).is_some_and(|count| count >= 1.0));
    // What we have said of the app is not what the app says.
    let used = observer.get("/api/capacity/status").body["used"].clone();
    assert_eq!(
        (used["pods"].as_array().map(Vec::len), &used["memory_mb"]),
        (Some(1), &json!(200.0)),
        "{used}"
    );
}

#[test]
fn projections_are_held_against_what_was_used() {
    let place = Place::new("");
    let served = place.serve(&[]);
    let empty = served.get(ACCURACY).body;
    assert_eq!(empty, json!({"summary": null, "foretold": null, "open": 0, "missed": 0, "scored": []}));
    assert_eq!(served.get("/api/capacity/profiling").body["accuracy"], Value::Null);
    let made = served.post(SCHEDULE, &ten(30));
    let id = made.body["reservation"]["id"].as_str().expect("an id");
    observe(&served, &[observation("backend-0", 20, 2), observation("backend-1", 20, 1)]);
    let mut asked = Command::new(crate::common::PLIMSOLL);
    let said = asked.args(["capacity", "status", "--server", &served.url]).output().expect("plimsoll runs");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("backend-1") && said.contains("130 MB  1 experimenter"), "{said}");
    let accuracy = served.get(ACCURACY).body;
    // The reservation, and the next hour.
    assert_eq!(accuracy["open"], 2, "{accuracy}");
    let scored = &accuracy["scored"][0];
    assert_eq!(
        (&scored["used_mb"], &scored["p50_mb"], &scored["as_asked"]),
        (&json!(285.0), &json!(275.0), &json!(true)),
        "{scored}"
    );
    assert!(scored["id"].as_str().is_some_and(|id| id.starts_with("step:")), "{scored}");
    let summary = &accuracy["summary"];
    let near = |key: &str, expect: f64| {
        let found = summary[key].as_f64().expect("a number");
        assert!((found - expect).abs() < 1e-9, "{key}: {summary}");
    };
    near("error_share", 10.0 / 285.0);
    near("bias_mb", -10.0);
    near("covered_p95_share", 1.0);
    near("breach_share", 0.0);
    assert_eq!(summary["projections"], 1);
    assert_eq!(served.get("/api/capacity/profiling").body["accuracy"], *summary);
    // What is yet to come scores nothing.
    observe(&served, &[observation("backend-0", -86_400, 9)]);
    let again = served.get(ACCURACY).body;
    assert_eq!((&again["scored"], &again["missed"]), (&accuracy["scored"], &json!(0)), "{again}");
    // What is cancelled is taken back.
    assert_eq!(served.ask("DELETE", &format!("{SCHEDULE}/{id}"), &[], None).status, 200);
    observe(&served, &[observation("backend-0", 0, 2)]);
    assert_eq!(served.get(ACCURACY).body["open"], 1);
}

#[test]
fn observations_stand_beside_what_was_expected() {
    let place = Place::new("");
    let served = place.serve(&[]);
    let all: Vec<Value> =
        (0..90).rev().map(|minute| observation("backend-0", 60 * minute, (minute % 4) as u64)).collect();
    observe(&served, &all);
    observe(&served, &[observation("backend-1", 30, 1)]);
    let get = |query: &str| served.get(&format!("/api/capacity/profiling/data?{query}"));
    let points = get("hours=1&pod=backend-0").body;
    let points = points["points"].as_array().expect("points");
    assert!((58..=61).contains(&points.len()), "{}", points.len());
    for point in points {
        let count = point["roles"]["experimenter"].as_f64().expect("a count");
        let (memory, expected, p95) = (&point["memory_mb"], &point["expected_mb"], &point["p95_mb"]);
        assert_eq!(
            (memory.as_f64(), expected.as_f64()),
            (Some(105.0 + 25.0 * count), Some(100.0 + 25.0 * count))
        );
        assert!(p95.as_f64() > expected.as_f64(), "{point}");
    }
    assert_eq!(get("").body["points"].as_array().map(Vec::len), Some(91));
    assert_eq!(get("hours=672&pod=nobody").body["points"], json!([]));
    for query in ["hours=0", "hours=673", "hours=x", "days=1"] {
        assert_eq!(get(query).status, 400, "{query}");
    }
    assert!(served.get(&format!("{SCHEDULE}?from={}", in_hours(1))).status == 200);
}
