//! `plimsoll apply` and `plimsoll rollback`: carry a plan out, and put back what it changed.

mod copies;
mod course;
mod rollback;
mod words;

use super::CommandError;
use super::cluster::{ClusterArgs, block_on};
use super::kubelets::Kubelets;
use super::store::StoreArgs;
use crate::config::parse_span_ms;
use clap::{Args, ValueHint};
pub(super) use copies::{Copies, Known, all_here, latest_applied};
pub(super) use course::holder;
use course::{Aim, Course};
use jiff::Timestamp;
use plimsoll_cluster::abilities::abilities;
use plimsoll_cluster::watch::{Synced, Watch};
use plimsoll_core::inventory::{Inventory, WorkloadId};
use plimsoll_core::plan::check::check;
use plimsoll_core::plan::{Plan, SCHEMA, Way};
use plimsoll_core::rollout::{Journal, step};
pub use rollback::{RollbackArgs, rollback};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;
pub(super) use words::words;

pub(super) const APPLY_EXAMPLES: &str = "\
Examples:
  plimsoll apply plan.json --dry-run
  plimsoll apply plan.json
  plimsoll apply plan.json --yes --wait 30m";

/// Everything has to be listed in this time.
pub(super) const SYNC_WITHIN: Duration = Duration::from_secs(60);

/// `plimsoll apply`
#[derive(Debug, Args)]
#[command(after_help = APPLY_EXAMPLES)]
pub struct ApplyArgs {
    /// The plan, as plimsoll plan --save wrote it; `-` is the standard input
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath)]
    plan: PathBuf,
    /// Check the plan and say what would be done first; nothing is changed
    #[arg(long)]
    dry_run: bool,
    /// Take it back when it is not done by then
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "30m")]
    wait: i64,
    /// Refuse a plan whose history is older
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "1d")]
    max_age: i64,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Checks, asks, carries out.
pub fn apply(args: &ApplyArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let plan = read(&args.plan)?;
    block_on(async {
        let mut copies = Copies::of(&args.cluster, &args.store).await?;
        let is_begun = copies.find(&plan.id).await?.begun()?.is_some();
        if args.dry_run || !is_begun {
            let inventory =
                look(copies.client(), namespace_of(&plan), |workload| changes(&plan, workload)).await?;
            if !is_begun {
                judge(args, &inventory, &plan)?;
            }
            if args.dry_run {
                return dry_run(&inventory, &plan, out);
            }
        }
        agree(args.yes, &format!("change {} workloads", plan.changes.len()))?;
        let course = Course::prepare(copies, plan, Aim::Forward).await?;
        course.run(args.wait, out).await
    })
}

fn read(path: &std::path::Path) -> Result<Plan, CommandError> {
    let name = path.display().to_string();
    let text =
        if name == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    let text = text.map_err(|error| CommandError::Input { path: name.clone(), error })?;
    let plan: Plan = serde_json::from_str(&text)
        .map_err(|error| CommandError::NoPlan { path: name.clone(), why: error.to_string() })?;
    if plan.schema != SCHEMA {
        return Err(CommandError::NoPlan { path: name, why: format!("its schema is {}", plan.schema) });
    }
    Ok(plan)
}

/// A namespace where all changes are in one; else all.
pub(super) fn namespace_of(plan: &Plan) -> Option<&str> {
    let first = plan.changes.first()?.workload.namespace.as_str();
    plan.changes.iter().all(|change| change.workload.namespace == first).then_some(first)
}

/// Whether it changes anything of a workload.
pub(super) fn changes(plan: &Plan, workload: &WorkloadId) -> bool {
    plan.changes.iter().any(|change| change.workload == *workload)
}

/// Whether anything of it is changed in place.
pub(super) fn in_place(plan: &Plan) -> bool {
    plan.changes.iter().any(|change| change.way == Way::InPlace)
}

pub(super) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// What the cluster runs now, and what that uses, where metrics.k8s.io says it; of these workloads kubelets may say it too.
pub(super) async fn look(
    client: &kube::Client,
    namespace: Option<&str>,
    is_meant: impl Fn(&WorkloadId) -> bool,
) -> Result<Inventory, CommandError> {
    let can = abilities(client, namespace).await?;
    let synced: Synced = Watch::start(client, namespace).await?.synced(SYNC_WITHIN).await?;
    let mut inventory = synced.inventory(now_ms(), can);
    // Where nobody says what is used, history has to do.
    match plimsoll_cluster::usage::usage(client, namespace).await {
        Ok(usage) => usage.fill(&mut inventory),
        Err(_) => Kubelets::of(client).await.fill_now(&mut inventory, is_meant).await,
    }
    Ok(inventory)
}

/// The independent check, before anything is changed.
fn judge(args: &ApplyArgs, inventory: &Inventory, plan: &Plan) -> Result<(), CommandError> {
    check(plan, inventory, args.max_age, now_ms()).map_err(|faults| {
        let lines: Vec<String> =
            faults.iter().map(|fault| format!("- {}", fault.words.replace('\n', "\n  "))).collect();
        CommandError::Refused(lines.join("\n"))
    })
}

fn dry_run(inventory: &Inventory, plan: &Plan, out: &mut dyn Write) -> Result<(), CommandError> {
    let now_ms = now_ms();
    let first = step(&Journal::begin(plan.clone(), inventory, now_ms), inventory, now_ms);
    writeln!(
        out,
        "the plan passes its check; of {} waves the first would begin with:",
        first.progress.waves
    )?;
    for order in &first.orders {
        writeln!(out, "- {}", words(order))?;
    }
    Ok(())
}

fn agree(yes: bool, what: &str) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::NotAgreed);
    }
    eprint!("plimsoll: {what}? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        Ok(())
    } else {
        Err(CommandError::NotAgreed)
    }
}
