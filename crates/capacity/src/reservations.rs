//! Reservations.

use crate::change::{Change, document, insert, portions, text};
use crate::database::Database;
use crate::error::StoreError;
use plimsoll_core::capacity::booking::reservation::{Reservation, State};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Row};

const TABLE: &str = "reservation";
/// Most that a list shows at once.
pub const PAGE_MAX: u32 = 500;
/// A footprint is no longer, in milliseconds: four weeks. So who looks for what is near need not go through all that was.
pub(crate) const FOOTPRINT_MS_MAX: i64 = 28 * 24 * 3_600_000;

/// Which reservations a list is to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those whose footprint ends after it, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Those whose footprint begins before it.
    pub until_ms: Option<i64>,
    /// Only those of one owner.
    pub owner: Option<String>,
    /// Only those in one state.
    pub state: Option<State>,
    /// Only the occurrences of one series.
    pub series: Option<String>,
    /// After this one, in the order of the list: the start of its footprint, and its id.
    pub after: Option<(i64, String)>,
    /// At most so many, and [`PAGE_MAX`].
    pub limit: u32,
}

impl Database {
    /// One of them.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn reservation(&self, id: &str) -> Result<Option<Reservation>, StoreError> {
        let row = sqlx::query(ONE).bind(id.to_string()).fetch_optional(self.pool()).await?;
        row.as_ref().map(reservation).transpose()
    }

    /// Those of a filter, in the order in which their footprints begin.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn reservations(&self, filter: &Filter) -> Result<Vec<Reservation>, StoreError> {
        let rows = by(filter, sqlx::query(PAGE)).fetch_all(self.pool()).await?;
        rows.iter().map(reservation).collect()
    }
}

/// The reservations of a filter; [`by`] says of which.
macro_rules! page {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM reservation
             WHERE until_ms > $1 AND from_ms < $2
               AND ($3 = '' OR owner = $3) AND ($4 = '' OR state = $4) AND ($5 = '' OR series = $5)
               AND (from_ms > $6 OR (from_ms = $6 AND id > $7))
             ORDER BY from_ms, id LIMIT $8"
        )
    };
}
pub(crate) use page;

const PAGE: &str = page!("id, document");
const ONE: &str = "SELECT id, document FROM reservation WHERE id = $1";
const COLUMNS: &str = "reservation (id, owner, series, state, from_ms, until_ms, is_open, document, written)";
/// What was there by an id gives way.
const INSTEAD: &str = "ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, series = excluded.series, state = excluded.state,
    from_ms = excluded.from_ms, until_ms = excluded.until_ms, is_open = excluded.is_open, document = excluded.document,
    written = excluded.written";
const SINCE: &str = "SELECT id, document FROM reservation WHERE written > $1 ORDER BY from_ms, id";
const OPEN: &str =
    "SELECT id, document FROM reservation WHERE is_open = 1 OR until_ms > $1 ORDER BY from_ms, id";
const NEAR: &str = "SELECT id, document FROM reservation
    WHERE until_ms > $1 AND from_ms <= $2 AND from_ms > $3 ORDER BY from_ms, id";

impl Change {
    /// One of them.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn reservation(&mut self, id: &str) -> Result<Option<Reservation>, StoreError> {
        let row = sqlx::query(ONE).bind(id.to_string()).fetch_optional(&mut *self.transaction).await?;
        row.as_ref().map(reservation).transpose()
    }

    /// All that are not over, and those that ended after a moment, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn open_reservations(&mut self, since_ms: i64) -> Result<Vec<Reservation>, StoreError> {
        let rows = sqlx::query(OPEN).bind(since_ms).fetch_all(&mut *self.transaction).await?;
        rows.iter().map(reservation).collect()
    }

    /// All whose footprint ends after one moment and has begun at another, in milliseconds since 1970, in whatever state.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn near_reservations(
        &mut self,
        after_ms: i64,
        begun_ms: i64,
    ) -> Result<Vec<Reservation>, StoreError> {
        let rows = sqlx::query(NEAR).bind(after_ms).bind(begun_ms).bind(after_ms - FOOTPRINT_MS_MAX);
        rows.fetch_all(&mut *self.transaction).await?.iter().map(reservation).collect()
    }

    /// Those that were written by changes after one, by whichever process.
    ///
    /// # Errors
    ///
    /// Where the database does not answer.
    pub async fn reservations_since(&mut self, revision: i64) -> Result<Vec<Reservation>, StoreError> {
        let rows = sqlx::query(SINCE).bind(revision).fetch_all(&mut *self.transaction).await?;
        rows.iter().map(reservation).collect()
    }

    /// Writes one that is new or has changed.
    pub fn put(&mut self, reservation: &Reservation) {
        self.gathered.reservations.insert(reservation.id.clone(), reservation.clone());
    }

    pub(crate) async fn write_reservations(&mut self, revision: i64) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for (id, reservation) in std::mem::take(&mut self.gathered.reservations) {
            let document = text(TABLE, &id, &reservation)?;
            rows.push((reservation, document));
        }
        for rows in portions(&rows) {
            let mut query = sqlx::query(insert(COLUMNS, rows.len(), 9, INSTEAD));
            for (it, document) in rows {
                let footprint = it.footprint();
                let series = it.occurrence.as_ref().map(|it| it.series_id.clone());
                query = query.bind(it.id.clone()).bind(it.owner.clone()).bind(series.unwrap_or_default());
                query = query.bind(it.state.name().to_string()).bind(footprint.start_ms);
                query = query.bind(footprint.end_ms).bind(i64::from(!it.state.is_over()));
                query = query.bind(document.clone()).bind(revision);
            }
            query.execute(&mut *self.transaction).await?;
        }
        Ok(())
    }
}

/// Binds what [`page`] leaves open.
pub(crate) fn by<'q>(filter: &Filter, query: Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments> {
    let (after_ms, after_id) = filter.after.clone().unwrap_or((i64::MIN, String::new()));
    query
        .bind(filter.from_ms.unwrap_or(i64::MIN))
        .bind(filter.until_ms.unwrap_or(i64::MAX))
        .bind(filter.owner.clone().unwrap_or_default())
        .bind(filter.state.map(State::name).unwrap_or_default().to_string())
        .bind(filter.series.clone().unwrap_or_default())
        .bind(after_ms)
        .bind(after_id)
        .bind(i64::from(filter.limit.clamp(1, PAGE_MAX)))
}

fn reservation(row: &AnyRow) -> Result<Reservation, StoreError> {
    let id: String = row.try_get(0)?;
    document(TABLE, &id, row.try_get(1)?)
}
