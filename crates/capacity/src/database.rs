//! The database: SQLite in a file for one replica, PostgreSQL where several share one.
//!
//! All statements are written once, for both. Whoever changes something first takes the row of `pool`, so that changes
//! follow one another whatever their number, and whichever process they come from.

use crate::error::StoreError;
use crate::schema;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, ConnectOptions, Connection, Row, Transaction};
use std::path::Path;
use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

/// Connections at once.
const CONNECTIONS_MAX: u32 = 8;
/// So long somebody waits for a connection, and in SQLite for the others to have written.
const WAIT: Duration = Duration::from_secs(10);
/// Settings of a connection to SQLite: readers do not wait for a writer, and what is committed is on disk.
const PRAGMAS: [&str; 4] = [
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA foreign_keys = ON",
];

/// Which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file of this machine.
    Sqlite,
    /// A server.
    Postgres,
}

/// A database that has our tables.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    kind: Kind,
}

impl Database {
    /// Opens `sqlite:FILE` or `postgres://...`, and brings its tables up to what this version expects.
    ///
    /// # Errors
    ///
    /// Where the URL is none of these, nobody answers, or the tables are of a newer version.
    pub async fn open(url: &str) -> Result<Database, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let kind = kind(url)?;
        let url = match kind {
            Kind::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            _ => url.to_string(),
        };
        let options = AnyConnectOptions::from_str(&url).map_err(|error| StoreError::open(&url, error))?;
        let pool = AnyPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(WAIT);
        // A commit that fails, as on a full disk, may leave a connection as if it were still at it. It was asked whether it
        // answers before this, so that nothing is under way any more.
        let pool =
            pool.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }));
        let pool = pool.after_connect(move |connection, _| {
            Box::pin(async move {
                for pragma in PRAGMAS.iter().filter(|_| kind == Kind::Sqlite) {
                    sqlx::query(*pragma).execute(&mut *connection).await?;
                }
                Ok(())
            })
        });
        let pool = pool
            .connect_with(options.disable_statement_logging())
            .await
            .map_err(|error| StoreError::open(&url, error))?;
        let database = Database { pool, kind };
        schema::migrate(&database).await?;
        Ok(database)
    }

    /// Which one it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// A transaction that no other writes beside.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.kind {
            // One that began by reading could not go on to write while others do, whatever its patience.
            Kind::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Kind::Postgres => self.pool.begin().await?,
        })
    }

    /// How many changes there were, by whichever process.
    ///
    /// # Errors
    ///
    /// Where it does not answer.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query("SELECT revision FROM pool").fetch_one(&self.pool).await?.try_get(0)?)
    }

    /// Copies it to a file that is not there yet, as it is at one moment, while others go on.
    ///
    /// # Errors
    ///
    /// Where it is no file of SQLite's, or the copy cannot be written.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if self.kind == Kind::Postgres {
            return Err(StoreError::Server);
        }
        let copy = |why: String| StoreError::Copy { to: to.display().to_string(), why };
        if to.exists() {
            return Err(copy("it is there already".to_string()));
        }
        let done = sqlx::query("VACUUM INTO $1").bind(to.display().to_string()).execute(&self.pool).await;
        done.map(drop).map_err(|error| copy(error.to_string()))
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn kind(url: &str) -> Result<Kind, StoreError> {
    match url.split(':').next() {
        Some("sqlite") => Ok(Kind::Sqlite),
        Some("postgres" | "postgresql") => Ok(Kind::Postgres),
        _ => Err(StoreError::Url),
    }
}
