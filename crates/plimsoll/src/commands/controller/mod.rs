//! `plimsoll controller`: sizes that follow use, for the workloads that MemoryPolicies give it.
//!
//! Of several instances one leads, by a Lease; the others stand by. What it knows is stored in the cluster, so that whoever
//! leads next goes on where it stopped.

mod memory;
mod metrics;
mod publish;
mod round;
mod status;

use super::CommandError;
use super::apply::{holder, now_ms};
use super::cluster::{ClusterArgs, block_on};
use crate::config::parse_span_ms;
use clap::Args;
use kube::Client;
use metrics::Metrics;
use plimsoll_cluster::journal;
use plimsoll_cluster::lease::{Asked, Lease};
use round::Lead;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

pub(super) const EXAMPLES: &str = "\
Examples:
  plimsoll crd | kubectl apply -f -
  plimsoll controller
  plimsoll controller --namespace shop --every 10m --listen 0.0.0.0:9477";

/// The lease of whoever sets sizes.
const LEASE: &str = "controller";
/// Who stands by asks for it so often.
const ASK_EACH: Duration = Duration::from_secs(5);
/// Pause after something between us and the API server went wrong.
const PAUSE: Duration = Duration::from_secs(5);

/// `plimsoll controller`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ControllerArgs {
    /// How often sizes are decided
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "5m")]
    every: i64,
    /// How often use is read, from metrics.k8s.io
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "1m")]
    sample: i64,
    /// How long a container is followed before its size is set
    #[arg(long, value_name = "SPAN", value_parser = parse_span_ms, default_value = "1h")]
    learn: i64,
    /// Only this namespace
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// Where /metrics, /healthz and /readyz are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9477")]
    listen: SocketAddr,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Why an instance does not lead any more.
enum End {
    /// It was told to end.
    Told,
    /// It is not sure of its lease, or of what it sees.
    Lost(CommandError),
}

/// Goes round until it is told to end.
pub fn run(args: &ControllerArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    block_on(async {
        let client = args.cluster.client().await?;
        let metrics = Arc::new(Metrics::new());
        let listener = tokio::net::TcpListener::bind(args.listen).await;
        let listener = listener.map_err(|error| CommandError::Listen { address: args.listen, error })?;
        writeln!(out, "metrics at http://{}/metrics", listener.local_addr()?)?;
        tokio::spawn(metrics::serve(listener, metrics.clone()));
        let mut told = Told::new()?;
        loop {
            match lead(args, &client, &metrics, &mut told, out).await {
                End::Told => return Ok(()),
                End::Lost(CommandError::Cluster(error)) => writeln!(out, "waiting: {error}")?,
                End::Lost(error) => return Err(error),
            }
            metrics.leads(false);
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = told.wait() => return Ok(()),
            }
        }
    })
}

/// Stands by until the lease is ours, and leads as long as it is.
async fn lead(
    args: &ControllerArgs,
    client: &Client,
    metrics: &Arc<Metrics>,
    told: &mut Told,
    out: &mut dyn Write,
) -> End {
    let begun = async {
        journal::home(client).await?;
        let holder = holder();
        let mut said = String::new();
        let lease = loop {
            match Lease::ask(client, LEASE, &holder).await? {
                Asked::Ours(lease) => break *lease,
                Asked::Held(by) if by != said => {
                    writeln!(out, "standing by: {by} leads")?;
                    metrics.stands_by();
                    said = by;
                }
                Asked::Held(_) => {}
            }
            tokio::time::sleep(ASK_EACH).await;
        };
        writeln!(out, "leading")?;
        Lead::begin(args, client, lease, metrics.clone()).await
    };
    let lead = tokio::select! {
        begun = begun => begun,
        () = told.wait() => return End::Told,
    };
    match lead {
        Ok(lead) => lead.run(told, out).await,
        Err(error) => End::Lost(error),
    }
}

/// Signals that tell it to end.
pub(super) struct Told {
    interrupts: tokio::signal::unix::Signal,
    terminations: tokio::signal::unix::Signal,
}

impl Told {
    pub fn new() -> Result<Told, CommandError> {
        let (interrupts, terminations) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Told { interrupts, terminations })
    }

    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupts.recv() => {}
            _ = self.terminations.recv() => {}
        }
    }
}
