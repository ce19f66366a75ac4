//! `plimsoll history`: the plans that a cluster has seen, and what came of them.

use super::CommandError;
use super::apply::parse;
use super::cluster::{ClusterArgs, block_on};
use super::form::Form;
use crate::render::table::table;
use clap::Args;
use jiff::Timestamp;
use plimsoll_cluster::journal::all;
use plimsoll_core::rollout::{Journal, Phase};
use serde::Serialize;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  plimsoll history
  plimsoll history --output json";

/// `plimsoll history`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArgs {
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    output: Form,
    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Debug, Serialize)]
struct Entry {
    id: String,
    parent: Option<String>,
    /// When it was last at work, RFC 3339.
    at: String,
    workloads: usize,
    /// applying, applied, rolling-back or rolled-back.
    outcome: &'static str,
    reason: Option<String>,
}

/// Lists them, the oldest first.
pub fn run(args: &HistoryArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let journals = block_on(async { Ok(all(&args.cluster.client().await?).await?) })?;
    let mut journals: Vec<Journal> =
        journals.iter().map(|(_, text)| parse(text)).collect::<Result<_, CommandError>>()?;
    journals.sort_by_key(|journal| journal.last_ms);
    let entries: Vec<Entry> = journals.iter().map(entry).collect();
    let text = args.output.text(&entries, |entries| {
        let head = ["plan", "at", "workloads", "outcome", "reason"].map(String::from).to_vec();
        let rows = entries.iter().map(|entry| {
            let reason = entry.reason.clone().unwrap_or_default();
            let cells = [&entry.id, &entry.at, &entry.workloads.to_string(), entry.outcome, &reason];
            cells.map(String::from).to_vec()
        });
        table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    })?;
    Ok(out.write_all(text.as_bytes())?)
}

fn entry(journal: &Journal) -> Entry {
    let (outcome, reason) = match &journal.phase {
        Phase::Applying { .. } => ("applying", None),
        Phase::Applied { .. } => ("applied", None),
        Phase::RollingBack { reason, .. } => ("rolling-back", Some(reason.clone())),
        Phase::RolledBack { reason, .. } => ("rolled-back", Some(reason.clone())),
    };
    Entry {
        id: journal.plan.id.clone(),
        parent: journal.plan.parent.clone(),
        at: Timestamp::from_millisecond(journal.last_ms).map_or_else(|_| String::new(), |at| at.to_string()),
        workloads: journal.plan.changes.len(),
        outcome,
        reason,
    }
}
