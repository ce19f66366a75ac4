//! Steps of reservations' timelines, and what was done about pods.
//!
//! What became of a step is written once: who comes second, after a crash or from another replica, is told that it is
//! there. Only what failed is written over, when it fails otherwise or not any more.

use crate::change::Change;
use crate::database::Database;
use crate::error::StoreError;
use crate::reservations::{FOOTPRINT_MS_MAX, Filter, by, page};
use plimsoll_core::capacity::booking::timeline::{Outcome, Step};
use serde_json::json;
use sqlx::Row;
use sqlx::any::AnyRow;

/// So long it is kept what was done about pods, in milliseconds: 400 days, as the audit log is.
const KEPT_MS: i64 = 400 * 24 * 3_600_000;

/// What became of a step of a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepDone {
    /// Of which one, by its id.
    pub reservation: String,
    /// Which.
    pub step: Step,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// In words; empty where there is nothing to say.
    pub detail: String,
}

/// Something that was done about pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaled {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Where; none where it is in several regions.
    pub region: Option<String>,
    /// For which step of which reservation; none where it was for all together.
    pub step: Option<(String, Step)>,
    /// What became of it.
    pub outcome: Outcome,
    /// In words; empty where there is nothing to say.
    pub detail: String,
}

const OF_ONE: &str = "SELECT reservation, step, at_ms, outcome, detail FROM step WHERE reservation = $1";
const OF_PAGE: &str = concat!(
    "SELECT reservation, step, at_ms, outcome, detail FROM step WHERE reservation IN (",
    page!("id"),
    ")"
);
const NEAR: &str = "SELECT reservation, step, at_ms, outcome, detail FROM step WHERE reservation IN
    (SELECT id FROM reservation WHERE until_ms > $1 AND from_ms <= $2 AND from_ms > $3)";

impl Database {
    /// What became of the steps of one reservation.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn steps(&self, id: &str) -> Result<Vec<StepDone>, StoreError> {
        let rows = sqlx::query(OF_ONE).bind(id.to_string()).fetch_all(self.pool()).await?;
        rows.iter().map(step_done).collect()
    }

    /// What became of the steps of those of a filter.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn steps_of(&self, filter: &Filter) -> Result<Vec<StepDone>, StoreError> {
        let rows = by(filter, sqlx::query(OF_PAGE)).fetch_all(self.pool()).await?;
        rows.iter().map(step_done).collect()
    }

    /// The latest of what was done about pods, the last first, at most so much.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn scalings(&self, most: u32) -> Result<Vec<Scaled>, StoreError> {
        let rows = sqlx::query(
            "SELECT at_ms, region, reservation, step, outcome, detail FROM scaling ORDER BY number DESC LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(scaled).collect()
    }
}

impl Change {
    /// What became of the steps of [`Change::near_reservations`].
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn near_steps(&mut self, after_ms: i64, begun_ms: i64) -> Result<Vec<StepDone>, StoreError> {
        let rows = sqlx::query(NEAR).bind(after_ms).bind(begun_ms).bind(after_ms - FOOTPRINT_MS_MAX);
        rows.fetch_all(&mut *self.transaction).await?.iter().map(step_done).collect()
    }

    /// Writes down and tells what became of a step, and whether that is new.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn record(&mut self, done: &StepDone, region: Option<&str>) -> Result<bool, StoreError> {
        let written = sqlx::query(
            "INSERT INTO step (reservation, step, at_ms, outcome, detail) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (reservation, step) DO UPDATE
               SET at_ms = excluded.at_ms, outcome = excluded.outcome, detail = excluded.detail
               WHERE step.outcome = 'failed' AND (excluded.outcome <> 'failed' OR excluded.detail <> step.detail)",
        )
        .bind(done.reservation.clone())
        .bind(done.step.name().to_string())
        .bind(done.at_ms)
        .bind(done.outcome.name().to_string())
        .bind(done.detail.clone())
        .execute(&mut *self.transaction)
        .await?;
        if written.rows_affected() == 0 {
            return Ok(false);
        }
        let scaled = Scaled {
            at_ms: done.at_ms,
            region: region.map(str::to_string),
            step: Some((done.reservation.clone(), done.step)),
            outcome: done.outcome,
            detail: done.detail.clone(),
        };
        self.scaled(&scaled).await?;
        Ok(true)
    }

    /// Writes down and tells what was done about pods.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn scaled(&mut self, scaled: &Scaled) -> Result<(), StoreError> {
        let Scaled { at_ms, region, step, outcome, detail } = scaled;
        let detail_said = (!detail.is_empty()).then_some(detail);
        let number = match step {
            Some((id, step)) => {
                let about = json!({"step": step, "outcome": outcome, "detail": detail_said});
                self.tell(*at_ms, "step", id, about)
            }
            None => {
                let about = json!({"outcome": outcome, "detail": detail_said});
                self.tell(*at_ms, "scaling", region.as_deref().unwrap_or_default(), about)
            }
        };
        sqlx::query("DELETE FROM scaling WHERE at_ms < $1")
            .bind(*at_ms - KEPT_MS)
            .execute(&mut *self.transaction)
            .await?;
        let (id, step) = step.as_ref().map_or(("", ""), |(id, step)| (id, step.name()));
        sqlx::query(
            "INSERT INTO scaling (number, at_ms, region, reservation, step, outcome, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(number)
        .bind(*at_ms)
        .bind(region.clone())
        .bind(id.to_string())
        .bind(step.to_string())
        .bind(outcome.name().to_string())
        .bind(detail.clone())
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

fn step_done(row: &AnyRow) -> Result<StepDone, StoreError> {
    let reservation: String = row.try_get(0)?;
    let (written, outcome): (String, String) = (row.try_get(1)?, row.try_get(3)?);
    Ok(StepDone {
        step: step(&written).ok_or_else(|| unknown("step", &reservation, &written))?,
        at_ms: row.try_get(2)?,
        outcome: self::outcome(&outcome).ok_or_else(|| unknown("step", &reservation, &outcome))?,
        detail: row.try_get(4)?,
        reservation,
    })
}

fn scaled(row: &AnyRow) -> Result<Scaled, StoreError> {
    let at_ms: i64 = row.try_get(0)?;
    let (id, written): (String, String) = (row.try_get(2)?, row.try_get(3)?);
    let outcome: String = row.try_get(4)?;
    let not_known = |what: &str| unknown("scaling", &at_ms.to_string(), what);
    let step = match written.as_str() {
        "" => None,
        written => Some((id, step(written).ok_or_else(|| not_known(written))?)),
    };
    Ok(Scaled {
        at_ms,
        region: row.try_get(1)?,
        step,
        outcome: self::outcome(&outcome).ok_or_else(|| not_known(&outcome))?,
        detail: row.try_get(5)?,
    })
}

fn step(written: &str) -> Option<Step> {
    Step::ALL.into_iter().find(|step| step.name() == written)
}

fn outcome(written: &str) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| outcome.name() == written)
}

fn unknown(table: &'static str, key: &str, written: &str) -> StoreError {
    StoreError::Row { table, key: key.to_string(), why: format!("'{written}' is not known") }
}
