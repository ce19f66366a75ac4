//! `plimsoll agent`: what each cgroup of this machine uses, whose it is, and whom the kernel has killed.

use super::CommandError;
use super::cluster::{ClusterArgs, block_on};
use super::controller::Told;
use crate::agent::serve::{self, Shared};
use crate::agent::{Agent, Otlp, Settings};
use crate::config::parse_duration;
use crate::shim::HEAP_PRELOAD;
use clap::{Args, ValueHint};
use plimsoll_cluster::node_pods::NodePods;
use plimsoll_probe::survey::Choice;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  plimsoll agent
  plimsoll agent --listen 0.0.0.0:9677 --state /var/lib/plimsoll/agent.json
  plimsoll agent --root /host --node \"$NODE_NAME\"
  plimsoll agent --otlp http://localhost:4318
  plimsoll agent --cgroups '/ci.slice/*'
  plimsoll agent --preload > heap.cjs; NODE_OPTIONS=\"--require $PWD/heap.cjs\" node app.js
  curl -s localhost:9677/metrics | promtool check metrics";

/// It does not look more often than this.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
/// The cluster is waited for so long before kills are counted by whose they are.
const PODS_WITHIN: Duration = Duration::from_secs(10);
/// Between two attempts to find the way to the cluster.
const FIND_EACH: Duration = Duration::from_secs(30);

/// `plimsoll agent`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AgentArgs {
    /// Where /metrics, /healthz and /readyz are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9677")]
    listen: SocketAddr,
    /// How often it looks who is there and who was killed; everything else is read when it is asked for
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5s")]
    interval: Duration,
    /// Where kills are kept over a restart of the agent [default: they are not]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    state: Option<PathBuf>,
    /// Where the machine's /proc, /sys/fs/cgroup and /dev/kmsg are
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = "/")]
    root: PathBuf,
    /// Beside containers, the cgroups whose path this fits; `*` stands for anything; again for more [default: units, and what else
    /// holds processes]
    #[arg(long, value_name = "GLOB")]
    cgroups: Vec<String>,
    /// The name of this node, whose pods the cluster is asked for
    #[arg(long, value_name = "NAME", env = "NODE_NAME")]
    node: Option<String>,
    /// Send metrics to an OpenTelemetry collector too, at http://HOST:4318
    #[arg(long, value_name = "URL", value_parser = parse_otlp)]
    otlp: Option<String>,
    /// How often they are sent
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "60s")]
    otlp_interval: Duration,
    /// Print the preload by which a Node process tells its heap, and end
    #[arg(long)]
    preload: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

fn parse_otlp(text: &str) -> Result<String, String> {
    Otlp::new(text).map(|_| text.to_string())
}

/// Looks and answers until it is told to end.
pub fn run(args: &AgentArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    if args.preload {
        out.write_all(HEAP_PRELOAD.as_bytes())?;
        return Ok(());
    }
    block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen).await;
        let listener = listener.map_err(|error| CommandError::Listen { address: args.listen, error })?;
        let mut told = Told::new()?;
        let pods = follow(args);
        let choice = match &args.cgroups[..] {
            [] => Choice::Holding,
            globs => Choice::Fitting(globs.to_vec()),
        };
        let settings = Settings {
            root: args.root.clone(),
            choice,
            state: args.state.clone(),
            node: args.node.clone().unwrap_or_default(),
        };
        let agent: Shared = Arc::new(Mutex::new(Agent::new(settings, pods.clone())));
        writeln!(out, "metrics at http://{}/metrics", listener.local_addr()?)?;
        out.flush()?;
        // Whoever asks already waits: kills of nobody and names of nothing help nobody.
        if let Some(pods) = pods {
            tokio::select! {
                () = pods.wait_until_listed(PODS_WITHIN) => {}
                () = told.wait() => return Ok(()),
            }
        }
        tokio::spawn(serve::answer(listener, agent.clone()));
        if let Some(otlp) = args.otlp.as_deref().and_then(|url| Otlp::new(url).ok()) {
            tokio::spawn(serve::send(agent.clone(), otlp, args.otlp_interval));
        }
        tokio::select! {
            () = serve::look(agent.clone(), args.interval.max(INTERVAL_MIN)) => {}
            () = told.wait() => {}
        }
        serve::turn(&agent).end();
        Ok(())
    })
}

/// Follows the pods of the node where there is a cluster: one that was named, or that we run in.
fn follow(args: &AgentArgs) -> Option<NodePods> {
    let is_inside = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    if !args.cluster.is_named() && !is_inside && args.node.is_none() {
        return None;
    }
    let pods = NodePods::default();
    let Some(node) = args.node.clone().filter(|node| !node.is_empty()) else {
        pods.lose(
            "which node this is was not said; give --node, or NODE_NAME from spec.nodeName".to_string(),
        );
        return Some(pods);
    };
    let (followed, cluster) = (pods.clone(), args.cluster.clone());
    tokio::spawn(async move {
        loop {
            match cluster.client().await {
                Ok(client) => followed.follow(client, &node).await,
                Err(error) => followed.lose(error.to_string()),
            }
            tokio::time::sleep(FIND_EACH).await;
        }
    });
    Some(pods)
}
