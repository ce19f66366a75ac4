//! `plimsoll history`: the plans that a cluster has seen, and what came of them.

use super::CommandError;
use super::apply::{Copies, Known, all_here};
use super::cluster::{ClusterArgs, block_on};
use super::form::Form;
use super::store::StoreArgs;
use crate::render::table::table;
use clap::Args;
use jiff::Timestamp;
use plimsoll_core::rollout::Phase;
use serde::Serialize;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  plimsoll history
  plimsoll history --output json
  plimsoll history --local";

/// `plimsoll history`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArgs {
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Ask no cluster: only what was carried out from this machine, in any of them
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Debug, Serialize)]
struct Entry {
    id: String,
    parent: Option<String>,
    /// When it was made, RFC 3339.
    made: String,
    /// When it was last at work, RFC 3339.
    at: String,
    workloads: usize,
    /// applying, applied, rolling-back or rolled-back.
    outcome: &'static str,
    reason: Option<String>,
    /// What could not be put back, or is not yet.
    remains: Vec<String>,
    /// Who knows of it: `cluster`, `here` (this machine), or both.
    known_to: Vec<&'static str>,
    server: String,
}

/// Lists them, the oldest first.
pub fn run(args: &HistoryArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let mut known = if args.local {
        let (known, notes) = all_here(&args.store);
        notes.iter().for_each(|note| eprintln!("plimsoll: {note}"));
        known
    } else {
        let all = block_on(async { Copies::of(&args.cluster, &args.store).await?.all().await });
        all.map_err(|error| match error {
            CommandError::Cluster(error) => CommandError::Unseen(error),
            other => other,
        })?
    };
    known.sort_by_key(|known| known.journal.last_ms);
    let entries: Vec<Entry> = known.iter().map(entry).collect();
    let text = args.output.text(&entries, |entries| shown(entries, args.local))?;
    Ok(out.write_all(text.as_bytes())?)
}

/// As a table, and what remains of plans below it. Of several clusters each line says which it is.
fn shown(entries: &[Entry], names_server: bool) -> String {
    let last = if names_server { "cluster" } else { "known to" };
    let head = ["plan", "made", "at", "workloads", "outcome", last, "reason"].map(String::from).to_vec();
    let rows = entries.iter().map(|entry| {
        let known_to = entry.known_to.join(", ");
        let last = if names_server { &entry.server } else { &known_to };
        let (workloads, reason) = (entry.workloads.to_string(), entry.reason.clone().unwrap_or_default());
        let cells = [&entry.id, &entry.made, &entry.at, &workloads, entry.outcome, last, &reason];
        cells.map(String::from).to_vec()
    });
    let mut text = table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    for entry in entries {
        for line in &entry.remains {
            text += &format!("remains of {}: {line}\n", entry.id);
        }
    }
    text
}

fn entry(known: &Known) -> Entry {
    let journal = &known.journal;
    let (reason, remains) = match journal.phase.clone() {
        Phase::Applying { .. } | Phase::Applied { .. } => (None, Vec::new()),
        Phase::RollingBack { reason, .. } => (Some(reason), Vec::new()),
        Phase::RolledBack { reason, remains, .. } => (Some(reason), remains),
    };
    let known_to = [(known.is_in_cluster, "cluster"), (known.is_here, "here")];
    let time =
        |ms: i64| Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| format!("{at:.0}"));
    Entry {
        id: journal.plan.id.clone(),
        parent: journal.plan.parent.clone(),
        made: time(journal.plan.made_ms),
        at: time(journal.last_ms),
        workloads: journal.plan.changes.len(),
        outcome: journal.phase.name(),
        reason,
        remains,
        known_to: known_to.iter().filter(|(is_so, _)| *is_so).map(|(_, who)| *who).collect(),
        server: known.server.clone(),
    }
}
