//! The command line: what is typed, before it is validated against the configuration.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueHint};
use plimsoll_core::mode::Mode;
use plimsoll_core::size::parse_size;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::commands::{
    agent::AgentArgs,
    apply::{ApplyArgs, RollbackArgs},
    backtest::BacktestArgs,
    budget::BudgetArgs,
    capacity::CapacityArgs,
    check::CheckArgs,
    ci::CiArgs,
    completions::CompletionsArgs,
    controller::ControllerArgs,
    crd::CrdArgs,
    diagnose::DiagnoseArgs,
    history::HistoryArgs,
    jobs::JobsArgs,
    plan::PlanArgs,
    render::RenderArgs,
    report::ReportArgs,
    rightsize::RightsizeArgs,
    schema::SchemaArgs,
    serve::ServeArgs,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold());

/// Memory, kept safe and cheap, from the build to the cluster.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, styles = STYLES, after_help = crate::exit::HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a build so that it comes through where memory is short
    Run(RunArgs),
    /// Show the memory a build may really use here, and which limit binds
    Budget(BudgetArgs),
    /// Find what is wrong about memory in pipelines, runners, manifests and build files
    Check(CheckArgs),
    /// Say what each container should request and be limited to, by what it has used
    Rightsize(RightsizeArgs),
    /// Replay a memory history through sizing policies and show what would have come of it
    Backtest(BacktestArgs),
    /// Say what grew, what was wasted, what was killed, what to change and what it costs: a week beside the one before
    Report(Box<ReportArgs>),
    /// Say what would be changed in a cluster, and save it as a plan
    Plan(PlanArgs),
    /// Carry out a plan in waves, watched, and take it back where the cluster does not bear it
    Apply(ApplyArgs),
    /// Put back what a plan changed
    Rollback(RollbackArgs),
    /// List the plans that a cluster has seen, and what came of them
    History(HistoryArgs),
    /// Have sizes follow use, for the workloads that MemoryPolicies give it
    Controller(ControllerArgs),
    /// Show what each container of this machine uses, whose it is, and whom the kernel killed
    Agent(AgentArgs),
    /// Say what memory people will take, and reserve it: an API
    Serve(ServeArgs),
    /// The same on the command line
    Capacity(CapacityArgs),
    /// Print our kinds and the admission policy, or roles for RBAC, for kubectl apply -f -
    Crd(CrdArgs),
    /// Write rules, alerts' routes and what else a Prometheus, an Alertmanager and a Grafana read
    Render(RenderArgs),
    /// Say what happened to a job, a pod or a build by its log, by which evidence, and what to do next
    Diagnose(DiagnoseArgs),
    /// Show what is remembered of jobs
    Jobs(JobsArgs),
    /// Print configuration for a CI system
    Ci(CiArgs),
    /// Print the JSON Schema of plimsoll.yaml or of the run report
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

const RUN_EXAMPLES: &str = "\
Examples:
  plimsoll run -- npm run build
  plimsoll run --limit 2GiB -- make -j8
  plimsoll run --dry-run -- npx webpack
  plimsoll run --report plimsoll.json --metrics metrics.txt --html memory.html -- mvn verify
  plimsoll run -- sh -c 'NODE_OPTIONS=--max-old-space-size={heap_mib} ./build.sh -j{jobs}'";

/// `plimsoll run`
#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_EXAMPLES}\n\n{}", crate::exit::HELP))]
pub struct RunArgs {
    /// Memory the build may use, such as 2GiB, 2Gi or 2048M [default: what the machine and its cgroups allow]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub limit: Option<u64>,
    /// Mode to run in: auto, optimized, safe, critical or minimal [default: auto]
    #[arg(long, value_name = "MODE", value_parser = parse_mode)]
    pub mode: Option<ModeChoice>,
    /// Attempts to make in all [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub attempts: Option<u32>,
    /// Wall time after which an attempt is ended, such as 20m or 1h30m [default: none]
    #[arg(long, value_name = "DURATION", value_parser = crate::config::parse_duration)]
    pub timeout: Option<Duration>,
    /// Name the job is remembered by [default: the CI job's name, else the command's shape]
    #[arg(long, value_name = "NAME")]
    pub job: Option<String>,
    /// Folder of what is remembered; put it into the CI cache [env: PLIMSOLL_STORE]
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_STORE", hide_env = true, value_hint = ValueHint::DirPath)]
    pub store: Option<PathBuf>,
    /// Configuration, `-` for stdin [default: plimsoll.yaml here or above, up to the repository's root]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// Write metrics as OpenMetrics text, for GitLab's artifacts:reports:metrics or Prometheus
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub metrics: Option<PathBuf>,
    /// Write a page with the memory curve, modes and events
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub html: Option<PathBuf>,
    /// Show what would be set and why, and start nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Say nothing but warnings; the report files are still written
    #[arg(short, long)]
    pub quiet: bool,
    /// The build and its arguments; {heap_mib}, {worker_heap_mib} and {jobs} are filled in
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// `--mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeChoice {
    /// Start where the budget and the job's past say, move by evidence.
    Auto,
    /// This mode and no other; heap and jobs may still move.
    Fixed(Mode),
}

fn parse_mode(text: &str) -> Result<ModeChoice, String> {
    if text == "auto" {
        return Ok(ModeChoice::Auto);
    }
    Mode::from_name(text)
        .map(ModeChoice::Fixed)
        .ok_or_else(|| format!("'{text}' is no mode\nuse auto, optimized, safe, critical or minimal"))
}
