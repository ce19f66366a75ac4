//! The configuration: `plimsoll.yaml`, found, read and validated.

mod ahead;
mod capacity;
mod duration;
mod file;
mod observe;

pub use ahead::Ahead;
pub use capacity::{Capacity, Region};
pub use duration::{parse_duration, parse_span_ms};
pub use file::{ConfigFile, RetryRule};
pub use observe::{Observe, Watched};

use plimsoll_core::mode::{Mode, Modes};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Name of the file that is looked for.
pub const FILE_NAME: &str = "plimsoll.yaml";
/// A longer file is no configuration, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// What `plimsoll.yaml` says, validated; what it does not say is `None`, empty or the default mode.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// `limit` in bytes.
    pub limit_bytes: Option<u64>,
    /// `mode`; `None` is auto.
    pub mode: Option<Mode>,
    /// `attempts`.
    pub attempts: Option<u32>,
    /// `timeout` of one attempt.
    pub timeout: Option<Duration>,
    /// `job`.
    pub job: Option<String>,
    /// `store`.
    pub store: Option<PathBuf>,
    /// `env`: variables for every mode.
    pub env: BTreeMap<String, String>,
    /// `clean`: paths removed between attempts.
    pub clean: Vec<String>,
    /// `retry`: failures that are tried again.
    pub retry: Vec<RetryRule>,
    /// `modes`, over the defaults.
    pub modes: Modes,
    /// `capacity`: what may be promised.
    pub capacity: Option<Capacity>,
    /// `monitoring`: what rules and routes are made of.
    pub monitoring: plimsoll_monitoring::settings::Settings,
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{name}: {error}\ncheck the path and that it can be read")]
    Unreadable {
        /// The path, or `stdin`.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// The text is not understood.
    #[error("{name}{place}: {message}")]
    Invalid {
        /// The path, or `stdin`.
        name: String,
        /// `:line:column`, where known.
        place: String,
        /// What is wrong, and on a line of its own what to do.
        message: String,
    },
}

/// Reads `--config` (`-` is stdin), else the nearest `plimsoll.yaml`; without one, the default.
pub fn load(file: Option<&Path>, folder: &Path) -> Result<Config, ConfigError> {
    let (name, text) = match file {
        Some(file) if file == Path::new("-") => ("stdin".to_string(), read(io::stdin().lock())),
        Some(file) => (file.display().to_string(), read_file(file)),
        None => match find(folder) {
            Some(path) => (path.display().to_string(), read_file(&path)),
            None => return Ok(Config::default()),
        },
    };
    match text {
        Ok(text) => parse(&name, &text),
        Err(error) => Err(ConfigError::Unreadable { name, error }),
    }
}

/// Understands a configuration; `name` is what errors call it.
pub fn parse(name: &str, text: &str) -> Result<Config, ConfigError> {
    let invalid =
        |place: String, message: String| ConfigError::Invalid { name: name.to_string(), place, message };
    let file: Option<ConfigFile> = serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
        invalid(place, file::explain(&error))
    })?;
    file.unwrap_or_default().validate().map_err(|message| invalid(String::new(), message))
}

/// The nearest `plimsoll.yaml`, here or above, up to the repository's root. Outside a repository only here: a file
/// in a folder shared by many, such as `/tmp`, is not ours to obey.
fn find(folder: &Path) -> Option<PathBuf> {
    let root = folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(folder);
    let within = folder.ancestors().take_while(|folder| folder.starts_with(root));
    within.map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
}

/// The text of a configuration of any kind, of this file.
pub(crate) fn read_file(path: &Path) -> io::Result<String> {
    read(std::fs::File::open(path)?)
}

/// The same, of whatever can be read; longer than a MiB is an error.
pub(crate) fn read(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    source.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX { Err(io::Error::other("larger than 1 MiB")) } else { Ok(text) }
}

#[cfg(test)]
mod tests;
