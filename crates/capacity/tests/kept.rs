//! What is kept, in a file of SQLite's and in a real PostgreSQL: the same tests for both.

use plimsoll_capacity::{Answer, Database, Filter, Kind, StepDone, StoreError};
use plimsoll_core::capacity::booking::demand::Risk;
use plimsoll_core::capacity::booking::reservation::{Event, Features, Reservation, State};
use plimsoll_core::capacity::booking::span::{HOUR_MS, Margins, Span};
use plimsoll_core::capacity::booking::timeline::{Outcome, Step};
use plimsoll_core::capacity::formula::observation::Observation;
use plimsoll_core::capacity::roles::Counts;
use plimsoll_real::postgres::Postgres;
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;
use tokio::task::JoinSet;

/// So many ask for one place at the same time.
const RIVALS: usize = 40;

/// Runs a test with two replicas on a new SQLite and on a new PostgreSQL.
fn on_both<F: Future<Output = ()>>(test: impl Fn(Database, Database) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let file = format!("sqlite:{}", folder.path().join("capacity.db").display());
        let postgres = Postgres::start();
        for url in [&file, &postgres.url] {
            // Both make the tables, or find them.
            let (one, other) = tokio::join!(Database::open(url), Database::open(url));
            let (one, other) = (one.expect("a database"), other.expect("a database"));
            test(one.clone(), other.clone()).await;
            one.close().await;
            other.close().await;
        }
    });
}

fn reservation(id: &str, start_hour: i64) -> Reservation {
    let span = Span { start_ms: start_hour * HOUR_MS, end_ms: (start_hour + 1) * HOUR_MS };
    Reservation {
        id: id.to_string(),
        owner: "ann".to_string(),
        title: "a pilot".to_string(),
        experiment_id: None,
        span,
        margins: Margins { lead_ms: 0, tail_ms: 0 },
        occurrence: None,
        counts: Counts::default(),
        rooms: 1,
        region: None,
        features: Features::default(),
        risk: Risk::DEFAULT,
        state: State::Requested,
        revision: 0,
        created_ms: 0,
        changed_ms: 0,
        confirmed_ms: None,
        hold_until_ms: None,
        placement: Vec::new(),
    }
}

/// Takes the one place there is, if nobody has it.
async fn take_last(database: Database, id: String) -> Result<bool, StoreError> {
    let mut change = database.change().await?;
    let is_free = change.open_reservations(0).await?.iter().all(|it| it.state != State::Confirmed);
    if is_free {
        let mut mine = reservation(&id, 5);
        mine.apply(Event::Confirm, 1, "there was one").expect("a transition");
        change.put(&mine);
        change.tell(1, "reservation", &id, json!({"to": "confirmed"}));
    }
    change.commit().await?;
    Ok(is_free)
}

#[test]
fn of_many_who_want_the_last_place_one_gets_it() {
    on_both(|one, other| async move {
        let mut rivals = JoinSet::new();
        for rival in 0..RIVALS {
            let database = if rival % 2 == 0 { one.clone() } else { other.clone() };
            rivals.spawn(take_last(database, format!("r{rival}")));
        }
        let all: Vec<bool> = rivals.join_all().await.into_iter().map(|it| it.expect("an answer")).collect();
        assert_eq!(all.iter().filter(|has| **has).count(), 1, "{:?}", one.kind());
        let events = one.events_after(0).await.expect("events");
        assert_eq!(events.len(), 1, "{events:?}");
    });
}

#[test]
fn events_are_numbered_without_a_gap_in_the_order_of_changes() {
    on_both(|one, other| async move {
        let mut tellers = JoinSet::new();
        for teller in 0..10 {
            let database = if teller % 2 == 0 { one.clone() } else { other.clone() };
            tellers.spawn(async move {
                let mut change = database.change().await?;
                for each in 0..3 {
                    change.tell(each, "test", &teller.to_string(), json!(each));
                }
                // Of those that are dropped nothing is told.
                if teller < 8 { change.commit().await } else { Ok(0) }
            });
        }
        let revisions =
            tellers.join_all().await.into_iter().map(|it: Result<i64, StoreError>| it.expect("it is told"));
        assert_eq!(revisions.max(), Some(8));
        let events = one.events_after(0).await.expect("events");
        assert!(events.iter().map(|it| it.number).eq(1..=24), "{events:?}");
        for of_one in events.chunks(3) {
            assert!(of_one.iter().all(|it| it.subject == of_one[0].subject), "{events:?}");
        }
        assert_eq!(one.events_after(20).await.expect("events"), events[20..]);
        assert_eq!(one.last_event().await.expect("a number"), 24);
    });
}

#[test]
fn what_is_put_is_found_again() {
    on_both(|one, other| async move {
        let mut change = one.change().await.expect("a change");
        for hour in 0..10 {
            change.put(&reservation(&format!("r{hour}"), hour));
        }
        let mut over = reservation("r3", 3);
        over.apply(Event::Cancel, 7, "not wanted").expect("a transition");
        over.owner = "bob".to_string();
        change.put(&over);
        assert!(
            other.reservation("r3").await.expect("an answer").is_none(),
            "nobody sees it before it is so"
        );
        change.commit().await.expect("a commit");
        assert_eq!(other.reservation("r3").await.expect("an answer"), Some(over));
        let check = async |filter: Filter, expect: &[&str]| {
            let filter = Filter { limit: filter.limit.max(4), ..filter };
            let found = other.reservations(&filter).await.expect("a list");
            let found: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
            assert_eq!(found, expect, "{filter:?}");
        };
        check(Filter::default(), &["r0", "r1", "r2", "r3"]).await;
        let after = Some((3 * HOUR_MS, "r3".to_string()));
        check(Filter { after, ..Filter::default() }, &["r4", "r5", "r6", "r7"]).await;
        let (from_ms, until_ms) = (Some(3 * HOUR_MS), Some(5 * HOUR_MS));
        check(Filter { from_ms, until_ms, ..Filter::default() }, &["r3", "r4"]).await;
        check(Filter { owner: Some("bob".to_string()), ..Filter::default() }, &["r3"]).await;
        check(Filter { state: Some(State::Cancelled), ..Filter::default() }, &["r3"]).await;
        let mut change = one.change().await.expect("a change");
        for (since_hour, expect) in [(4, 9), (3, 10)] {
            let open = change.open_reservations(since_hour * HOUR_MS).await.expect("a list");
            assert_eq!(open.len(), expect, "since {since_hour}");
        }
        // What is written after a change is all that is new to who has seen it.
        let revision = change.revision();
        change.put(&reservation("r9", 20));
        change.commit().await.expect("a commit");
        let mut change = other.change().await.expect("a change");
        assert_eq!(change.reservations_since(revision).await.expect("a list"), [reservation("r9", 20)]);
        assert_eq!(change.reservations_since(revision - 1).await.expect("a list").len(), 10);
    });
}

#[test]
fn a_key_has_one_answer_for_a_day() {
    on_both(|one, _| async move {
        let answer = Answer { request: "abc".to_string(), status: 201, body: json!({"id": "r1"}) };
        let mut change = one.change().await.expect("a change");
        assert_eq!(change.answer("ann", "k", 5).await.expect("an answer"), None);
        change.keep_answer("ann", "k", 5, answer.clone());
        change.commit().await.expect("a commit");
        let mut change = one.change().await.expect("a change");
        assert_eq!(change.answer("ann", "k", 9).await.expect("an answer"), Some(answer.clone()));
        assert_eq!(change.answer("bob", "k", 9).await.expect("an answer"), None);
        let later_ms = 5 + plimsoll_capacity::KEPT_MS;
        assert_eq!(change.answer("ann", "k", later_ms).await.expect("an answer"), None);
        change.keep_answer("ann", "k", later_ms, answer);
        change.commit().await.expect("the old one is gone");
    });
}

#[test]
fn what_is_kept_by_a_name_is_the_last() {
    on_both(|one, _| async move {
        for kept in ["a", "b"] {
            let mut change = one.change().await.expect("a change");
            change.keep("supply", 1, &kept).await.expect("it is kept");
            change.commit().await.expect("a commit");
        }
        assert_eq!(one.kept::<String>("supply").await.expect("an answer").as_deref(), Some("b"));
        assert_eq!(one.kept::<String>("demand").await.expect("an answer"), None);
        let error = one.kept::<u64>("supply").await.expect_err("it is no number").to_string();
        assert!(error.starts_with("store: table 'kept', supply: "), "{error}");
    });
}

/// Whether it was new.
async fn record(database: Database, done: StepDone) -> Result<bool, StoreError> {
    let mut change = database.change().await?;
    let is_new = change.record(&done, Some("fra")).await?;
    change.commit().await?;
    Ok(is_new)
}

#[test]
fn a_step_is_settled_and_told_once_by_whichever_replica() {
    on_both(|one, other| async move {
        let mut change = one.change().await.expect("a change");
        for hour in [1, 5] {
            change.put(&reservation(&format!("r{hour}"), hour));
        }
        change.commit().await.expect("a commit");
        let done = |id: &str, at_ms, outcome, detail: &str| StepDone {
            reservation: id.to_string(),
            step: Step::Scale,
            at_ms,
            outcome,
            detail: detail.to_string(),
        };
        let check = async |done: StepDone, expect: bool| {
            let is_new = record(one.clone(), done.clone()).await;
            assert_eq!(is_new.expect("an answer"), expect, "{done:?}");
        };
        check(done("r1", 1, Outcome::Failed, "nobody answers"), true).await;
        check(done("r1", 2, Outcome::Failed, "nobody answers"), false).await;
        check(done("r1", 3, Outcome::Failed, "it is refused"), true).await;
        let mut rivals = JoinSet::new();
        for at_ms in 10..10 + RIVALS as i64 {
            let database = if at_ms % 2 == 0 { one.clone() } else { other.clone() };
            rivals.spawn(record(database, done("r1", at_ms, Outcome::Done, "from 2 to 4")));
        }
        let all = rivals.join_all().await;
        assert_eq!(all.into_iter().filter(|is_new| matches!(is_new, Ok(true))).count(), 1);
        check(done("r1", 99, Outcome::Failed, "too late"), false).await;
        check(done("r5", 99, Outcome::Skipped, ""), true).await;
        let told = one.events_after(0).await.expect("events");
        let told: Vec<&Value> = told.iter().map(|event| &event.about["outcome"]).collect();
        assert_eq!(told, ["failed", "failed", "done", "skipped"]);
        let log = other.scalings(3).await.expect("a log");
        let log: Vec<(Outcome, Option<&str>)> =
            log.iter().map(|it| (it.outcome, it.region.as_deref())).collect();
        let expect = [Outcome::Skipped, Outcome::Done, Outcome::Failed];
        assert_eq!(log, expect.map(|outcome| (outcome, Some("fra"))));

        let all = Filter { limit: 9, ..Filter::default() };
        assert_eq!(one.steps_of(&all).await.expect("steps").len(), 2);
        let late = Filter { from_ms: Some(3 * HOUR_MS), ..all };
        let late = one.steps_of(&late).await.expect("steps");
        assert_eq!(late, [done("r5", 99, Outcome::Skipped, "")]);
        let mut change = one.change().await.expect("a change");
        let near = change.near_reservations(2 * HOUR_MS, 5 * HOUR_MS).await.expect("a list");
        assert_eq!(near.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["r5"]);
        assert_eq!(change.near_steps(2 * HOUR_MS, 5 * HOUR_MS).await.expect("steps"), late);
        assert_eq!(change.near_steps(HOUR_MS, 4 * HOUR_MS).await.expect("steps")[0].reservation, "r1");
    });
}

#[test]
fn of_each_pod_the_latest_and_some_of_all() {
    on_both(|one, _| async move {
        let seen = |pod: &str, at_ms: i64| Observation {
            at_ms,
            pod: pod.to_string(),
            version: "1".to_string(),
            memory_bytes: None,
            counts: Counts::default(),
            uptime_ms: None,
            connections: None,
        };
        let all =
            [seen("a", 100), seen("a", 107), seen("a", 112), seen("b", 90), seen("b", 103), seen("c", 50)];
        assert_eq!(one.observe(&all, 0).await.expect("an answer"), 6);
        let latest = one.latest_observations(90, 110).await.expect("an answer");
        assert_eq!(latest, [seen("a", 107), seen("b", 103)]);
        let some = one.sampled_observations(None, 60, 10).await.expect("an answer");
        assert_eq!(some, [seen("b", 90), seen("a", 100), seen("b", 103), seen("a", 112)]);
        let some = one.sampled_observations(Some("b"), 95, 1).await.expect("an answer");
        assert_eq!(some, [seen("b", 103)]);
    });
}

#[test]
fn postgres_comes_back_and_so_do_we() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut postgres = Postgres::start();
        let database = Arc::new(Database::open(&postgres.url).await.expect("a database"));
        assert_eq!(database.kind(), Kind::Postgres);
        let mut change = database.change().await.expect("a change");
        change.put(&reservation("r1", 1));
        change.commit().await.expect("a commit");
        let mut lost = database.change().await.expect("a change");
        lost.put(&reservation("r2", 2));
        postgres.restart();
        lost.commit().await.expect_err("its server is gone");
        assert!(database.reservation("r1").await.expect("an answer").is_some());
        assert!(database.reservation("r2").await.expect("an answer").is_none());
    });
}

#[test]
fn what_cannot_be_opened_says_so() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let check = |url: &str, expect: &str| {
        let error = runtime.block_on(Database::open(url)).expect_err(url).to_string();
        assert!(error.starts_with(expect) && error.contains('\n') && !error.contains("s3cret"), "{error}");
    };
    check("mysql://db/all", "a store is 'sqlite:FILE' or");
    check("sqlite:/no/such/folder/capacity.db", "store sqlite:/no/such/folder/capacity.db: ");
    check("postgres://me:s3cret@127.0.0.1:1/all", "store postgres://127.0.0.1:1/all: ");
}
