//! Observations: what apps were seen to use while so many used them.

use crate::change::{document, text};
use crate::database::Database;
use crate::error::StoreError;
use plimsoll_core::capacity::formula::observation::Observation;
use sqlx::Row;
use sqlx::any::AnyRow;

const TABLE: &str = "observation";
/// So long they are kept, in milliseconds: four weeks.
pub const OBSERVED_MS: i64 = 28 * 24 * 3_600_000;
/// Pods that are looked at together.
const PODS_MAX: u32 = 1_000;
/// Observations that are looked at side by side.
const SAMPLED_MAX: u32 = 100_000;

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
        rows.iter().rev().map(observation).collect()
    }

    /// The latest of each pod between two moments, both included, in the order of their pods; at most [`PODS_MAX`].
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn latest_observations(
        &self,
        since_ms: i64,
        until_ms: i64,
    ) -> Result<Vec<Observation>, StoreError> {
        let rows = sqlx::query(
            "SELECT observation.pod, observation.document FROM observation
             JOIN (SELECT pod, MAX(at_ms) AS at_ms FROM observation WHERE at_ms BETWEEN $1 AND $2 GROUP BY pod) AS latest
               ON latest.pod = observation.pod AND latest.at_ms = observation.at_ms
             ORDER BY observation.pod LIMIT $3",
        )
        .bind(since_ms)
        .bind(until_ms)
        .bind(i64::from(PODS_MAX))
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(observation).collect()
    }

    /// Those from a moment on in the order of time, of one pod or of all; of each pod the first in each so many milliseconds,
    /// at most [`SAMPLED_MAX`] in all, the latest.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn sampled_observations(
        &self,
        pod: Option<&str>,
        since_ms: i64,
        each_ms: i64,
    ) -> Result<Vec<Observation>, StoreError> {
        let rows = sqlx::query(
            "SELECT observation.pod, observation.document FROM observation
             JOIN (SELECT pod, MIN(at_ms) AS at_ms FROM observation WHERE at_ms >= $1 AND ($2 = '' OR pod = $2)
                   GROUP BY pod, at_ms / $3) AS first
               ON first.pod = observation.pod AND first.at_ms = observation.at_ms
             ORDER BY observation.at_ms DESC, observation.pod DESC LIMIT $4",
        )
        .bind(since_ms)
        .bind(pod.unwrap_or_default().to_string())
        .bind(each_ms.max(1))
        .bind(i64::from(SAMPLED_MAX))
        .fetch_all(self.pool())
        .await?;
        rows.iter().rev().map(observation).collect()
    }
}

fn observation(row: &AnyRow) -> Result<Observation, StoreError> {
    let pod: String = row.try_get(0)?;
    document(TABLE, &pod, row.try_get(1)?)
}
