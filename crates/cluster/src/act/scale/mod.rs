//! Has more pods ahead of time, and fewer afterwards, by whatever scales them: the replicas of a workload; the least that an
//! autoscaler keeps, which stays the autoscaler's for the rest; or a CapacityBuffer, which has nodes ready before there are pods.
//!
//! What is set is a number, so that setting it twice is setting it once. Nothing else of an object is touched.

mod least;
mod replicas;
mod workload;

use super::Done;
use crate::{ClusterError, rights};
use kube::Client;
use plimsoll_core::capacity::booking::timeline::{Mark, Move};
use plimsoll_core::inventory::{Kind, WorkloadId};
use std::fmt;

/// What is set, so that there are more pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaler {
    /// What it is.
    pub way: Way,
    /// Where it is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// The kubeconfig's context for its cluster; none for the current one, or the pod's own account.
    pub context: Option<String>,
}

/// What a scaler is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A workload that nothing else scales: its replicas.
    Replicas(Kind),
    /// A HorizontalPodAutoscaler: its `minReplicas`.
    Autoscaler,
    /// KEDA's ScaledObject: its `minReplicaCount`.
    ScaledObject,
    /// A CapacityBuffer for pods like those of this workload beside it: its `replicas`, which are those that are still to come.
    Buffer(Kind, String),
}

/// How it is at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it is set to.
    pub set: u32,
    /// It cannot be set to more.
    pub most: u32,
    /// What it has of [`moved`](plimsoll_core::capacity::booking::timeline::moved); never of replicas, as their scale has no place for it:
    /// whoever sets those remembers it.
    pub mark: Option<Mark>,
    /// Pods there are.
    pub running: u32,
    /// Pods that are ready.
    pub ready: u32,
    /// Pods for which there is a node already, beside those that are running.
    pub spare: u32,
    /// Whose pods these are.
    pub workload: WorkloadId,
    /// How to find them.
    selector: kube::core::Selector,
    /// Of the object that is set; none where it is not there yet.
    version: Option<String>,
}

impl Scaler {
    /// How it is now.
    ///
    /// # Errors
    ///
    /// Where the server does not answer, or it cannot be scaled so: something else does, or it is not there.
    pub async fn look(&self, client: &Client) -> Result<Found, ClusterError> {
        match &self.way {
            Way::Replicas(kind) => replicas::look(client, self, *kind).await,
            _ => least::look(client, self).await,
        }
    }

    /// Sets it, unless it has changed since it was found: then it is [`Done::Gone`].
    ///
    /// # Errors
    ///
    /// Where the server does not answer or refuses.
    pub async fn set(&self, client: &Client, found: &Found, to: Move) -> Result<Done, ClusterError> {
        match &self.way {
            Way::Replicas(kind) => replicas::set(client, self, *kind, found, to).await,
            _ => least::set(client, self, found, to).await,
        }
    }

    /// Pods of which a container has restarted, by name, and when the last one did, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// Where the server does not answer.
    pub async fn restarts(&self, client: &Client, found: &Found) -> Result<Vec<(String, i64)>, ClusterError> {
        workload::restarts(client, found).await
    }

    /// What it has to be set to for so many pods, by how it is.
    pub fn for_pods(&self, pods: u32, found: &Found) -> u32 {
        match self.way {
            Way::Buffer(..) => pods.saturating_sub(found.running),
            _ => pods,
        }
    }

    fn unfit(&self, why: String, next: String) -> ClusterError {
        ClusterError::Unfit { what: self.to_string(), why, next }
    }
}

/// As `plimsoll.yaml` has it.
impl fmt::Display for Scaler {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let way = match &self.way {
            Way::Replicas(Kind::Deployment) => "deployment",
            Way::Replicas(_) => "statefulset",
            Way::Autoscaler => "hpa",
            Way::ScaledObject => "scaled_object",
            Way::Buffer(..) => "capacity_buffer",
        };
        write!(f, "{way} {}/{}", self.namespace, self.name)
    }
}

/// What came of a request; a right that is missing is one of the service's role.
fn failed(what: &str, error: kube::Error) -> ClusterError {
    match ClusterError::of(what, error) {
        ClusterError::Forbidden { what, message, .. } => {
            ClusterError::Forbidden { what, message, granted_by: Some(rights::Purpose::Serve) }
        }
        other => other,
    }
}

/// What came of changing something: a conflict says that it is not as it was found.
fn changed<T>(what: &str, result: Result<T, kube::Error>) -> Result<Done, ClusterError> {
    match result {
        Ok(_) => Ok(Done::Yes),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(Done::Gone),
        Err(error) => Err(failed(what, error)),
    }
}
