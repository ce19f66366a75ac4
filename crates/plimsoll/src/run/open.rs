//! Opening a session: the machine, the project and the past, read once.

use super::session::Session;
use super::settings::Settings;
use super::setup::{Project, Setup};
use crate::store::Store;
use crate::{shim, sniff};
use plimsoll_core::knobs::NodeFlags;
use plimsoll_core::ladder::{self, Move};
use plimsoll_core::profile::Intent;
use plimsoll_core::program::{Shape, recognise};
use plimsoll_core::size::human;
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
    let shape = recognise(&command, &sniff::scripts(&settings.folder, &command));
    let clients = clients(&shape);
    let preload = scratch.as_ref().and_then(|dir| shim::write(dir.path()).ok());
    let project = Project {
        flags: sniff::project_flags(
            &settings.folder,
            &command,
            &env,
            clients.is_some_and(|clients| clients.ninja),
        ),
        node: NodeFlags::NONE,
        java_tool_options: false,
        preload_path: preload.and_then(|path| path.into_os_string().into_string().ok()),
    };
    let store = Store::open(&settings.store, settings.key.clone());
    let evidence = store.evidence();
    notes.extend(evidence.intents.last().map(lost));
    let setup = Setup { clients, env, project, streams: Streams::detect(), scratch };
    let mut session = Session { settings, layout, budget, cores, shape, store, evidence, setup, notes };
    if let Move::Run { setting, .. } = ladder::start(&session.context()) {
        let refusal =
            session.setup.check_tools(&session.settings, &session.shape, &setting, session.budget.bytes);
        session.notes.extend(refusal);
    }
    session
}

/// What an attempt left that was started and never seen to end.
fn lost(intent: &Intent) -> String {
    let budget = intent.attempt.budget_bytes.map_or(String::new(), |bytes| format!(" with {}", human(bytes)));
    let mode = intent.attempt.setting.mode.name();
    format!("an earlier attempt ({mode}{budget}) did not come back: its container was killed or cancelled")
}

/// Asks make and ninja for their versions, where the command looks as if it came to them.
fn clients(shape: &Shape) -> Option<flags::Clients> {
    shape.tool.filter(|tool| JOBSERVER_TOOLS.contains(tool))?;
    let version = |program: &str| {
        let output = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    Some(flags::detect(version("make").as_deref(), version("ninja").as_deref()))
}
