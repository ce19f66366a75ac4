//! What can go wrong with what is kept.

use thiserror::Error;

/// What went wrong. No secret of a URL is in the text.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Neither SQLite nor PostgreSQL.
    #[error("a store is 'sqlite:FILE' or 'postgres://USER@HOST/DATABASE'\nset it with --store")]
    Url,
    /// It could not be opened.
    #[error("store {store}: {why}\ncheck --store, and that it can be reached and written")]
    Open {
        /// Which one, without its password.
        store: String,
        /// Why not.
        why: String,
    },
    /// PostgreSQL copies itself.
    #[error("the store is a server, which has its own way to be copied\nuse pg_dump")]
    Server,
    /// It could not be copied.
    #[error("copy {to}: {why}\nname a file that is not there yet, where there is space")]
    Copy {
        /// Where to.
        to: String,
        /// Why not.
        why: String,
    },
    /// A newer Plimsoll has written it.
    #[error(
        "the store has version {found} of our tables, this plimsoll knows {known}\ninstall a newer plimsoll"
    )]
    Newer {
        /// What it has.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// The database failed.
    #[error("store: {0}\ntry again; if it stays, check the database")]
    Database(#[from] sqlx::Error),
    /// What is written there is not what we write.
    #[error("store: table '{table}', {key}: {why}\nput back a backup, or remove that row")]
    Row {
        /// Where.
        table: &'static str,
        /// Which row.
        key: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Of a disk that is full: SQLite's SQLITE_FULL, PostgreSQL's disk_full.
const FULL: [&str; 2] = ["13", "53100"];

impl StoreError {
    /// There is no space left where it is kept.
    pub fn is_full(&self) -> bool {
        let StoreError::Database(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| FULL.contains(&&*code))
    }

    pub(crate) fn open(url: &str, error: impl std::fmt::Display) -> StoreError {
        StoreError::Open { store: without_password(url), why: error.to_string() }
    }
}

/// A URL as it may be shown: whatever stands before `@`, and after `?`, is left out.
fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => url.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        let check = |url: &str, expect: &str| assert_eq!(without_password(url), expect);
        check("sqlite:/var/lib/plimsoll/capacity.db?mode=rwc", "sqlite:/var/lib/plimsoll/capacity.db");
        check("postgres://me:se@cret@db:5432/all?sslmode=require", "postgres://db:5432/all");
        check("postgres://db/all", "postgres://db/all");
    }
}
