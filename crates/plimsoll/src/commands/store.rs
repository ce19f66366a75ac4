//! Which folder a command remembers things in, as `plimsoll run` has it.

use crate::store;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `--store`
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// Folder of what this machine remembers [env: PLIMSOLL_STORE]
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_STORE", hide_env = true, value_hint = ValueHint::DirPath)]
    store: Option<PathBuf>,
}

impl StoreArgs {
    /// Whether it was named, and not found by default.
    pub fn is_named(&self) -> bool {
        self.store.is_some()
    }

    /// Where it is.
    pub fn folder(&self) -> PathBuf {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        store::folder(self.store.as_deref(), |name| std::env::var(name).ok(), &here)
    }
}
