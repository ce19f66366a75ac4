//! What people take is learned from what is observed, and decided by.

use crate::common::PLIMSOLL;
use crate::served::{Served, in_hours};
use crate::{Place, ten};
use serde_json::{Value, json};

const OBSERVATIONS: &str = "/api/capacity/observations";
const PROFILING: &str = "/api/capacity/profiling";
/// Of an app that takes more than was published, in MB: its base, one with video, one without, an experimenter.
const TRUTH: (f64, f64, f64, f64) = (140.0, 20.0, 6.0, 30.0);

/// A day of it, each minute; people come and go, and nobody follows anybody else.
fn day() -> Vec<Value> {
    let start = jiff::Timestamp::now().as_second() - 86_400;
    let (base, video, no_video, experimenter) = TRUTH;
    let one = |minute: i64| {
        let wave = |hours: f64, most: f64| ((minute as f64 / 60.0 / hours).sin().abs() * most).round();
        let (with, without, leads) = (wave(1.3, 12.0), wave(0.7, 9.0), wave(2.9, 4.0));
        // What collecting garbage leaves behind, some 2 MB of it.
        let saw = (minute * 37 % 11) as f64 / 5.0;
        let mb = base + video * with + no_video * without + experimenter * leads + saw;
        json!({
            "at": jiff::Timestamp::from_second(start + 60 * minute).expect("a time").to_string(),
            "pod": "backend-0", "version": "2.0", "memory_bytes": (mb * 1e6) as u64,
            "uptime_seconds": 3_600 + 60 * minute,
            "roles": {"participant_video": with, "participant_no_video": without, "experimenter": leads}
        })
    };
    let whole = |mut it: Value| {
        for count in it["roles"].as_object_mut().expect("roles").values_mut() {
            *count = json!(count.as_f64().expect("a count") as u64);
        }
        it
    };
    (0..1_440).map(one).map(whole).collect()
}

#[test]
fn what_people_take_is_learned_from_what_was_observed() {
    let place = Place::new("");
    let served = place.serve(&[]);
    let before = served.get(PROFILING).body;
    assert_eq!(
        (&before["profiles"][0]["is_assumed"], &before["profiles"][0]["base"]["mb"]),
        (&json!(true), &json!(100.0))
    );
    let send = |served: &Served, all: &[Value]| served.post(OBSERVATIONS, &json!({"observations": all}));
    let day = day();
    let answer = send(&served, &day);
    assert_eq!((answer.status, &answer.body), (200, &json!({"accepted": 1_440, "known": 0})));
    // Sent again it changes nothing.
    assert_eq!(send(&served, &day[..10]).body, json!({"accepted": 0, "known": 10}));
    let mut bad = day[..2].to_vec();
    bad[1]["memory_bytes"] = json!(0);
    let answer = send(&served, &bad);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["detail"], "observations[1].memory_bytes: 0: no process uses nothing");
    let promised = served.post("/api/capacity/schedule", &ten(30));
    drop(served);
    // It learns when it starts, and each hour.
    let served = place.serve(&[]);
    plimsoll_real::eventually(|| served.get(PROFILING).body["in_force"] == "2.0");
    let profile = &served.get(PROFILING).body["profiles"][0];
    assert_eq!(
        (&profile["is_assumed"], &profile["observations"]),
        (&json!(false), &json!(1_440)),
        "{profile}"
    );
    let (base, video, no_video, experimenter) = TRUTH;
    for (role, truth) in
        [("participant_video", video), ("participant_no_video", no_video), ("experimenter", experimenter)]
    {
        let found = &profile["roles"][role];
        let mb = found["mb"].as_f64().expect("MB");
        assert!((mb - truth).abs() < 0.1 * truth && found["refused"].is_null(), "{role}: {found}");
    }
    // Nobody was an administrator: what was published stands in, and it is said why.
    let admin = &profile["roles"]["admin"];
    assert!(admin["mb"] == 30.0 && !admin["refused"].is_null(), "{admin}");
    let mut ask = std::process::Command::new(PLIMSOLL);
    let shown = ask
        .args(["capacity", "profiling", "--server", &served.url])
        .output()
        .expect("plimsoll starts")
        .stdout;
    assert!(String::from_utf8_lossy(&shown).contains("never seen"), "{}", String::from_utf8_lossy(&shown));
    let mb = profile["base"]["mb"].as_f64().expect("MB");
    assert!((mb - base).abs() < 0.1 * base, "{mb}");
    let projected = served.get("/api/capacity/project?participants=10&video=true&experimenters=2").body;
    let mb = projected["formula_mb"].as_f64().expect("MB");
    assert!((mb - 400.0).abs() < 30.0 && projected["profile"]["is_assumed"] == false, "{projected}");
    // Decisions go by it: what is needed for the same people is more than before on average, and less uncertain.
    let again = served.post("/api/capacity/schedule", &ten(40));
    let needed = |answer: &Value| answer["capacity_details"]["needed_bytes"].as_u64().expect("bytes");
    assert!(needed(&promised.body) > needed(&again.body), "{:?} {:?}", promised.body, again.body);
    assert!(needed(&again.body) > 190_000_000, "{:?}", again.body);
    assert_eq!(served.get("/api/capacity/status").body["profile"], "observed");
}

#[test]
fn what_is_changed_has_a_place_or_stays_as_it_was() {
    let place = Place::new(crate::CONFIG);
    let served = place.serve(&[]);
    let made = served.post("/api/capacity/schedule", &ten(30));
    assert_eq!(made.status, 201, "{:?}", made.body);
    let path = format!("/api/capacity/schedule/{}", made.body["reservation"]["id"].as_str().expect("an id"));
    let seen = served.get(&path);
    let put = |tag: Option<&str>, body: &Value| {
        let headers: Vec<(&str, &str)> = tag.map(|tag| ("if-match", tag)).into_iter().collect();
        served.ask("PUT", &path, &headers, Some(body.to_string()))
    };
    let mut later = ten(30);
    later["scheduled_time"] = json!(in_hours(31));
    later["expected_participants"] = json!(12);
    assert_eq!(put(None, &later).body["code"], "if-match-required");
    assert_eq!(put(Some("\"77\""), &later).body["code"], "changed");
    let changed = put(Some(&seen.etag), &later);
    assert_eq!(
        (changed.status, &changed.body["reservation"]["state"]),
        (200, &json!("confirmed")),
        "{:?}",
        changed.body
    );
    assert_ne!(changed.etag, seen.etag);
    let mut huge = later.clone();
    huge["expected_participants"] = json!(500);
    let refused = put(Some(&changed.etag), &huge);
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (409, &json!("capacity-exhausted")),
        "{:?}",
        refused.body
    );
    let kept = served.get(&path);
    assert_eq!((&kept.etag, &kept.body["roles"]["participant_video"]), (&changed.etag, &json!(12)));
}

#[test]
fn calendars_go_in_and_out() {
    let place = Place::new("capacity: {horizon_days: 400}");
    let served = place.serve(&[]);
    let calendar = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//a//b//EN",
        "BEGIN:VEVENT",
        "UID:course@example.org",
        "DTSTAMP:20261129T100000Z",
        "SUMMARY:Course\\, first half",
        "DTSTART;TZID=Europe/Berlin:20270322T090000",
        "DTEND;TZID=Europe/Berlin:20270322T103000",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "X-PLIMSOLL-COUNTS:participant_video=6,experimenter=1",
        "END:VEVENT",
        "BEGIN:VEVENT",
        "UID:nobody@example.org",
        "DTSTAMP:20261129T100000Z",
        "DTSTART:20270322T090000Z",
        "DTEND:20270322T100000Z",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    .join("\r\n");
    let import = || served.ask("POST", "/api/capacity/calendar", &[], Some(calendar.clone()));
    let first = import();
    let events = first.body["events"].as_array().expect("events").clone();
    assert_eq!(
        (events[0]["status"].as_u64(), events[1]["status"].as_u64()),
        (Some(201), Some(400)),
        "{:?}",
        first.body
    );
    assert_eq!(events[1]["answer"]["detail"], "nobody is expected");
    assert_eq!(import().body["events"][0], events[0], "what was imported before is answered as it was then");
    let feed = served.get("/api/capacity/calendar").body;
    let feed = feed.as_str().expect("a calendar");
    // Daylight saving begins between the two.
    for line in ["DTSTART:20270322T080000Z", "DTSTART:20270329T070000Z", "SUMMARY:Course\\, first half"] {
        assert!(feed.contains(line), "{line}: {feed}");
    }
    assert_eq!(feed.matches("BEGIN:VEVENT").count(), 2, "{feed}");
    let bad = served.ask("POST", "/api/capacity/calendar", &[], Some("BEGIN:VEVENT".to_string()));
    assert_eq!((bad.status, &bad.body["code"]), (400, &json!("invalid-request")), "{:?}", bad.body);
}

#[test]
fn status_counts_who_else_would_fit() {
    let place = Place::new(crate::CONFIG);
    let served = place.serve(&[]);
    let before = served.get("/api/capacity/status").body;
    let slots = |body: &Value, role: &str| body["available_slots"][role]["most"].as_u64().expect("a number");
    assert!(slots(&before, "participant_no_video") > slots(&before, "participant_video"), "{before}");
    assert_eq!(before["regions"][0]["available_rooms"], before["available_rooms"]);
    // Somebody is promised something from now on.
    let mut now = ten(0);
    let at = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 60).expect("a time");
    now["scheduled_time"] = json!(at.to_string());
    assert_eq!(served.post("/api/capacity/schedule", &now).status, 201);
    let after = served.get("/api/capacity/status").body;
    let less = slots(&before, "participant_video") - slots(&after, "participant_video");
    assert!((8..=14).contains(&less), "{before} {after}");
    // As many as are told fit, and one more does not.
    let fits = slots(&after, "participant_video");
    let ask = |count: u64| {
        let mut body = now.clone();
        body["expected_participants"] = json!(count);
        body["dry_run"] = json!(true);
        served.post("/api/capacity/schedule", &body).status
    };
    assert_eq!((ask(fits), ask(fits + 1)), (200, 409), "{after}");
    // Pod by pod it is the same.
    let pods = |body: &Value| body["pods"].as_array().expect("pods").clone();
    let in_pods = pods(&after).iter().map(|pod| slots_of(&pod["available_slots"])).sum::<u64>();
    assert_eq!(in_pods, fits, "{after}");
    let booked = |body: &Value| pods(body)[0]["booked_p50_bytes"].as_u64();
    assert_eq!((booked(&before), booked(&after)), (Some(0), Some(150_000_000)), "{after}");
}

fn slots_of(slots: &Value) -> u64 {
    slots["participant_video"].as_u64().expect("a number")
}
