//! A store that an earlier version made is brought up to date, and keeps what is in it.

use plimsoll_capacity::{Database, StepDone};
use plimsoll_core::capacity::booking::timeline::{Outcome, Step};
use plimsoll_real::postgres::Postgres;
use sqlx::AnyConnection;
use sqlx::Connection;

const VERSION_1: &str = include_str!("version_1.sql");
/// A reservation as version 1 wrote it.
const RESERVATION: &str = r#"{"id":"r1","owner":"ann","title":"a pilot","span":{"start_ms":3600000,"end_ms":7200000},"counts":{"participant_video":3},"risk":0.05,"state":"confirmed","revision":2,"created_ms":1,"changed_ms":2}"#;

/// What version 1 left behind.
async fn make_version_1(url: &str) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.expect("a connection");
    let statements = VERSION_1.split(';').map(|statement| {
        statement.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
    });
    let more = [
        "CREATE TABLE plimsoll_version (version BIGINT NOT NULL)".to_string(),
        "INSERT INTO plimsoll_version (version) VALUES (1)".to_string(),
        format!("INSERT INTO reservation VALUES ('r1', 'ann', '', 'confirmed', 1800000, 9000000, 1, '{RESERVATION}')"),
        r#"INSERT INTO event VALUES (1, 2, '{"kind":"reservation","subject":"r1","about":{"to":"confirmed"}}')"#.to_string(),
        "UPDATE pool SET revision = 5, event = 1".to_string(),
        "INSERT INTO kept VALUES ('profiles', 1, '[7]')".to_string(),
    ];
    for statement in statements.chain(more).filter(|statement| !statement.trim().is_empty()) {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.expect("a statement");
    }
    connection.close().await.expect("it is closed");
}

async fn is_migrated(url: &str) {
    // Two replicas of the new version start at once.
    let (one, other) = tokio::join!(Database::open(url), Database::open(url));
    let (one, other) = (one.expect("it is migrated"), other.expect("it is migrated"));
    let found = other.reservation("r1").await.expect("an answer").expect("it is kept");
    assert_eq!((found.owner.as_str(), found.revision, found.span.start_ms), ("ann", 2, 3_600_000));
    assert_eq!(one.events_after(0).await.expect("events")[0].subject, "r1");
    assert_eq!(one.kept::<Vec<u32>>("profiles").await.expect("an answer"), Some(vec![7]));
    let done = StepDone {
        reservation: "r1".to_string(),
        step: Step::Compute,
        at_ms: 9,
        outcome: Outcome::Done,
        detail: String::new(),
    };
    let mut change = one.change().await.expect("a change");
    assert!(change.record(&done, None).await.expect("it is recorded"));
    change.commit().await.expect("a commit");
    assert_eq!(other.last_event().await.expect("a number"), 2, "events are numbered on");
    assert_eq!(other.steps("r1").await.expect("steps"), [done]);
}

#[test]
fn a_store_of_version_1_keeps_its_rows() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let file = format!("sqlite:{}", folder.path().join("capacity.db").display());
        let postgres = Postgres::start();
        make_version_1(&format!("{file}?mode=rwc")).await;
        is_migrated(&file).await;
        make_version_1(&postgres.url).await;
        is_migrated(&postgres.url).await;
    });
}
