//! Answers to requests that are sent again: the same `Idempotency-Key` of the same owner has the same answer.

use crate::change::{Change, document, insert, portions, text};
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
        if let Some((_, answer)) = self.gathered.answers.get(&(owner.to_string(), key.to_string())) {
            return Ok(Some(answer.clone()));
        }
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

    /// Keeps an answer.
    pub fn keep_answer(&mut self, owner: &str, key: &str, now_ms: i64, answer: Answer) {
        self.gathered.answers.insert((owner.to_string(), key.to_string()), (now_ms, answer));
    }

    /// Writes answers, and forgets those that are old.
    pub(crate) async fn write_answers(&mut self) -> Result<(), StoreError> {
        let answers = std::mem::take(&mut self.gathered.answers);
        let Some(now_ms) = answers.values().map(|(at_ms, _)| *at_ms).max() else { return Ok(()) };
        sqlx::query("DELETE FROM answer WHERE at_ms <= $1")
            .bind(now_ms - KEPT_MS)
            .execute(&mut *self.transaction)
            .await?;
        let mut rows = Vec::new();
        for ((owner, key), (at_ms, answer)) in answers {
            let body = text(TABLE, &key, &answer.body)?;
            rows.push((owner, key, answer.request, i64::from(answer.status), body, at_ms));
        }
        for rows in portions(&rows) {
            let into = "answer (owner, key, request, status, document, at_ms)";
            let mut query = sqlx::query(insert(into, rows.len(), 6, ""));
            for (owner, key, request, status, body, at_ms) in rows {
                query = query.bind(owner.clone()).bind(key.clone()).bind(request.clone());
                query = query.bind(*status).bind(body.clone()).bind(*at_ms);
            }
            query.execute(&mut *self.transaction).await?;
        }
        Ok(())
    }
}
