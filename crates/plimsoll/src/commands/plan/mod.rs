//! `plimsoll plan`: what would be changed in a cluster, as a diff and as a file that `plimsoll apply` carries out.

mod diff;
mod patches;
mod recommended;

use super::CommandError;
use super::access::AccessArgs;
use super::apply::{latest_applied, look, now_ms};
use super::cluster::{ClusterArgs, block_on};
use super::form::json;
use super::whole_file;
use crate::config::parse_span_ms;
use clap::{Args, ValueEnum, ValueHint};
use jiff::Timestamp;
use plimsoll_cluster::journal::all;
use plimsoll_core::plan::planner::{Settings, plan};
use plimsoll_core::plan::{Budget, Way};
use std::io::Write;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  plimsoll plan --source http://localhost:9090 --save plan.json
  plimsoll rightsize --source http://localhost:9090 -o json > sizes.json
  plimsoll plan --recommendations sizes.json -n shop --save plan.json
  plimsoll plan --from patches --way rollout
  plimsoll apply plan.json";

/// `plimsoll plan`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("sizes").required(true).multiple(true).args(["source", "recommendations", "from"]))]
pub struct PlanArgs {
    /// Where history is, as for plimsoll rightsize
    #[arg(long, value_name = "SOURCE", env = "PLIMSOLL_SOURCE", hide_env_values = true, value_hint = ValueHint::Url)]
    source: Option<String>,
    /// Sizes that plimsoll rightsize wrote as JSON; `-` is the standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "source")]
    recommendations: Option<PathBuf>,
    /// A folder of patches that people wrote (strategic merge, YAML or JSON); beside a history, which then says how much
    /// each container needs at least
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    from: Option<PathBuf>,
    /// Only this namespace; patches that name none are of it
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// How sizes are changed [default: in-place where the cluster can]
    #[arg(long, value_name = "WAY", value_enum)]
    way: Option<WayChoice>,
    /// How long each wave is watched before the next
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "1m")]
    watch: i64,
    /// How long a resize may take before all is taken back
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "5m")]
    patience: i64,
    /// Pods whose resize may be under way at the same time
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    resizes_at_once: u32,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = Form::Diff)]
    output: Form,
    /// Write the plan into this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    save: Option<PathBuf>,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// `--way`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WayChoice {
    /// Running pods are resized, new ones sized on admission; templates stay
    InPlace,
    /// Templates are changed, pods are replaced
    Rollout,
}

/// `--output`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Diff,
    /// For programs
    Json,
    /// For both
    Yaml,
}

/// Reads sizes, looks at the cluster, plans, shows, saves.
pub fn run(args: &PlanArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let wanted = recommended::read(args)?;
    let (inventory, parent) = block_on(async {
        let client = args.cluster.client().await?;
        let inventory = look(&client, args.namespace.as_deref(), |workload| wanted.names(workload)).await?;
        // Who may not read plans may still make one.
        let parent = all(&client).await.ok().and_then(|all| latest_applied(&all));
        Ok((inventory, parent))
    })?;
    let made_ms = now_ms();
    let settings = Settings {
        id: id(made_ms),
        parent,
        made_ms,
        evidence_ms: wanted.evidence_ms.unwrap_or(made_ms),
        way: args.way.map(|way| match way {
            WayChoice::InPlace => Way::InPlace,
            WayChoice::Rollout => Way::Rollout,
        }),
        budget: Budget {
            resizes_at_once: args.resizes_at_once,
            watch_ms: args.watch,
            patience_ms: args.patience,
            ..Budget::default()
        },
    };
    let mut plan = plan(&inventory, &wanted.sizes(&inventory)?, &settings);
    recommended::reasons(&mut plan, &wanted);
    let text = match args.output {
        Form::Diff => diff::diff(&plan),
        Form::Json => json(&plan)?,
        Form::Yaml => {
            serde_saphyr::to_string(&plan).map_err(|error| CommandError::Form(error.to_string()))?
        }
    };
    out.write_all(text.as_bytes())?;
    if let Some(path) = &args.save {
        whole_file::write(path, &json(&plan)?)?;
        eprintln!("plimsoll: saved; go on with plimsoll apply {}", path.display());
    }
    Ok(())
}

/// A name that sorts by time and is a label of Kubernetes: seconds, and who made it.
fn id(made_ms: i64) -> String {
    let at = Timestamp::from_millisecond(made_ms).unwrap_or_default();
    let mixed = (made_ms as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(std::process::id());
    format!("{}-{:04x}", at.strftime("%Y%m%d-%H%M%S"), mixed & 0xffff)
}
