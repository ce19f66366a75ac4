//! The order of changes, and the room that quotas leave them: sums over a namespace, in bytes.
//!
//! The order is that of risk. Limits that grow come first, since they relieve; then small workloads before large ones. What
//! finds no room waits until what shrinks has made some, so the sums hold after each change and not only in the end.

use super::left_alone;
use crate::inventory::{Inventory, Kind, Pod, Quota, Sizes, WorkloadId};
use crate::plan::{Change, LeftAlone, LeftAloneCode, Way};
use crate::size::human;
use std::collections::BTreeMap;

/// Quotas, and what they have left.
pub struct Room<'a>(Vec<Bound<'a>>);

/// A quota's bound on requests or on limits.
struct Bound<'a> {
    quota: &'a Quota,
    sum: Sum,
    left_bytes: i128,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sum {
    Requests,
    Limits,
}

impl Sum {
    fn bytes(self, sizes: &Sizes) -> i128 {
        i128::from(match self {
            Sum::Requests => sizes.requested_bytes(),
            Sum::Limits => sizes.limit_bytes().unwrap_or(0),
        })
    }

    fn name(self) -> &'static str {
        match self {
            Sum::Requests => "requests",
            Sum::Limits => "limits",
        }
    }
}

/// Those that find room, in order; the others are left alone.
pub fn in_order(
    mut changes: Vec<Change>,
    inventory: &Inventory,
    pods: &BTreeMap<&WorkloadId, Vec<&Pod>>,
    left: &mut Vec<LeftAlone>,
) -> Vec<Change> {
    changes.sort_by_cached_key(|change| (!relieves(change), change.replicas, change.workload.clone()));
    let mut room = Room::of(inventory);
    let (mut fit, mut waiting) = (Vec::new(), Vec::new());
    for change in changes {
        match room.take(&change, inventory, pods) {
            Ok(()) => fit.push(change),
            Err(_) => waiting.push(change),
        }
    }
    for change in waiting {
        match room.take(&change, inventory, pods) {
            Ok(()) => fit.push(change),
            Err(reason) => left.push(left_alone(&change.workload, None, LeftAloneCode::Quota, reason)),
        }
    }
    fit
}

/// A limit grows.
fn relieves(change: &Change) -> bool {
    let limits = change.containers.iter().map(|one| (one.before.limit_bytes(), one.after.limit_bytes()));
    limits.into_iter().any(|(before, after)| before.zip(after).is_some_and(|(before, after)| before < after))
}

impl<'a> Room<'a> {
    fn of(inventory: &'a Inventory) -> Room<'a> {
        let bounds = inventory.quotas.iter().flat_map(|quota| {
            let sums = [(Sum::Requests, quota.requests), (Sum::Limits, quota.limits)];
            sums.into_iter().filter_map(move |(sum, bound)| {
                let (most, used) = bound?;
                Some(Bound { quota, sum, left_bytes: i128::from(most) - i128::from(used) })
            })
        });
        Room(bounds.collect())
    }

    /// Takes what a change needs, or says what has too little; what shrinks always fits.
    fn take(
        &mut self,
        change: &Change,
        inventory: &Inventory,
        pods: &BTreeMap<&WorkloadId, Vec<&Pod>>,
    ) -> Result<(), String> {
        let pods = pods.get(&change.workload).map_or(&[][..], Vec::as_slice);
        let mine = |bound: &&mut Bound| bound.quota.namespace == change.workload.namespace;
        for bound in self.0.iter_mut().filter(mine) {
            let grows_bytes = growth_bytes(change, bound.sum, pods);
            let surge_bytes = surge_bytes(change, bound.sum, inventory);
            if grows_bytes > 0 && grows_bytes + surge_bytes > bound.left_bytes {
                return Err(reason(bound, grows_bytes, surge_bytes));
            }
        }
        for bound in self.0.iter_mut().filter(mine) {
            bound.left_bytes -= growth_bytes(change, bound.sum, pods);
        }
        Ok(())
    }
}

/// What all pods together get more than they have. Pods may have been resized before, so it is what they have that counts,
/// not their template.
fn growth_bytes(change: &Change, sum: Sum, pods: &[&Pod]) -> i128 {
    if pods.is_empty() {
        let growth = change.containers.iter().map(|one| sum.bytes(&one.after) - sum.bytes(&one.before));
        return growth.sum::<i128>() * i128::from(change.replicas);
    }
    let growth = pods.iter().flat_map(|pod| &pod.containers).filter_map(|running| {
        let changed = change.containers.iter().find(|one| one.name == running.name)?;
        Some(sum.bytes(&changed.after) - sum.bytes(&running.desired))
    });
    growth.sum()
}

/// The one pod that a Deployment has too many while it rolls out.
fn surge_bytes(change: &Change, sum: Sum, inventory: &Inventory) -> i128 {
    if change.way != Way::Rollout || change.workload.kind != Kind::Deployment || change.replicas == 0 {
        return 0;
    }
    let containers =
        inventory.workloads.get(&change.workload).map_or(&[][..], |workload| &workload.containers);
    let after = containers.iter().map(|container| {
        let changed = change.containers.iter().find(|one| one.name == container.name);
        sum.bytes(changed.map_or(&container.sizes, |one| &one.after))
    });
    after.sum()
}

fn reason(bound: &Bound, grows_bytes: i128, surge_bytes: i128) -> String {
    let words = |bytes: i128| human(u64::try_from(bytes.max(0)).unwrap_or(u64::MAX));
    let surge = match surge_bytes {
        0 => String::new(),
        bytes => format!(" and {} for one more pod while it rolls out", words(bytes)),
    };
    format!(
        "ResourceQuota '{}' has {} of {} left, and it needs {} more{surge}; raise that quota first",
        bound.quota.name,
        words(bound.left_bytes),
        bound.sum.name(),
        words(grows_bytes),
    )
}
