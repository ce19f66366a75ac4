//! Events: what has happened, by numbers without a gap, in the order in which changes were made.

use crate::change::{Change, document, insert, portions, text};
use crate::database::Database;
use crate::error::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;

const TABLE: &str = "event";
/// Most that are read at once.
const PAGE_MAX: i64 = 200;
/// So many are kept: who was away for longer looks at everything anew.
const KEPT: i64 = 100_000;
/// After so many more it is looked for those that are old.
const FORGET_EACH: i64 = 1_000;

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// One more than the one before.
    #[serde(skip)]
    pub number: i64,
    /// When, in milliseconds since 1970.
    #[serde(skip)]
    pub at_ms: i64,
    /// What kind of thing.
    pub kind: String,
    /// What it happened to.
    pub subject: String,
    /// What there is to know of it.
    pub about: Value,
}

impl Database {
    /// Those after a number, the earliest first; a page of them.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn events_after(&self, number: i64) -> Result<Vec<Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, at_ms, document FROM event WHERE number > $1 ORDER BY number LIMIT $2",
        )
        .bind(number)
        .bind(PAGE_MAX)
        .fetch_all(self.pool())
        .await?;
        let event = |row: &sqlx::any::AnyRow| {
            let number: i64 = row.try_get(0)?;
            let event: Event = document(TABLE, &number.to_string(), row.try_get(2)?)?;
            Ok(Event { number, at_ms: row.try_get(1)?, ..event })
        };
        rows.iter().map(event).collect()
    }

    /// The number of the last one; 0 before there was any.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn last_event(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query("SELECT event FROM pool").fetch_one(self.pool()).await?.try_get(0)?)
    }
}

impl Change {
    /// Tells that something has happened; the number of the event.
    pub fn tell(&mut self, at_ms: i64, kind: &str, subject: &str, about: Value) -> i64 {
        let number = self.next_event();
        let event = Event { number, at_ms, kind: kind.to_string(), subject: subject.to_string(), about };
        self.gathered.events.push(event);
        number
    }

    /// Writes events, and now and then forgets those that are old.
    pub(crate) async fn write_events(&mut self) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for event in std::mem::take(&mut self.gathered.events) {
            rows.push((event.number, event.at_ms, text(TABLE, &event.subject, &event)?));
        }
        for rows in portions(&rows) {
            let mut query = sqlx::query(insert("event (number, at_ms, document)", rows.len(), 3, ""));
            for (number, at_ms, document) in rows {
                query = query.bind(*number).bind(*at_ms).bind(document.clone());
            }
            query.execute(&mut *self.transaction).await?;
        }
        let (first, last) = (rows.first().map_or(0, |row| row.0), rows.last().map_or(0, |row| row.0));
        if first / FORGET_EACH != last / FORGET_EACH {
            sqlx::query("DELETE FROM event WHERE number <= $1")
                .bind(last - KEPT)
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }
}
