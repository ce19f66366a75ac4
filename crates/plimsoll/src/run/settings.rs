//! Settings of a run: the command line over the configuration over the defaults, validated.

use crate::args::{ModeChoice, RunArgs};
use crate::config::{self, Config, ConfigError, RetryRule};
use crate::store;
use crate::store::key::Key;
use plimsoll_core::mode::{Mode, Modes};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Attempts where nothing else is said: the ladder's first guess and three corrections.
const ATTEMPTS: u32 = 4;

/// Everything a run was asked for.
#[derive(Debug)]
pub struct Settings {
    /// The build and its arguments.
    pub command: Vec<OsString>,
    /// Where it runs.
    pub folder: PathBuf,
    /// `--limit` in bytes.
    pub limit_bytes: Option<u64>,
    /// A fixed mode; `None` is auto.
    pub mode: Option<Mode>,
    /// What the modes set.
    pub modes: Modes,
    /// Attempts in all.
    pub attempts: u32,
    /// Wall time of one attempt.
    pub timeout: Option<Duration>,
    /// What the job is remembered by.
    pub key: Key,
    /// Where it is remembered.
    pub store: PathBuf,
    /// Variables for every mode.
    pub env: BTreeMap<String, String>,
    /// Paths removed between attempts.
    pub clean: Vec<String>,
    /// Failures that are tried again.
    pub retry: Vec<RetryRule>,
    /// `--report`.
    pub report: Option<PathBuf>,
    /// `--metrics`.
    pub metrics: Option<PathBuf>,
    /// `--html`.
    pub html: Option<PathBuf>,
    /// `--quiet`.
    pub quiet: bool,
}

impl Settings {
    /// Puts the command line, the configuration and the environment together.
    pub fn resolve(args: RunArgs) -> Result<Settings, ConfigError> {
        let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        let config: Config = config::load(args.config.as_deref(), &folder)?;
        let words: Vec<String> =
            args.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let env = |name: &str| std::env::var(name).ok();
        let key = Key::new(args.job.as_deref().or(config.job.as_deref()), &words, env, &folder);
        let mode = match args.mode {
            Some(ModeChoice::Auto) => None,
            Some(ModeChoice::Fixed(mode)) => Some(mode),
            None => config.mode,
        };
        Ok(Settings {
            command: args.command,
            limit_bytes: args.limit.or(config.limit_bytes),
            mode,
            modes: config.modes,
            attempts: args.attempts.or(config.attempts).unwrap_or(ATTEMPTS),
            timeout: args.timeout.or(config.timeout),
            key,
            store: store::folder(args.store.or(config.store).as_deref(), env, &folder),
            env: config.env,
            clean: config.clean,
            retry: config.retry,
            report: args.report,
            metrics: args.metrics,
            html: args.html,
            quiet: args.quiet,
            folder,
        })
    }

    /// The command as text, for people and the report.
    pub fn command_words(&self) -> Vec<String> {
        self.command.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }
}
