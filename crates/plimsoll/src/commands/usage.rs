//! Use of containers, read now and then while a cluster is looked at more often.

use kube::Client;
use plimsoll_cluster::ClusterError;
use plimsoll_cluster::usage::{Usage, usage};
use plimsoll_core::inventory::Inventory;
use std::time::{Duration, Instant};

/// Use that was read longer ago is not known any more, in readings.
const OLD_READINGS: u32 = 3;

/// Whoever reads holds a lease, and must not lose it by waiting.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// What was read last.
#[derive(Debug)]
pub struct Sampling {
    each: Duration,
    tried: Option<Instant>,
    taken: Option<Instant>,
    usage: Usage,
}

impl Sampling {
    /// Reads it so often.
    pub fn each(each: Duration) -> Sampling {
        Sampling { each, tried: None, taken: None, usage: Usage::default() }
    }

    /// Reads it where it is time; whether it did.
    pub async fn take(&mut self, client: &Client, namespace: Option<&str>) -> Result<bool, ClusterError> {
        if self.tried.is_some_and(|at| at.elapsed() < self.each) {
            return Ok(false);
        }
        self.tried = Some(Instant::now());
        let read = tokio::time::timeout(READ_WITHIN, usage(client, namespace)).await;
        self.usage = read.map_err(|_| ClusterError::Failed {
            what: "the use of pods (metrics.k8s.io)".into(),
            message: format!("no answer within {} s", READ_WITHIN.as_secs()),
        })??;
        self.taken = Some(Instant::now());
        Ok(true)
    }

    /// When the latest of it was read, in milliseconds since 1970.
    pub fn at_ms(&self) -> Option<i64> {
        self.usage.at_ms
    }

    /// Writes it into an inventory, unless it is old.
    pub fn fill(&self, inventory: &mut Inventory) {
        if self.taken.is_some_and(|at| at.elapsed() <= self.each * OLD_READINGS) {
            self.usage.fill(inventory);
        }
    }
}
