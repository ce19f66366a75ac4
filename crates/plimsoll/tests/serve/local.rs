//! What this machine remembers of builds and plans is shown by the service as by `plimsoll jobs` and `plimsoll history --local`.

use crate::Place;
use crate::common::PLIMSOLL;
use plimsoll::store::plans::Plans;
use plimsoll_cluster::access::Address;
use plimsoll_core::inventory::Inventory;
use plimsoll_core::plan::planner::{Settings, plan};
use plimsoll_core::plan::{Budget, Totals};
use plimsoll_core::rollout::{Journal, Phase};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// 2026-11-01T00:00:00Z
const NOVEMBER_MS: i64 = 1_793_491_200_000;

/// Runs a build that is remembered there.
fn build(store: &Path, job: &str, command: &str) {
    let mut run = Command::new(PLIMSOLL);
    run.args(["run", "--job", job, "--store"]).arg(store).args(["--", "sh", "-c", command]);
    let ended = run.output().expect("plimsoll starts");
    assert!(ended.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Has the machine remember a plan as it stood when it was carried out.
fn carried_out(store: &Path, id: &str, made_ms: i64, phase: Option<Phase>) {
    let nothing = Inventory::default();
    let budget = Budget::default();
    let settings = Settings { id: id.into(), parent: None, made_ms, evidence_ms: made_ms, way: None, budget };
    let mut plan = plan(&nothing, &[], &settings);
    plan.totals = Totals { request_before_bytes: 4 << 30, request_after_bytes: 1 << 30, ..Totals::default() };
    let mut journal = Journal::begin(plan, &nothing, made_ms);
    journal.phase = phase.unwrap_or(journal.phase);
    let address = Address { server: "https://one:6443".into(), authority: None };
    Plans::of(store).keep(&address, 1, &journal).expect("a place for it");
}

#[test]
fn builds_and_plans_of_this_machine_are_shown_the_latest_first() {
    let place = Place::new("");
    let store = place.folder.path().join("store");
    let state = ["--state", store.to_str().expect("text")];
    let served = place.serve(&state);
    assert_eq!(served.get("/api/builds").body, json!({"builds": []}), "there is no store yet");
    assert_eq!(served.get("/api/plans").body, json!({"plans": []}));

    build(&store, "first", "exit 0");
    build(&store, "second", "exit 1");
    build(&store, "first", "exit 0");
    carried_out(&store, "old", NOVEMBER_MS, Some(Phase::Applied { at_ms: NOVEMBER_MS + 1 }));
    carried_out(&store, "new", NOVEMBER_MS + 60_000, None);

    let builds = served.get("/api/builds").body;
    let shown = |index: usize| {
        let build = &builds["builds"][index];
        (build["job"].clone(), build["runs"].clone(), build["last"].clone())
    };
    assert_eq!(shown(0), (json!("first"), json!(2), json!("succeeded")), "{builds}");
    assert_eq!(shown(1), (json!("second"), json!(1), json!("failed")), "{builds}");
    let first = &builds["builds"][0];
    assert!(first["last_at"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()), "{first}");
    let jobs = Command::new(PLIMSOLL).args(["jobs", "--output", "json", "--store"]).arg(&store).output();
    let jobs: Value = serde_json::from_slice(&jobs.expect("plimsoll starts").stdout).expect("JSON");
    for key in ["project", "job", "command", "runs", "mode", "peak_bytes", "request_bytes", "limit_bytes"] {
        assert_eq!(first[key], jobs[0][key], "{key}");
    }
    let metrics = served.get("/metrics").body.as_str().expect("text").to_string();
    let shows = |name: &str, job: &str, more: &str, value: &str| {
        let begins = format!("plimsoll_build_{name}{{project=");
        let ends = format!("job_name=\"{job}\"{more}}} {value}");
        assert!(
            metrics.lines().any(|it| it.starts_with(&begins) && it.ends_with(&ends)),
            "{begins} {ends}\n{metrics}"
        );
    };
    shows("runs", "first", ",outcome=\"succeeded\"", "2");
    shows("runs", "second", ",outcome=\"failed\"", "1");
    shows("attempts", "first", "", "2");
    shows("rescued_runs", "first", "", "0");
    assert!(metrics.contains("plimsoll_build_last_duration_seconds{"), "{metrics}");
    let plan = |id: &str, made_at: &str, state: &str| {
        json!({"id": id, "made_at": made_at, "state": state, "workloads": 0,
               "requested_before_bytes": 4_u64 << 30, "requested_after_bytes": 1_u64 << 30})
    };
    let expect =
        [plan("new", "2026-11-01T00:01:00Z", "applying"), plan("old", "2026-11-01T00:00:00Z", "applied")];
    assert_eq!(served.get("/api/plans").body, json!({"plans": expect}));

    let document = served.get("/openapi.json").body;
    assert!(document["paths"]["/api/builds"].is_object() && document["paths"]["/api/plans"].is_object());
    assert!(document["components"]["schemas"]["BuildView"].is_object(), "{document}");
}

#[test]
fn a_store_that_is_none_is_said_to_be_unreadable() {
    let place = Place::new("");
    let store = place.folder.path().join("store");
    std::fs::create_dir(&store).expect("a folder");
    std::fs::write(store.join("jobs"), "no folder").expect("a file");
    let served = place.serve(&["--state", store.to_str().expect("text")]);
    let answer = served.get("/api/builds");
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("unavailable")), "{:?}", answer.body);
    assert!(!answer.body.to_string().contains(place.folder.path().to_str().expect("text")));
}
