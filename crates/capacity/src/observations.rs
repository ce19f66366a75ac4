//! Observations: what apps were seen to use while so many used them.

use crate::change::{document, text};
use crate::database::Database;
use crate::error::StoreError;
use plimsoll_core::capacity::formula::observation::Observation;
use sqlx::Row;

const TABLE: &str = "observation";
/// So long they are kept, in milliseconds: four weeks.
pub const OBSERVED_MS: i64 = 28 * 24 * 3_600_000;

impl Database {
    /// Keeps those that are not known yet, by pod and moment, and forgets those that are old; how many were new.
    ///
    /// # Errors
    ///
    /// Where the database does not answer: then none is kept.
    pub async fn observe(&self, observations: &[Observation], now_ms: i64) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let mut new = 0;
        for observation in observations {
            let done = sqlx::query(
                "INSERT INTO observation (pod, at_ms, document) VALUES ($1, $2, $3)
                 ON CONFLICT (pod, at_ms) DO NOTHING",
            )
            .bind(observation.pod.clone())
            .bind(observation.at_ms)
            .bind(text(TABLE, &observation.pod, observation)?)
            .execute(&mut *transaction)
            .await?;
            new += done.rows_affected();
        }
        sqlx::query("DELETE FROM observation WHERE at_ms < $1")
            .bind(now_ms - OBSERVED_MS)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// The latest of them, at most so many, in the order of time.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn observations(&self, most: u32) -> Result<Vec<Observation>, StoreError> {
        let rows = sqlx::query("SELECT pod, document FROM observation ORDER BY at_ms DESC, pod LIMIT $1")
            .bind(i64::from(most))
            .fetch_all(self.pool())
            .await?;
        let observation = |row: &sqlx::any::AnyRow| {
            let pod: String = row.try_get(0)?;
            document(TABLE, &pod, row.try_get(1)?)
        };
        rows.iter().rev().map(observation).collect()
    }
}
