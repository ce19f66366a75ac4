//! The API of capacity: the built binary, with SQLite and with a real PostgreSQL.

mod command_line;
#[path = "../common/mod.rs"]
mod common;
mod ending;
mod kept;
mod kubernetes;
mod learned;
mod local;
mod measured;
mod observed;
mod page;
mod pods;
mod served;
mod storm;

use plimsoll_real::postgres::Postgres;
use serde_json::{Value, json};
use served::{Served, all_at_once, in_hours};
use std::path::PathBuf;
use std::sync::Arc;

const SCHEDULE: &str = "/api/capacity/schedule";

/// One pod of 300 MB beside its base of 100 MB, in which what people take is certain enough.
const CONFIG: &str = "capacity:\n  pod_limit: 400M\n  regions:\n  - {name: '', pods: 1, most_pods: 1}\n";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(config: &str) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("plimsoll.yaml"), config).expect("a configuration");
        Place { folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("plimsoll.yaml")
    }

    fn sqlite(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("capacity.db").display())
    }

    /// A token of this name and scope: its entry in the file, and itself.
    fn token(&self, name: &str, scope: &str) -> (Value, String) {
        let output = std::process::Command::new(common::PLIMSOLL)
            .args(["serve", "--new-token", name, "--scope", scope])
            .output()
            .expect("plimsoll starts");
        let entry =
            String::from_utf8(output.stdout).expect("text").trim().trim_start_matches("tokens: ").to_string();
        let entry: Value = serde_json::from_str(&entry).expect("JSON");
        (entry[0].clone(), String::from_utf8(output.stderr).expect("text").trim().to_string())
    }

    fn serve(&self, more: &[&str]) -> Served {
        Served::start(&self.sqlite(), &self.config(), more)
    }
}

/// Ten with video for an hour, as many as one pod holds: 150 MB, and no room for a second.
fn ten(hours: u64) -> Value {
    json!({
        "title": "a pilot", "scheduled_time": in_hours(hours), "expected_duration_minutes": 60,
        "expected_participants": 10, "features": {"video_chat": true},
    })
}

#[test]
fn the_published_examples_are_projected() {
    let place = Place::new("");
    let served = place.serve(&[]);
    let check = |query: &str, expect_mb: f64| {
        let answer = served.get(&format!("/api/capacity/project?{query}"));
        assert_eq!(
            (answer.status, &answer.body["formula_mb"]),
            (200, &json!(expect_mb)),
            "{:?}",
            answer.body
        );
        let p = |key: &str| answer.body["memory_bytes"][key].as_u64().expect("bytes");
        assert!(p("p50") < p("p95") && p("p95") < p("p99"), "{:?}", answer.body);
    };
    check("participants=5&experimenters=1", 165.0);
    check("participants=10&video=true&experimenters=2", 300.0);
    check("participants=20&video=true&experimenters=3", 475.0);
    let one = json!({"roles": {"participant_no_video": 5, "experimenter": 1}});
    let batch = json!({"experiments": vec![one.clone(); 1_000]});
    let answer = served.post("/api/capacity/project", &batch);
    assert_eq!(answer.body["projections"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(answer.body["projections"][999]["formula_mb"], 165.0);
    let answer = served.post("/api/capacity/project", &json!({"experiments": vec![one; 1_001]}));
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("invalid-request")));
}

#[test]
fn of_many_who_ask_at_once_as_many_are_promised_as_fit() {
    let check = |store: &str, place: &Place| {
        let replicas = [(); 2].map(|()| Arc::new(Served::start(store, &place.config(), &[])));
        // Two fit at each hour, and four hours are asked for, by sixty.
        let answers = all_at_once(&replicas, 60, |index| ten(30 + 3 * (index as u64 % 4)));
        let promised = answers.iter().filter(|it| it.status == 201).count();
        let refused = answers.iter().filter(|it| it.status == 409).count();
        assert_eq!(promised + refused, 60, "{answers:?}");
        let list = replicas[0].get(&format!("{SCHEDULE}?state=confirmed")).body;
        let list = list["reservations"].as_array().expect("a list").clone();
        assert_eq!(list.len(), promised, "what was answered is what is kept");
        let mut per_hour = std::collections::BTreeMap::new();
        for one in &list {
            *per_hour.entry(one["scheduled"]["start"].to_string()).or_insert(0) += 1;
        }
        let alone = replicas[0].post(
            SCHEDULE,
            &json!({"dry_run": true, "scheduled_time": in_hours(60),
            "expected_duration_minutes": 60, "expected_participants": 20, "features": {"video_chat": true}}),
        );
        let most = if alone.status == 200 { 2 } else { 1 };
        assert!(
            per_hour.len() == 4 && per_hour.values().all(|count| *count == most),
            "{per_hour:?} of {most}"
        );
        let why = answers.iter().find(|it| it.status == 409).expect("one that is refused");
        let explain = &why.body["explain"];
        assert_eq!(explain["binds"], "memory", "{why:?}");
        assert!(explain["earliest_free_slot"]["start"].is_string(), "{why:?}");
        assert_eq!(explain["held_by_count"], most, "{why:?}");
    };
    let place = Place::new(CONFIG);
    check(&place.sqlite(), &place);
    let postgres = Postgres::start();
    check(&postgres.url, &place);
}

#[test]
fn a_request_that_is_sent_again_is_answered_again() {
    let place = Place::new(CONFIG);
    let mut served = place.serve(&[]);
    let send = |served: &Served, body: &Value| {
        served.ask("POST", SCHEDULE, &[("idempotency-key", "k1")], Some(body.to_string()))
    };
    let first = send(&served, &ten(30));
    assert_eq!((first.status, &first.body["reserved"]), (201, &json!(true)), "{:?}", first.body);
    assert_eq!(first.body["reservation"]["state"], "confirmed");
    served.kill();
    let served = place.serve(&[]);
    let again = send(&served, &ten(30));
    assert_eq!((again.status, again.body), (201, first.body), "after kill -9, too");
    let other = send(&served, &ten(33));
    assert_eq!((other.status, &other.body["code"]), (422, &json!("key-reused")));
    assert_eq!(served.get(SCHEDULE).body["reservations"].as_array().map(Vec::len), Some(1));
}

#[test]
fn who_waits_is_promised_what_becomes_free_and_events_tell_it() {
    let place = Place::new(CONFIG);
    let served = place.serve(&[]);
    let people = |count: u64, more: Value| {
        let mut body = ten(30);
        body["expected_participants"] = json!(count);
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        served.post(SCHEDULE, &body)
    };
    let first = people(12, json!({}));
    assert_eq!(first.status, 201, "{:?}", first.body);
    let second = people(12, json!({"may_wait": true}));
    assert_eq!((second.status, &second.body["reservation"]["state"]), (202, &json!("waitlisted")));
    let id = |answer: &served::Answer| answer.body["reservation"]["id"].as_str().expect("an id").to_string();
    let (first, second) = (id(&first), id(&second));
    let path = |id: &str| format!("{SCHEDULE}/{id}");
    let seen = served.get(&path(&first));
    let stale = served.ask("DELETE", &path(&first), &[("if-match", "\"99\"")], None);
    assert_eq!((stale.status, &stale.body["code"]), (412, &json!("changed")));
    let gone = served.ask("DELETE", &path(&first), &[("if-match", &seen.etag)], None);
    assert_eq!((gone.status, &gone.body["state"]), (200, &json!("cancelled")), "{:?}", gone.body);
    assert_eq!(served.get(&path(&second)).body["state"], "confirmed");
    let twice = served.ask("DELETE", &path(&first), &[], None);
    assert_eq!((twice.status, &twice.body["code"]), (409, &json!("wrong-state")));
    let told: Vec<(i64, String, Value)> = served
        .events(0, 4)
        .into_iter()
        .map(|(number, event)| {
            (number, event["subject"].as_str().unwrap_or_default().into(), event["about"]["to"].clone())
        })
        .collect();
    let expect = [
        (1, &first, "confirmed"),
        (2, &second, "waitlisted"),
        (3, &first, "cancelled"),
        (4, &second, "confirmed"),
    ];
    assert_eq!(told, expect.map(|(number, id, to)| (number, id.clone(), json!(to))));
    // Whoever was away reads on where they stopped.
    assert_eq!(served.events(3, 1)[0].0, 4);
    // A hold is confirmed once.
    let held = people(1, json!({"hold_minutes": 5}));
    assert_eq!(
        (held.status, &held.body["reservation"]["state"]),
        (201, &json!("requested")),
        "{:?}",
        held.body
    );
    let confirm = format!("{}/confirm", path(&id(&held)));
    assert_eq!(served.ask("POST", &confirm, &[], None).body["state"], "confirmed");
    assert_eq!(served.ask("POST", &confirm, &[], None).status, 409);
}

#[test]
fn what_recurs_keeps_to_the_clock_on_the_wall_and_is_reserved_whole() {
    let place = Place::new("capacity: {horizon_days: 400}");
    let served = place.serve(&[]);
    let body = json!({
        "title": "weekly", "scheduled_time": "2027-03-15T09:00:00", "time_zone": "Europe/Berlin",
        "expected_duration_minutes": 60, "expected_participants": 5, "recurrence": "FREQ=WEEKLY;COUNT=3",
    });
    let answer = served.post(SCHEDULE, &body);
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    let starts: Vec<&str> = answer.body["occurrences"]
        .as_array()
        .expect("occurrences")
        .iter()
        .map(|it| it["scheduled"]["start"].as_str().expect("a time"))
        .collect();
    assert_eq!(starts, ["2027-03-15T08:00:00Z", "2027-03-22T08:00:00Z", "2027-03-29T07:00:00Z"]);
    let series = answer.body["reservation"]["series_id"].as_str().expect("a series");
    let list = served.get(&format!("{SCHEDULE}?series_id={series}&limit=2")).body;
    assert_eq!(list["reservations"].as_array().map(Vec::len), Some(2));
    let next = list["next"].as_str().expect("a next page");
    let list = served.get(&format!("{SCHEDULE}?series_id={series}&cursor={next}")).body;
    assert_eq!(list["reservations"].as_array().map(Vec::len), Some(1), "{list}");
    // Cancelled as a whole, what is still to come of it, and once.
    let one = list["reservations"][0]["id"].as_str().expect("an id");
    assert_eq!(served.ask("DELETE", &format!("{SCHEDULE}/{one}"), &[], None).status, 200);
    let cancel = || served.ask("DELETE", &format!("/api/capacity/series/{series}"), &[], None);
    let cancelled = cancel();
    let states: Vec<&Value> =
        cancelled.body["reservations"].as_array().expect("a list").iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["cancelled", "cancelled"], "{:?}", cancelled.body);
    assert_eq!(cancel().body["code"], "not-found");
    assert_eq!(served.get(&format!("{SCHEDULE}?state=confirmed")).body["reservations"], json!([]));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let place = Place::new("");
    let served = place.serve(&[]);
    let check = |change: Value, expect: &str| {
        let mut body = ten(30);
        for (key, value) in change.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let answer = served.post(SCHEDULE, &body);
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (400, &json!("invalid-request")),
            "{change}: {:?}",
            answer.body
        );
        assert!(detail.contains(expect), "{change}: {detail}");
        assert!(answer.body["next"].as_str().is_some_and(|next| !next.is_empty()), "{:?}", answer.body);
    };
    check(json!({"expected_duration_minutes": 0}), "it would take 0 minutes");
    check(json!({"end": in_hours(31)}), "its length is not clear");
    check(json!({"expected_participants": 0}), "nobody is expected");
    check(json!({"roles": {"Admin": 1}}), "role \"Admin\": not a name");
    check(json!({"roles": {"pilot": 1}}), "role \"pilot\" has no known memory");
    check(json!({"scheduled_time": "tomorrow"}), "start: 'tomorrow' is no time");
    check(json!({"time_zone": "Mars/Base"}), "time_zone: ");
    check(json!({"recurrence": "FREQ=HOURLY"}), "recurrence: ");
    check(json!({"recurrence": "FREQ=DAILY"}), "goes on beyond the 90 days");
    // A hundred years are refused, not expanded.
    check(json!({"recurrence": "FREQ=DAILY;UNTIL=21261201T000000Z"}), "goes on beyond the 90 days");
    check(json!({"recurrence": "FREQ=DAILY;COUNT=36500"}), "not a number from 1 to 10000");
    check(json!({"risk": 0.9}), "risk: ");
    check(json!({"participants": 5}), "unknown field `participants`");
    let past = served.post(SCHEDULE, &json!({"scheduled_time": "2020-01-01T00:00:00Z", "expected_duration_minutes": 5, "expected_participants": 1}));
    assert_eq!((past.status, &past.body["explain"]["binds"]), (409, &json!("past")), "{:?}", past.body);
    let long = served.ask("POST", SCHEDULE, &[], Some(" ".repeat((1 << 20) + 1)));
    assert_eq!((long.status, &long.body["code"]), (413, &json!("too-large")));
    assert_eq!(served.get("/api/capacity/nothing").body["code"], "not-found");
    assert_eq!(served.ask("PATCH", SCHEDULE, &[], None).body["code"], "method-not-allowed");
}

#[test]
fn who_has_no_token_is_not_let_in_and_who_has_one_may_what_it_says() {
    let place = Place::new(CONFIG);
    let made = |name: &str, scope: &str| place.token(name, scope);
    let all = [made("reader", "read"), made("ann", "reserve"), made("bob", "reserve"), made("root", "admin")];
    let entries: Vec<&Value> = all.iter().map(|(entry, _)| entry).collect();
    let file = place.folder.path().join("tokens.yaml");
    std::fs::write(&file, json!({"tokens": entries}).to_string()).expect("tokens");
    let file = file.display().to_string();
    let mut served = place.serve(&["--tokens", &file]);
    assert_eq!(served.get(SCHEDULE).status, 401);
    assert_eq!(served.get("/healthz").status, 200);
    let [reader, ann, bob, root] = all.map(|(_, token)| token);
    served = served.with(Some(&reader));
    assert_eq!(served.get(SCHEDULE).status, 200);
    assert_eq!(served.post(SCHEDULE, &ten(30)).status, 403);
    served = served.with(Some(&ann));
    let mine = served.post(SCHEDULE, &ten(30));
    assert_eq!((mine.status, &mine.body["reservation"]["owner"]), (201, &json!("ann")), "{:?}", mine.body);
    let mut for_bob = ten(30);
    for_bob["owner"] = json!("bob");
    assert_eq!(served.post(SCHEDULE, &for_bob).status, 403);
    let path = format!("{SCHEDULE}/{}", mine.body["reservation"]["id"].as_str().expect("an id"));
    served = served.with(Some(&bob));
    assert_eq!(served.ask("DELETE", &path, &[], None).status, 403);
    served = served.with(Some(&root));
    assert_eq!(served.ask("DELETE", &path, &[], None).status, 200);
    let deeds = served.get("/api/capacity/audit").body;
    let deed = |index: usize| (deeds["deeds"][index]["who"].clone(), deeds["deeds"][index]["what"].clone());
    assert_eq!(
        [deed(0), deed(1)],
        [(json!("root"), json!("cancel")), (json!("ann"), json!("reserve"))],
        "{deeds}"
    );
    assert!(deeds["deeds"][2].is_null(), "what was refused was not done: {deeds}");
    served = served.with(Some(&ann));
    assert_eq!(served.get("/api/capacity/audit").status, 403);
    let open = std::process::Command::new(common::PLIMSOLL).args(["serve", "--listen", "0.0.0.0:0"]).output();
    let open = open.expect("plimsoll starts");
    let said = String::from_utf8_lossy(&open.stderr).to_string();
    assert!(
        open.status.code() == Some(125) && said.contains("give --tokens FILE, or listen on 127.0.0.1"),
        "{said}"
    );
}

#[test]
fn when_there_is_less_the_latest_gives_way_and_comes_back() {
    let place = Place::new("capacity: {pod_limit: 400M, regions: [{pods: 1, most_pods: 2}]}");
    let mut served = place.serve(&[]);
    let made: Vec<String> = (0..2)
        .map(|_| {
            let answer = served.post(SCHEDULE, &ten(30));
            assert_eq!(answer.status, 201, "{:?}", answer.body);
            std::thread::sleep(std::time::Duration::from_millis(5));
            answer.body["reservation"]["id"].as_str().expect("an id").to_string()
        })
        .collect();
    served.kill();
    let states = |served: &Served, expect: [&str; 2]| {
        plimsoll_real::eventually(|| {
            let state = |id: &String| served.get(&format!("{SCHEDULE}/{id}")).body["state"].clone();
            [state(&made[0]), state(&made[1])] == expect.map(|it| json!(it))
        });
    };
    let smaller = Place::new("capacity: {pod_limit: 360M, regions: [{pods: 1, most_pods: 1}]}");
    let narrow = Served::start(&place.sqlite(), &smaller.config(), &[]);
    states(&narrow, ["confirmed", "degraded"]);
    drop(narrow);
    let served = place.serve(&[]);
    states(&served, ["confirmed", "confirmed"]);
}

#[test]
fn the_api_is_documented_and_its_document_is_whole() {
    let place = Place::new("");
    let served = place.serve(&[]);
    let document = served.get("/openapi.json").body;
    assert!(document["openapi"].as_str().is_some_and(|it| it.starts_with("3.1")), "{}", document["openapi"]);
    for path in ["/api/capacity/status", "/api/capacity/project", SCHEDULE, "/api/capacity/events"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let refused = &document["paths"][SCHEDULE]["post"]["responses"]["409"]["content"];
    assert!(
        refused["application/problem+json"].is_object() && refused["application/json"].is_null(),
        "{refused}"
    );
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("a pointer");
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    for (path, operation) in document["paths"].as_object().expect("paths") {
        for parameter in operation["get"]["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            assert_eq!(
                parameter["in"] == "path",
                path.contains(&format!("{{{name}}}")),
                "{path}: {parameter}"
            );
        }
    }
    assert!(
        !text.contains("\"format\":\"int32\",\"minimum\":0"),
        "what is never below 0 has its own highest"
    );
    let page = served.get("/docs").body.as_str().expect("a page").to_string();
    assert!(page.contains("id=\"capacity-exhausted\"") && page.contains("/api/capacity/schedule"), "{page}");
    let status = served.get("/api/capacity/status").body;
    assert_eq!(status["profile"], "assumed", "{status}");
    assert_eq!(served.get("/readyz").status, 200);
}
