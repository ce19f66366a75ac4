//! The benchmark: real builds under real limits, histories read from real servers, a cluster that is watched, memory that is
//! foretold, an API that is asked, an agent that is scraped, and alerts that are right or wrong.

mod agent;
mod alerts;
mod api;
mod case;
mod cluster;
mod confine;
mod demo;
mod formula;
mod history;
mod machine;
mod monitoring;
mod overhead;
mod record;
mod run;
mod table;
mod way;

use clap::{Parser, Subcommand};
use plimsoll_core::size::{human, parse_size};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Why a benchmark could not go on, in words for its user.
type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(name = "plimsoll-bench", about = "Real builds under real memory limits, several ways side by side")]
struct Args {
    /// Folder with `workloads/`; prepared builds and results go to `work/` in it
    #[arg(long, global = true, default_value = "bench")]
    bench: PathBuf,
    /// The plimsoll to measure
    #[arg(long, global = true, default_value = "target/release/plimsoll")]
    plimsoll: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Run one command in a fresh memory cgroup and say what it took
    Confine {
        /// Limit on memory and swap together, such as 2GiB; none measures without one
        #[arg(long, value_parser = |text: &str| parse_size(text).map_err(|error| error.to_string()))]
        limit: Option<u64>,
        /// Last word of the cgroup's name
        #[arg(long, default_value = "confine")]
        name: String,
        /// Kill it after this many seconds
        #[arg(long)]
        timeout: Option<u64>,
        /// Write what was measured as JSON
        #[arg(long)]
        report: Option<PathBuf>,
        #[arg(required = true, last = true)]
        command: Vec<String>,
    },
    /// Prometheus, Alertmanager, our agent and service, and containers that run out of memory: what is told of it
    Monitoring {
        /// End when all was seen
        #[arg(long)]
        once: bool,
    },
    /// How often alerts on memory are wrong, and how early they are right
    Alerts(alerts::AlertsArgs),
    /// Prepare the cases: fetch and generate what they build
    Prepare {
        #[arg(long, value_delimiter = ',')]
        case: Vec<String>,
    },
    /// Measure the cases; what results.jsonl already holds is not measured again
    Run(run::Plan),
    /// Render the table from results.jsonl
    Table {
        /// Write it as Markdown too
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// See a build die plainly and come through under Plimsoll
    Demo {
        #[arg(long, default_value = "2GiB", value_parser = |text: &str| parse_size(text).map_err(|error| error.to_string()))]
        limit: u64,
    },
    /// Measure what Plimsoll itself costs
    Overhead {
        /// Pairs of runs, plain and under Plimsoll by turns
        #[arg(long, default_value_t = 15)]
        pairs: usize,
        /// Starts of each kind
        #[arg(long, default_value_t = 100)]
        starts: usize,
    },
    /// Measure what reading two weeks of history costs a Prometheus and us, four ways side by side
    History(history::Plan),
    /// Measure what it costs to watch over the memory of a cluster, the Vertical Pod Autoscaler's way
    Cluster(cluster::Plan),
    /// Measure how well memory by role is foretold, several ways side by side
    Formula(formula::Plan),
    /// Measure what the agent costs with hundreds of cgroups, beside cAdvisor and the node exporter
    Agent(agent::Plan),
    /// Measure what the API of capacity bears, beside a server written by hand
    Api(api::Plan),
    /// One way of reading, in a process of its own whose memory can be told
    #[command(hide = true)]
    HistoryPart(history::part::Part),
}

fn main() -> ExitCode {
    match act(Args::parse()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("plimsoll-bench: {failure}");
            ExitCode::from(125)
        }
    }
}

fn act(args: Args) -> Result<ExitCode, Failure> {
    let plimsoll = std::path::absolute(&args.plimsoll)?;
    let bench = std::path::absolute(&args.bench)?;
    match args.action {
        Action::Confine { limit, name, timeout, report, command } => {
            let mut order = confine::Order::new(&name, command, std::env::current_dir()?);
            order.limit_bytes = limit;
            order.timeout = timeout.map(Duration::from_secs);
            let measured = confine::measure(&order)?;
            eprintln!("plimsoll-bench: {}", describe(&measured));
            if let Some(path) = report {
                std::fs::write(path, serde_json::to_string_pretty(&measured)?)?;
            }
            return Ok(ExitCode::from(u8::try_from(measured.exit_code).unwrap_or(1)));
        }
        Action::Prepare { case } => case::select(&bench, &case)?.iter().try_for_each(case::Case::prepare)?,
        Action::Run(plan) => run::run(&bench, &plimsoll, &plan)?,
        Action::Table { out } => {
            let records = record::read(&bench.join("work/results.jsonl"))?;
            let rendered = table::render(&records, &machine::describe());
            print!("{}", rendered.text);
            if let Some(path) = out {
                std::fs::write(path, rendered.markdown)?;
            }
        }
        Action::Demo { limit } => return demo::demo(&bench, &plimsoll, limit),
        Action::Overhead { pairs, starts } => overhead::overhead(&bench, &plimsoll, pairs, starts)?,
        Action::History(plan) => history::history(&plan)?,
        Action::Cluster(plan) => cluster::cluster(&plan, &plimsoll)?,
        Action::Formula(plan) => return formula::formula(&plan),
        Action::Monitoring { once } => return monitoring::run(&plimsoll, once),
        Action::Alerts(args) => alerts::run(&args)?,
        Action::Agent(plan) => agent::agent(&plan, &plimsoll)?,
        Action::Api(plan) => return api::api(&plan, &bench, &plimsoll),
        Action::HistoryPart(part) => part.run()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(measured: &confine::Measured) -> String {
    format!(
        "exit {}{}, {} kernel kills, peak {}, wall {:.1} s, cpu {:.1} s",
        measured.exit_code,
        if measured.timed_out { " (killed: took too long)" } else { "" },
        measured.kernel_kills,
        measured.peak_bytes.map_or("unknown".to_string(), human),
        measured.wall_ms as f64 / 1000.0,
        measured.cpu_ms as f64 / 1000.0,
    )
}
