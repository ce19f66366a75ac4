//! Access to servers, as it is given on the command line: secrets come from files and the environment, never from arguments
//! that everybody on the machine can see.

use super::CommandError;
use clap::{Args, ValueHint};
use jiff::Timestamp;
use plimsoll_history::server::access::{Access, Authorization};
use plimsoll_history::source::Address;
use plimsoll_history::{HistoryError, Range, Reader, Source};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A secret is no longer than this, in bytes.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// How a server is asked.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Access to a server")]
pub struct AccessArgs {
    /// File with a bearer token [env: PLIMSOLL_TOKEN holds the token itself]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "user")]
    token_file: Option<PathBuf>,
    /// User for basic authentication; the password comes from --password-file or PLIMSOLL_PASSWORD
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// File with the password
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "user")]
    password_file: Option<PathBuf>,
    /// Tenant, sent as X-Scope-OrgID to Mimir, Cortex and Thanos
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Authorities to trust instead of the system's, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ca: Option<PathBuf>,
    /// Certificate to show, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    cert: Option<PathBuf>,
    /// Key of the certificate, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    key: Option<PathBuf>,
    /// Time after which a request has failed
    #[arg(long, value_name = "DURATION", value_parser = crate::config::parse_duration, default_value = "5m")]
    timeout: Duration,
}

impl AccessArgs {
    /// Opens what history of a cluster is read from.
    fn open(&self, source: &Source) -> Result<Reader, CommandError> {
        match source {
            Source::Server(address) => self.server(address),
            Source::Blocks(folder) => Ok(Reader::of_blocks(folder)?),
            Source::File(..) => {
                let advice = "name a server or a folder of blocks";
                Err(HistoryError::OtherThing(source.to_string(), "workloads", advice).into())
            }
        }
    }

    /// Likewise, with the stretch that is asked for: so long, up to a time, or to where its history ends, or to now.
    pub fn open_stretch(
        &self,
        source: &Source,
        window_ms: i64,
        as_of: Option<Timestamp>,
    ) -> Result<(Reader, Range), CommandError> {
        let reader = self.open(source)?;
        let end_ms = || reader.end_ms().unwrap_or_else(|| Timestamp::now().as_millisecond());
        let to_ms = as_of.map_or_else(end_ms, Timestamp::as_millisecond);
        Ok((reader, Range { from_ms: to_ms - window_ms, to_ms }))
    }

    fn server(&self, address: &Address) -> Result<Reader, CommandError> {
        let access = Access {
            authorization: self.authorization(address)?,
            tenant: self.tenant.clone(),
            ca: self.ca.clone(),
            identity: self.cert.clone().zip(self.key.clone()),
            timeout_seconds: Some(self.timeout.as_secs().max(1)),
            retry_wait_ms: None,
        };
        Ok(Reader::of_server(&address.url, address.ways, &access)?)
    }

    fn authorization(&self, address: &Address) -> Result<Option<Authorization>, CommandError> {
        let of_environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(user) = &self.user {
            let password = match &self.password_file {
                Some(path) => secret(path)?,
                None => of_environment("PLIMSOLL_PASSWORD").unwrap_or_default(),
            };
            return Ok(Some(Authorization::Basic(user.clone(), password)));
        }
        if let Some(path) = &self.token_file {
            return Ok(Some(Authorization::Bearer(secret(path)?)));
        }
        let token = of_environment("PLIMSOLL_TOKEN").map(Authorization::Bearer);
        Ok(address.authorization.clone().or(token))
    }
}

/// The first line of a file.
fn secret(path: &Path) -> Result<String, CommandError> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| HistoryError::io(path, error))?;
    file.take(SECRET_BYTES_MAX).read_to_string(&mut text).map_err(|error| HistoryError::io(path, error))?;
    Ok(text.lines().next().unwrap_or("").trim().to_string())
}
