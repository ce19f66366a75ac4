//! Answers to requests that are sent again: the same `Idempotency-Key` of the same owner has the same answer.

use crate::change::{Change, document, text};
use crate::error::StoreError;
use serde_json::Value;
use sqlx::Row;

const TABLE: &str = "answer";
/// So long an answer is kept, in milliseconds.
pub const KEPT_MS: i64 = 24 * 3_600_000;

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// To what: a digest of the request.
    pub request: String,
    /// HTTP's status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Change {
    /// What was answered to a key, if that is not too long ago.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn answer(
        &mut self,
        owner: &str,
        key: &str,
        now_ms: i64,
    ) -> Result<Option<Answer>, StoreError> {
        let row = sqlx::query(
            "SELECT request, status, document FROM answer WHERE owner = $1 AND key = $2 AND at_ms > $3",
        )
        .bind(owner.to_string())
        .bind(key.to_string())
        .bind(now_ms - KEPT_MS)
        .fetch_optional(&mut *self.transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let status: i64 = row.try_get(1)?;
        let status = u16::try_from(status).unwrap_or(500);
        Ok(Some(Answer { request: row.try_get(0)?, status, body: document(TABLE, key, row.try_get(2)?)? }))
    }

    /// Keeps an answer, and forgets those that are old.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn keep_answer(
        &mut self,
        owner: &str,
        key: &str,
        now_ms: i64,
        answer: &Answer,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM answer WHERE at_ms <= $1")
            .bind(now_ms - KEPT_MS)
            .execute(&mut *self.transaction)
            .await?;
        sqlx::query(
            "INSERT INTO answer (owner, key, request, status, document, at_ms) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(owner.to_string())
        .bind(key.to_string())
        .bind(answer.request.clone())
        .bind(i64::from(answer.status))
        .bind(text(TABLE, key, &answer.body)?)
        .bind(now_ms)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}
