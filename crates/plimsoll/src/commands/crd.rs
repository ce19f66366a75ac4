//! `plimsoll crd`: what a cluster has to have before anything is changed in place, and what whoever changes it has to be allowed.

use super::CommandError;
use clap::{Args, ValueEnum};
use plimsoll_cluster::kinds::manifests;
use plimsoll_cluster::rights::{Purpose, roles};
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  plimsoll crd | kubectl apply -f -
  plimsoll crd --rbac apply | kubectl apply -f -
  kubectl create clusterrolebinding plimsoll-apply --clusterrole plimsoll-apply --user jane
  kubectl create rolebinding plimsoll-apply -n plimsoll --role plimsoll-apply --user jane";

/// `plimsoll crd`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CrdArgs {
    /// Instead, the roles of who may do this and no more; they have to be bound to somebody
    #[arg(long, value_name = "WHAT", value_enum)]
    rbac: Option<Rbac>,
}

/// `--rbac`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rbac {
    /// Plan and history: nothing is changed
    Plan,
    /// Apply and rollback too
    Apply,
    /// The controller
    Controller,
    /// Serve, where it scales ahead of the schedule
    Serve,
    /// Serve, where it lets in whom the cluster knows
    Tokens,
    /// The agent: pods of its node
    Agent,
}

/// Prints the manifests, for `kubectl apply -f -`.
pub fn run(args: &CrdArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let all = match args.rbac {
        None => manifests(),
        Some(Rbac::Plan) => roles(Purpose::Plan),
        Some(Rbac::Apply) => roles(Purpose::Apply),
        Some(Rbac::Controller) => roles(Purpose::Controller),
        Some(Rbac::Serve) => roles(Purpose::Serve),
        Some(Rbac::Tokens) => roles(Purpose::Tokens),
        Some(Rbac::Agent) => roles(Purpose::Agent),
    };
    for manifest in all {
        let text =
            serde_saphyr::to_string(&manifest).map_err(|error| CommandError::Form(error.to_string()))?;
        write!(out, "---\n{text}")?;
    }
    Ok(())
}
