//! Opening a session: the machine, the project and the past, read once.

use super::session::Session;
use super::settings::Settings;
use super::setup::Setup;
use crate::sniff;
use crate::store::Store;
use plimsoll_core::program::Shape;
use plimsoll_probe::cgroup::{Layout, remove_stale};
use plimsoll_probe::jobserver::flags;
use plimsoll_probe::supervise::Streams;
use plimsoll_probe::{gauge, host};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// Tools below which a make, a ninja or a cargo may be.
const JOBSERVER_TOOLS: [&str; 5] = ["make", "ninja", "cargo", "cmake", "meson"];

/// Reads everything a run needs to know before its first attempt.
pub fn session(settings: Settings) -> Session {
    let root = Path::new("/");
    let layout = Layout::detect(root, std::process::id());
    remove_stale(root, &layout);
    let budget = gauge::collect(root, &layout, settings.limit_bytes);
    let cores = host::usable_cores(&layout).unwrap_or(1);
    let env: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut notes = Vec::new();
    if budget.bytes.is_none() {
        notes.push("no memory limit is readable; the build runs without a budget".to_string());
    }
    let scratch = tempfile::Builder::new().prefix("plimsoll-").tempdir();
    if let Err(error) = &scratch {
        notes.push(format!("no folder for the preload and the jobserver: {error}"));
    }
    let scratch = scratch.ok();
    let command = settings.command_words();
    let (shape, project) = sniff::look(&command, &settings.folder, &env, scratch.as_ref().map(|dir| dir.path()));
    let store = Store::open(&settings.store, settings.key.clone());
    let evidence = store.evidence();
    let setup = Setup { clients: clients(&shape), env, project, streams: Streams::detect(), scratch };
    Session { settings, layout, budget, cores, shape, store, evidence, setup, notes }
}

/// Asks make and ninja for their versions, where the command looks as if it came to them.
fn clients(shape: &Shape) -> Option<flags::Clients> {
    shape.tool.filter(|tool| JOBSERVER_TOOLS.contains(tool))?;
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    Some(flags::detect(version("make").as_deref(), version("ninja").as_deref()))
}
