//! The commands beside `run`: each writes to `out` and ends with an error that is shown as it is.

mod access;
pub mod agent;
pub mod apply;
pub mod backtest;
pub mod budget;
pub mod capacity;
pub mod check;
pub mod ci;
mod cluster;
pub mod completions;
pub mod controller;
pub mod crd;
pub mod diagnose;
mod form;
pub mod history;
pub mod jobs;
mod kubelets;
pub mod man;
pub mod plan;
pub mod render;
pub mod report;
pub mod rightsize;
pub mod schema;
pub mod serve;
mod store;
mod usage;
mod whole_file;

use std::io;
use thiserror::Error;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CommandError {
    /// Its output cannot be written.
    #[error("output: {0}\ncheck where it is written to")]
    Output(#[from] io::Error),
    /// It cannot be put into the form that was asked for.
    #[error("output: {0}")]
    Form(String),
    /// The store cannot be read or changed.
    #[error("{path}: {error}\ncheck --store and its rights")]
    Store {
        /// The file or folder.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// Nobody knows what is to be diagnosed.
    #[error(
        "'{0}' is no file, no job that is remembered, and no NAMESPACE/POD\nsee plimsoll jobs list; - reads a log from stdin"
    )]
    NothingToDiagnose(String),
    /// There is no such pod.
    #[error(
        "there is no pod '{0}'\nif it is gone, diagnose what its job has printed: plimsoll diagnose build.log"
    )]
    NoSuchPod(String),
    /// There is nothing remembered of this job.
    #[error("no job '{0}' is remembered\nsee plimsoll jobs list")]
    NoSuchJob(String),
    /// What is kept of capacity cannot be opened.
    #[error(transparent)]
    Capacity(#[from] plimsoll_capacity::StoreError),
    /// The configuration is not as it should be.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A server or a store said no; what it said, and what to do.
    #[error("{0}")]
    Asked(String),
    /// Nobody could be kept out.
    #[error(
        "--listen {0}: everybody who reaches it could change everything\ngive --tokens FILE, or listen on 127.0.0.1"
    )]
    Open(std::net::SocketAddr),
    /// The tokens cannot be read.
    #[error(transparent)]
    Access(#[from] crate::server::access::AccessError),
    /// History cannot be read.
    #[error(transparent)]
    History(#[from] plimsoll_history::HistoryError),
    /// No series is long enough to be judged.
    #[error("no series has {train} of history and {horizon} after it\nchoose a shorter --train or --horizon")]
    TooShort {
        /// `--train`.
        train: String,
        /// `--horizon` or `--resize-every`.
        horizon: String,
    },
    /// More is off than was allowed: `--fail-over`.
    #[error(
        "{count} containers request or are limited to something more than {percent} % off\napply the sizes, or raise --fail-over"
    )]
    Over {
        /// How many.
        count: usize,
        /// `--fail-over`, in percent.
        percent: f64,
    },
    /// Something is as bad as `--fail-on` says.
    #[error(
        "{count} {} at or above {least}\nplimsoll check --explain RULE says why, --fix mends what needs no decision",
        if *count == 1 { "finding" } else { "findings" }
    )]
    Found {
        /// How many.
        count: usize,
        /// `--fail-on`.
        least: &'static str,
    },
    /// Something in a report is as bad as `--fail-on` says.
    #[error(
        "{count} {} at or above {least}\neach names its next command; --fail-on never only tells",
        if *count == 1 { "finding" } else { "findings" }
    )]
    Reported {
        /// How many.
        count: usize,
        /// `--fail-on`.
        least: &'static str,
    },
    /// There is nothing that a report could be made of.
    #[error(
        "nothing to report on: no --source, no --server, and no builds are remembered in {0}\nname a Prometheus with --source URL, a folder that plimsoll run has filled with --store DIR, or plimsoll serve with --server URL"
    )]
    NothingToReport(String),
    /// There is no rule of this name.
    #[error("there is no rule '{0}'\nsee plimsoll check --list")]
    NoSuchRule(String),
    /// A file cannot be written.
    #[error("{path}: {error}\ncheck that its folder is there and may be written to")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// A file cannot be read.
    #[error("{path}: {error}\ncheck that it is there and may be read")]
    Input {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// A file is no plan, or no recommendations.
    #[error("{path}: {why}\nsee plimsoll plan --help for what is read and written")]
    NoPlan {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// A patch that somebody wrote is wrong.
    #[error("{place}: {why}")]
    Patch {
        /// The file, and where in it.
        place: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The cluster cannot be asked or changed.
    #[error(transparent)]
    Cluster(plimsoll_cluster::ClusterError),
    /// The cluster cannot be asked for the plans it has seen.
    #[error("{0}\nplimsoll history --local shows what this machine knows")]
    Unseen(plimsoll_cluster::ClusterError),
    /// Nobody knows this plan.
    #[error(
        "the cluster knows no plan '{0}', and neither does this machine\nsee plimsoll history; with its file: plimsoll rollback plan.json"
    )]
    NoSuchPlan(String),
    /// The only copy of a plan's journal is none.
    #[error(
        "plan {id}: the cluster's copy is not understood ({why}), and this machine has none\ntake it back from where it was applied, or with its file: plimsoll rollback plan.json"
    )]
    Damaged {
        /// The plan.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// A plan was begun, and nobody knows how far it is.
    #[error(
        "plan {0} was begun, and neither the cluster nor this machine knows how far it is\ntake it back by its file: plimsoll rollback plan.json"
    )]
    Lost(String),
    /// A plan's journal is of another form.
    #[error(
        "plan {id}: it was carried out by another plimsoll (its schema is {schema})\nuse one of that version"
    )]
    NewerPlan {
        /// The plan.
        id: String,
        /// The form.
        schema: String,
    },
    /// A plan is of another cluster.
    #[error(
        "nothing that plan {id} changes is in this cluster{at}\nname its cluster with --kubeconfig or --context"
    )]
    NotHere {
        /// The plan.
        id: String,
        /// Where it was carried out, as far as that is known.
        at: String,
    },
    /// A plan came after this one.
    #[error(
        "plan {later} came after plan {id}, and changes {workload} too\nfirst: plimsoll rollback {later}"
    )]
    Later {
        /// What is to go on, or back.
        id: String,
        /// What came after it.
        later: String,
        /// What both change.
        workload: String,
    },
    /// Nobody said yes.
    #[error("nothing was changed\nsay yes, or --yes where nobody can be asked")]
    NotAgreed,
    /// An address cannot be listened at.
    #[error("{address}: {error}\nlisten somewhere else: --listen")]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The cluster does not have what the controller reads.
    #[error(
        "the cluster has no MemoryPolicy and MemorySize\ninstall them: plimsoll crd | kubectl apply -f -"
    )]
    NoKinds,
    /// Somebody else is changing the cluster.
    #[error("{0} is changing this cluster\nwait until that is over, or ask there")]
    Held(String),
    /// A plan did not pass its check.
    #[error("the plan does not pass its check:\n{0}\nmake a new one: plimsoll plan")]
    Refused(String),
    /// A plan was taken back.
    #[error("all was taken back: {0}\nsee plimsoll history")]
    RolledBack(String),
    /// A plan is neither done nor taken back.
    #[error("plan {0} is neither done nor taken back yet\ngo on with plimsoll rollback {0}")]
    Unfinished(String),
    /// There is something in the folder that we did not write: it is not replaced.
    #[error("{0}: is there, and not all of it is ours\nchoose another folder")]
    NotOurs(String),
}
