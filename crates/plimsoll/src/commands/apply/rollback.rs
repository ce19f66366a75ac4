//! `plimsoll rollback`: puts back what a plan changed, whoever carried it out, and from wherever.

use super::copies::{Copies, latest};
use super::course::{Aim, Course};
use super::{agree, read};
use crate::commands::CommandError;
use crate::commands::cluster::{ClusterArgs, block_on};
use crate::commands::store::StoreArgs;
use crate::config::parse_span_ms;
use clap::{Args, ValueHint};
use plimsoll_core::plan::Plan;
use std::io::Write;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  plimsoll rollback
  plimsoll rollback 20261125-080000-1f3a --yes
  plimsoll rollback plan.json                        # where nobody knows any more how far it is";

/// `plimsoll rollback`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RollbackArgs {
    /// The plan, as plimsoll history names it, or its file [default: the one that was at work last]
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath)]
    plan: Option<String>,
    /// Say that it could not be done when it is not by then; it can be asked for again
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "5m")]
    wait: i64,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Puts back what a plan changed.
pub fn rollback(args: &RollbackArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    block_on(async {
        let mut copies = Copies::of(&args.cluster, &args.store).await?;
        let plan = match &args.plan {
            Some(path) if is_path(path) => of_file(&mut copies, Path::new(path)).await?,
            Some(id) => begun(&mut copies, id).await?,
            None => {
                let last = latest(&copies.all().await?)?;
                begun(&mut copies, &last).await?
            }
        };
        agree(args.yes, &format!("put {} workloads back", plan.changes.len()))?;
        let course = Course::prepare(copies, plan, Aim::Back).await?;
        match course.run(args.wait, out).await {
            Err(CommandError::RolledBack(_)) => Ok(()),
            other => other,
        }
    })
}

/// A file's name, and not that of a plan.
fn is_path(text: &str) -> bool {
    text == "-" || text.contains('/') || text.ends_with(".json") || Path::new(text).is_file()
}

async fn begun(copies: &mut Copies, id: &str) -> Result<Plan, CommandError> {
    let found = copies.find(id).await?;
    let journal = found.begun()?.ok_or_else(|| CommandError::NoSuchPlan(id.into()))?;
    Ok(journal.plan.clone())
}

/// What was begun goes by what is known of it; what nobody knows any more goes by the plan itself.
async fn of_file(copies: &mut Copies, path: &Path) -> Result<Plan, CommandError> {
    let plan = read(path)?;
    let found = copies.find(&plan.id).await?;
    if let Some(journal) = found.journal {
        return Ok(journal.plan);
    }
    copies.expect_any_of(&plan, "").await?;
    copies.say(&format!(
        "neither the cluster nor this machine knows how far plan {} is: what its file says was before is put back",
        plan.id
    ));
    if let Some(parent) = &plan.parent {
        copies.say(&format!("what plan {parent} had set in place is only put back where plan {} has not replaced it; else pods get what their templates say", plan.id));
    }
    Ok(plan)
}
