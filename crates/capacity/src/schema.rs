//! The tables, and how they came to be: each step runs once, in order, in one transaction.
//!
//! Statements are such that SQLite and PostgreSQL both take them. Times are in milliseconds since 1970; what has a
//! shape of its own is JSON in a text, with the columns beside it that something is found by.

use crate::database::{Database, Kind};
use crate::error::StoreError;
use sqlx::{Any, Row, Transaction};

/// Each may be changed until it was released, and never after.
const STEPS: [&[&str]; 3] = [FIRST, AHEAD, WRITTEN];

const FIRST: &[&str] = &[
    // The row that whoever changes something takes first.
    "CREATE TABLE pool (revision BIGINT NOT NULL, event BIGINT NOT NULL)",
    "INSERT INTO pool (revision, event) VALUES (0, 0)",
    "CREATE TABLE reservation (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, series TEXT, state TEXT NOT NULL,
        from_ms BIGINT NOT NULL, until_ms BIGINT NOT NULL, is_open BIGINT NOT NULL, document TEXT NOT NULL)",
    "CREATE INDEX reservation_open ON reservation (is_open)",
    "CREATE INDEX reservation_until ON reservation (until_ms)",
    "CREATE INDEX reservation_from ON reservation (from_ms, id)",
    "CREATE TABLE event (number BIGINT PRIMARY KEY, at_ms BIGINT NOT NULL, document TEXT NOT NULL)",
    "CREATE TABLE answer (
        owner TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status BIGINT NOT NULL, document TEXT NOT NULL,
        at_ms BIGINT NOT NULL, PRIMARY KEY (owner, key))",
    "CREATE INDEX answer_at ON answer (at_ms)",
    "CREATE TABLE observation (
        pod TEXT NOT NULL, at_ms BIGINT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (pod, at_ms))",
    "CREATE INDEX observation_at ON observation (at_ms)",
    "CREATE TABLE kept (name TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, document TEXT NOT NULL)",
    "CREATE TABLE audit (at_ms BIGINT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL)",
    "CREATE INDEX audit_at ON audit (at_ms)",
];

/// What is done ahead of the schedule.
const AHEAD: &[&str] = &[
    // The key is what makes each step of a reservation be told once.
    "CREATE TABLE step (
        reservation TEXT NOT NULL, step TEXT NOT NULL, at_ms BIGINT NOT NULL, outcome TEXT NOT NULL,
        detail TEXT NOT NULL, PRIMARY KEY (reservation, step))",
    "CREATE TABLE scaling (
        number BIGINT PRIMARY KEY, at_ms BIGINT NOT NULL, region TEXT, reservation TEXT NOT NULL,
        step TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL)",
    "CREATE INDEX scaling_at ON scaling (at_ms)",
];

/// Whoever has seen all up to a change reads only what was written after it.
const WRITTEN: &[&str] = &[
    "ALTER TABLE reservation ADD COLUMN written BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX reservation_written ON reservation (written)",
];

/// Of a lock in PostgreSQL that replicas take which start at once; any number that nobody else uses.
const LOCK: &str = "SELECT pg_advisory_xact_lock(8102461)::text";

/// Brings the tables up to this version.
pub(crate) async fn migrate(database: &Database) -> Result<(), StoreError> {
    let mut transaction = database.begin().await?;
    if database.kind() == Kind::Postgres {
        sqlx::query(LOCK).fetch_one(&mut *transaction).await?;
    }
    let found = version(&mut transaction).await?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    for step in &STEPS[usize::try_from(found).unwrap_or_default()..] {
        for statement in *step {
            sqlx::query(*statement).execute(&mut *transaction).await?;
        }
    }
    sqlx::query("UPDATE plimsoll_version SET version = $1").bind(known).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

async fn version(transaction: &mut Transaction<'static, Any>) -> Result<i64, StoreError> {
    sqlx::query("CREATE TABLE IF NOT EXISTS plimsoll_version (version BIGINT NOT NULL)")
        .execute(&mut **transaction)
        .await?;
    let found =
        sqlx::query("SELECT version FROM plimsoll_version").fetch_optional(&mut **transaction).await?;
    if let Some(row) = found {
        return Ok(row.try_get(0)?);
    }
    sqlx::query("INSERT INTO plimsoll_version (version) VALUES (0)").execute(&mut **transaction).await?;
    Ok(0)
}
