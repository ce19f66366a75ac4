//! A change: what is there, as nobody else changes it meanwhile, and what becomes of it, all at once or not at all.
//!
//! What is to be written is gathered, and written by few statements at the end: so hundreds of decisions share one.

use crate::answers::Answer;
use crate::audit::Deed;
use crate::database::{Database, Kind};
use crate::error::StoreError;
use crate::events::Event;
use plimsoll_core::capacity::booking::reservation::Reservation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use std::collections::BTreeMap;

/// A change under way. Where it is dropped nothing has changed.
#[derive(Debug)]
pub struct Change {
    pub(crate) transaction: Transaction<'static, Any>,
    revision: i64,
    event: i64,
    pub(crate) gathered: Gathered,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// By id: what was put last.
    pub reservations: BTreeMap<String, Reservation>,
    pub events: Vec<Event>,
    pub deeds: Vec<Deed>,
    /// By owner and key, with when it was answered.
    pub answers: BTreeMap<(String, String), (i64, Answer)>,
}

impl Database {
    /// Begins a change, as soon as nobody else is at one.
    ///
    /// # Errors
    ///
    /// Where the database does not answer, or others are at it for too long.
    pub async fn change(&self) -> Result<Change, StoreError> {
        let mut transaction = self.begin().await?;
        let row = match self.kind() {
            Kind::Sqlite => sqlx::query("SELECT revision, event FROM pool"),
            Kind::Postgres => sqlx::query("SELECT revision, event FROM pool FOR UPDATE"),
        };
        let row = row.fetch_one(&mut *transaction).await?;
        let gathered = Gathered::default();
        Ok(Change { revision: row.try_get(0)?, event: row.try_get(1)?, transaction, gathered })
    }

    /// What is kept by a name.
    ///
    /// # Errors
    ///
    /// Where the database does not answer, or something else stands there.
    pub async fn kept<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let row = sqlx::query(KEPT).bind(name.to_string()).fetch_optional(self.pool()).await?;
        row.map(|row| document("kept", name, row.try_get(0)?)).transpose()
    }
}

const KEPT: &str = "SELECT document FROM kept WHERE name = $1";

impl Change {
    /// What is kept by a name.
    ///
    /// # Errors
    ///
    /// Where the database does not answer, or something else stands there.
    pub async fn kept<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, StoreError> {
        let row = sqlx::query(KEPT).bind(name.to_string()).fetch_optional(&mut *self.transaction).await?;
        row.map(|row| document("kept", name, row.try_get(0)?)).transpose()
    }

    /// Keeps something by a name, instead of what was there.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn keep(&mut self, name: &str, at_ms: i64, kept: &impl Serialize) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO kept (name, at_ms, document) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms, document = excluded.document",
        )
        .bind(name.to_string())
        .bind(at_ms)
        .bind(text("kept", name, kept)?)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// How many changes there were before this one, by whichever process.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Something is to be written.
    pub fn is_anything(&self) -> bool {
        let Gathered { reservations, events, deeds, answers } = &self.gathered;
        !(reservations.is_empty() && events.is_empty() && deeds.is_empty() && answers.is_empty())
    }

    /// The number of the next event.
    pub(crate) fn next_event(&mut self) -> i64 {
        self.event += 1;
        self.event
    }

    /// Makes it so, for everybody and for good; how many changes there were with this one.
    ///
    /// # Errors
    ///
    /// Where the database does not answer: then nothing has changed, or all of it.
    pub async fn commit(mut self) -> Result<i64, StoreError> {
        let revision = self.revision + 1;
        self.write_reservations(revision).await?;
        self.write_events().await?;
        self.write_deeds().await?;
        self.write_answers().await?;
        sqlx::query("UPDATE pool SET revision = $1, event = $2")
            .bind(revision)
            .bind(self.event)
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await?;
        Ok(revision)
    }
}

/// Rows of one statement: of few sizes, so that a connection has them prepared.
const ROWS: [usize; 4] = [64, 16, 4, 1];

/// Rows, in portions that are inserted at once.
pub(crate) fn portions<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut portions = Vec::new();
    for size in ROWS {
        while let Some((portion, rest)) = rows.split_at_checked(size) {
            portions.push(portion);
            rows = rest;
        }
    }
    portions
}

/// Inserts so many rows of so many columns; both databases take numbered places only.
pub(crate) fn insert(into: &str, rows: usize, columns: usize, then: &str) -> AssertSqlSafe<String> {
    let row = |row: usize| {
        let places: Vec<String> =
            (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    // Nothing that anybody sends is in it.
    AssertSqlSafe(format!("INSERT INTO {into} VALUES {} {then}", rows.join(", ")))
}

/// What a document of a table says.
pub(crate) fn document<T: DeserializeOwned>(
    table: &'static str,
    key: &str,
    text: String,
) -> Result<T, StoreError> {
    let row =
        |error: serde_json::Error| StoreError::Row { table, key: key.to_string(), why: error.to_string() };
    serde_json::from_str(&text).map_err(row)
}

/// Something as a document of a table.
pub(crate) fn text(table: &'static str, key: &str, of: &impl Serialize) -> Result<String, StoreError> {
    let row =
        |error: serde_json::Error| StoreError::Row { table, key: key.to_string(), why: error.to_string() };
    serde_json::to_string(of).map_err(row)
}
