//! What kubelets say of containers, asked now and then while a cluster is looked at more often; not at all where that is not granted.

use kube::Client;
use plimsoll_cluster::summary::{Answers, Summary, may_read, read};
use plimsoll_core::inventory::{Inventory, WorkloadId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Kubelets are asked so often; they read their containers each ten seconds or so.
const READ_EACH: Duration = Duration::from_secs(10);
/// One that did not answer, so often.
const AGAIN_EACH: Duration = Duration::from_secs(60);
/// What was read longer ago is not known any more.
const OLD: Duration = Duration::from_secs(25);
/// All of them together have so long, and who waits for them waits so long.
const READ_WITHIN: Duration = Duration::from_secs(8);
const WAIT_MAX: Duration = Duration::from_secs(4);

/// What was read last.
pub struct Kubelets {
    client: Client,
    may: bool,
    nodes: BTreeMap<String, Read>,
    /// When they were asked last.
    asked: Option<Instant>,
    reading: Option<JoinHandle<Answers>>,
}

/// Of a node.
struct Read {
    asked: Instant,
    summary: Option<Summary>,
}

impl Kubelets {
    /// Asks the API server whether we may.
    pub async fn of(client: &Client) -> Kubelets {
        let may = may_read(client).await;
        Kubelets { client: client.clone(), may, nodes: BTreeMap::new(), asked: None, reading: None }
    }

    /// Writes into an inventory what they have said of late, and asks those anew that run pods of these workloads, where it is time;
    /// without waiting for them.
    pub async fn fill(&mut self, seen: &mut Inventory, is_meant: impl Fn(&WorkloadId) -> bool) {
        if self.reading.as_ref().is_some_and(JoinHandle::is_finished) {
            self.collect().await;
        }
        self.ask(seen, is_meant);
        for pod in seen.pods.values_mut() {
            let read = pod.node.as_ref().and_then(|node| self.nodes.get(node));
            let read = read.filter(|read| read.asked.elapsed() <= OLD);
            if let Some(summary) = read.and_then(|read| read.summary.as_ref()) {
                summary.fill(pod);
            }
        }
    }

    /// Likewise, but waits a moment for them.
    pub async fn fill_now(&mut self, seen: &mut Inventory, is_meant: impl Fn(&WorkloadId) -> bool) {
        self.ask(seen, &is_meant);
        self.collect().await;
        self.fill(seen, is_meant).await;
    }

    fn ask(&mut self, seen: &Inventory, is_meant: impl Fn(&WorkloadId) -> bool) {
        let is_early = self.asked.is_some_and(|at| at.elapsed() < READ_EACH);
        if !self.may || self.reading.is_some() || is_early {
            return;
        }
        self.asked = Some(Instant::now());
        let ours = seen.pods.values().filter(|pod| pod.workload.as_ref().is_some_and(&is_meant));
        // Who was asked longest ago comes first: not all may have their turn.
        let asked = |node: &String| self.nodes.get(node).map(|read| read.asked);
        let mut due: Vec<_> =
            ours.filter_map(|pod| pod.node.clone()).map(|node| (asked(&node), node)).collect();
        due.sort();
        due.dedup();
        due.retain(|(_, node)| self.nodes.get(node).is_none_or(Read::is_due));
        if !due.is_empty() {
            let nodes = due.into_iter().map(|(_, node)| node).collect();
            self.reading = Some(tokio::spawn(read(self.client.clone(), nodes, READ_WITHIN)));
        }
    }

    async fn collect(&mut self) {
        let Some(reading) = &mut self.reading else { return };
        let Ok(read) = timeout(WAIT_MAX, reading).await else { return };
        self.reading = None;
        let asked = Instant::now();
        let of = |(node, summary)| (node, Read { asked, summary });
        self.nodes.extend(read.unwrap_or_default().into_iter().map(of));
    }
}

impl Read {
    fn is_due(&self) -> bool {
        self.summary.is_some() || self.asked.elapsed() >= AGAIN_EACH
    }
}
