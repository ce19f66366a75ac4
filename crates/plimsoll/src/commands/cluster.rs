//! Which cluster a command speaks to, as `kubectl` has it.

use super::CommandError;
use clap::{Args, ValueHint};
use kube::Client;
use plimsoll_cluster::ClusterError;
use plimsoll_cluster::access::{Access, Address};
use std::future::Future;
use std::path::PathBuf;

/// `--kubeconfig` and `--context`
#[derive(Debug, Clone, Args)]
pub struct ClusterArgs {
    /// The kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the pod's own account]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context [default: its current one]
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
}

impl ClusterArgs {
    /// A client that speaks to it.
    pub async fn client(&self) -> Result<Client, ClusterError> {
        self.access().client().await
    }

    /// Where it is.
    pub async fn address(&self) -> Result<Address, ClusterError> {
        self.access().address().await
    }

    /// Whether one was named on the command line.
    pub fn is_named(&self) -> bool {
        self.kubeconfig.is_some() || self.context.is_some()
    }

    fn access(&self) -> Access {
        Access { kubeconfig: self.kubeconfig.clone(), context: self.context.clone() }
    }
}

/// Runs what speaks to a cluster.
pub fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(CommandError::Output)?.block_on(work)
}
