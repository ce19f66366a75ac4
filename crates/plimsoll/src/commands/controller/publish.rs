//! What is right, as VerticalPodAutoscalers that change nothing, for the policies that want it so. Only what is not the same
//! any more is written: what is right moves a little at each decision, and nobody who reads it needs to know.

use super::round::View;
use kube::Client;
use plimsoll_cluster::ClusterError;
use plimsoll_cluster::act::{self, Done};
use plimsoll_core::controller::Controller;
use plimsoll_core::controller::sizing::ContainerId;
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{Inventory, Sizes, WorkloadId};
use plimsoll_core::plan::planner::is_near;
use std::collections::{BTreeMap, BTreeSet};

/// Sizes of containers, by name.
type Containers = Vec<(String, Sizes)>;

/// Objects that are written at once: a kill that comes meanwhile is answered after them.
const PORTION: usize = 50;

/// What was published, and what is to be.
pub(super) struct Published {
    /// By us, since we lead.
    known: BTreeMap<WorkloadId, Containers>,
    /// Not written yet.
    due: BTreeMap<WorkloadId, Containers>,
    /// There may be some of ours in the cluster.
    may_be_some: bool,
}

impl Published {
    /// Whoever led before may have left some.
    pub fn unknown() -> Published {
        Published { known: BTreeMap::new(), due: BTreeMap::new(), may_be_some: true }
    }

    /// Takes what was decided, and withdraws what is not wanted any more. `namespace`: only there.
    pub async fn renew(
        &mut self,
        client: &Client,
        namespace: Option<&str>,
        view: &View,
        controller: &Controller,
    ) -> Result<(), ClusterError> {
        self.due = wanted(view, controller);
        if self.due.is_empty() && !self.may_be_some {
            return Ok(());
        }
        let ids: BTreeSet<WorkloadId> = self.due.keys().cloned().collect();
        if !ids.iter().eq(self.known.keys()) {
            act::withdraw_verticals(client, namespace, &ids).await?;
            self.known.retain(|id, _| ids.contains(id));
        }
        let known = &self.known;
        self.due.retain(|id, due| known.get(id).is_none_or(|known| !is_as_known(known, due)));
        self.may_be_some = !ids.is_empty();
        Ok(())
    }

    /// Writes some of what is due; after an error no more of it before the next decision.
    pub async fn write(&mut self, client: &Client) -> Result<(), ClusterError> {
        let written = self.write_portion(client).await;
        if written.is_err() {
            self.due.clear();
        }
        written
    }

    async fn write_portion(&mut self, client: &Client) -> Result<(), ClusterError> {
        for _ in 0..PORTION {
            let Some((id, containers)) = self.due.first_key_value() else { break };
            if !self.known.contains_key(id) {
                act::create_vertical(client, id).await?;
            }
            let done = act::recommend(client, id, containers).await?;
            let Some((id, containers)) = self.due.pop_first() else { break };
            match done {
                Done::Yes => self.known.insert(id, containers),
                // Somebody has deleted it: the next decision makes it anew.
                Done::Gone => self.known.remove(&id),
            };
        }
        Ok(())
    }
}

fn wanted(view: &View, controller: &Controller) -> BTreeMap<WorkloadId, Containers> {
    let wants = |index: &usize| view.read[*index].object.spec.publish_vertical_pod_autoscalers;
    let ids = view.governed.iter().filter(|(_, index)| wants(index)).map(|(id, _)| id);
    let all = ids.map(|id| (id.clone(), recommended(&view.inventory, controller, id)));
    all.filter(|(_, containers)| !containers.is_empty()).collect()
}

fn recommended(seen: &Inventory, controller: &Controller, id: &WorkloadId) -> Containers {
    let containers = seen.workloads.get(id).map_or(&[][..], |workload| &workload.containers);
    let size = |name: &String| {
        let container = ContainerId { workload: id.clone(), container: name.clone() };
        let wanted = controller.wanted(&container)?;
        let of = |bytes| Some(Quantity::of_bytes(bytes));
        Some((name.clone(), Sizes { request: of(wanted.request_bytes), limit: of(wanted.limit_bytes) }))
    };
    containers.iter().filter_map(|container| size(&container.name)).collect()
}

/// The same containers, and none so far away that a plan would change it.
fn is_as_known(known: &[(String, Sizes)], containers: &[(String, Sizes)]) -> bool {
    let near = |before: &Sizes, after: &Sizes| {
        let limits = (before.limit_bytes().unwrap_or(0), after.limit_bytes().unwrap_or(0));
        is_near(before.requested_bytes(), after.requested_bytes()) && is_near(limits.0, limits.1)
    };
    known.len() == containers.len()
        && known
            .iter()
            .zip(containers)
            .all(|((name, before), (other, after))| name == other && near(before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_little_off_is_not_written_again() {
        let one = |name: &str, request_mib: u64, limit_mib: u64| {
            let of = |mib: u64| Some(Quantity::of_bytes(mib << 20));
            (name.to_string(), Sizes { request: of(request_mib), limit: of(limit_mib) })
        };
        let check = |known: &[(String, Sizes)], wanted: &[(String, Sizes)], expect: bool| {
            assert_eq!(is_as_known(known, wanted), expect, "{known:?} {wanted:?}");
        };
        let known = [one("app", 100, 200)];
        check(&known, &[one("app", 100, 200)], true);
        check(&known, &[one("app", 104, 209)], true);
        check(&known, &[one("app", 105, 200)], false);
        check(&known, &[one("app", 100, 190)], false);
        check(&known, &[one("web", 100, 200)], false);
        check(&known, &[one("app", 100, 200), one("log", 16, 16)], false);
        check(&[one("app", 1000, 2000)], &[one("app", 1000, 2016)], false);
    }
}
