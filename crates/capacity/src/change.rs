//! A change: what is there, as nobody else changes it meanwhile, and what becomes of it, all at once or not at all.

use crate::database::{Database, Kind};
use crate::error::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Any, Row, Transaction};

/// A change under way. Where it is dropped nothing has changed.
#[derive(Debug)]
pub struct Change {
    pub(crate) transaction: Transaction<'static, Any>,
    revision: i64,
    event: i64,
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
        Ok(Change { revision: row.try_get(0)?, event: row.try_get(1)?, transaction })
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

    /// The number of the next event.
    pub(crate) fn next_event(&mut self) -> i64 {
        self.event += 1;
        self.event
    }

    /// Makes it so, for everybody and for good; the number of the last event.
    ///
    /// # Errors
    ///
    /// Where the database does not answer: then nothing has changed, or all of it.
    pub async fn commit(mut self) -> Result<i64, StoreError> {
        sqlx::query("UPDATE pool SET revision = $1, event = $2")
            .bind(self.revision + 1)
            .bind(self.event)
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await?;
        Ok(self.event)
    }
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
