//! The audit log: who did what, written in the same change as what was done.

use crate::change::{Change, insert, portions};
use crate::database::Database;
use crate::error::StoreError;
use sqlx::Row;

/// So long it is kept, in milliseconds: 400 days.
const KEPT_MS: i64 = 400 * 24 * 3_600_000;

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who, by the name of their token.
    pub who: String,
    /// What, as `cancel`.
    pub what: String,
    /// With which reservation.
    pub subject: String,
}

impl Change {
    /// Writes down who did what.
    pub fn audit(&mut self, deed: Deed) {
        self.gathered.deeds.push(deed);
    }

    /// Writes the log, and forgets what is old.
    pub(crate) async fn write_deeds(&mut self) -> Result<(), StoreError> {
        let deeds = std::mem::take(&mut self.gathered.deeds);
        let Some(now_ms) = deeds.iter().map(|deed| deed.at_ms).max() else { return Ok(()) };
        sqlx::query("DELETE FROM audit WHERE at_ms < $1")
            .bind(now_ms - KEPT_MS)
            .execute(&mut *self.transaction)
            .await?;
        for deeds in portions(&deeds) {
            let mut query = sqlx::query(insert("audit (at_ms, who, what, subject)", deeds.len(), 4, ""));
            for deed in deeds {
                query = query.bind(deed.at_ms).bind(deed.who.clone());
                query = query.bind(deed.what.clone()).bind(deed.subject.clone());
            }
            query.execute(&mut *self.transaction).await?;
        }
        Ok(())
    }
}

impl Database {
    /// What was done before a moment, the latest first, at most so much.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn audited(&self, before_ms: i64, most: u32) -> Result<Vec<Deed>, StoreError> {
        let rows = sqlx::query(
            "SELECT at_ms, who, what, subject FROM audit WHERE at_ms < $1 ORDER BY at_ms DESC, subject LIMIT $2",
        )
        .bind(before_ms)
        .bind(i64::from(most))
        .fetch_all(self.pool())
        .await?;
        let deed = |row: &sqlx::any::AnyRow| {
            Ok(Deed {
                at_ms: row.try_get(0)?,
                who: row.try_get(1)?,
                what: row.try_get(2)?,
                subject: row.try_get(3)?,
            })
        };
        rows.iter().map(deed).collect()
    }
}
