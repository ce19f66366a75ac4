//! What the changes of a plan come to together: its totals, and the quotas of namespaces after each of its changes.

use super::{FaultCode, Faults};
use crate::inventory::{Inventory, Kind, Quota, Sizes};
use crate::plan::{Change, Plan, Totals, Way};

/// Sums of requests and of limits, in bytes.
type Sums = [i128; 2];

const NAMES: [&str; 2] = ["requests", "limits"];

fn sums(sizes: &Sizes) -> Sums {
    [sizes.requested_bytes(), sizes.limit_bytes().unwrap_or(0)].map(i128::from)
}

fn add(to: &mut Sums, more: Sums, times: i128) {
    for (sum, more) in to.iter_mut().zip(more) {
        *sum += more * times;
    }
}

pub fn totals(plan: &Plan, faults: &mut Faults) {
    let (mut before, mut after) = (Sums::default(), Sums::default());
    for change in &plan.changes {
        for container in &change.containers {
            add(&mut before, sums(&container.before), i128::from(change.replicas));
            add(&mut after, sums(&container.after), i128::from(change.replicas));
        }
    }
    let [request_before_bytes, limit_before_bytes] = before.map(fits);
    let [request_after_bytes, limit_after_bytes] = after.map(fits);
    let right = Totals { request_before_bytes, request_after_bytes, limit_before_bytes, limit_after_bytes };
    faults.unless(plan.totals == right, FaultCode::Totals, || {
        format!("the plan's totals are {:?}, and its changes come to {right:?}", plan.totals)
    });
}

/// The largest there is where it is more.
fn fits(sum: i128) -> u64 {
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// Plays the changes in their order: none may grow a sum beyond what its quota allows.
pub fn quotas(changes: &[Change], inventory: &Inventory, faults: &mut Faults) {
    for quota in &inventory.quotas {
        let mut grown = Sums::default();
        for change in changes.iter().filter(|change| change.workload.namespace == quota.namespace) {
            let growth = growth(change, inventory);
            add(&mut grown, growth, 1);
            let surge = surge(change, inventory);
            for at in 0..NAMES.len() {
                let Some((most, used)) = bound(quota, at) else { continue };
                let peak = i128::from(used) + grown[at] + surge[at];
                let held = growth[at] <= 0 || peak <= i128::from(most);
                faults.unless(held, FaultCode::Quota, || {
                    format!(
                        "{} would bring the {} under ResourceQuota '{}' to {peak} of {most} bytes",
                        change.workload, NAMES[at], quota.name
                    )
                });
            }
        }
    }
}

fn bound(quota: &Quota, at: usize) -> Option<(u64, u64)> {
    if at == 0 { quota.requests } else { quota.limits }
}

/// From what its pods have to what they get; by its template where no pod is known.
fn growth(change: &Change, inventory: &Inventory) -> Sums {
    let mut growth = Sums::default();
    let mut is_running = false;
    for pod in inventory.pods.values().filter(|pod| pod.workload.as_ref() == Some(&change.workload)) {
        is_running = true;
        for changed in &change.containers {
            if let Some(running) = pod.containers.iter().find(|running| running.name == changed.name) {
                add(&mut growth, sums(&changed.after), 1);
                add(&mut growth, sums(&running.desired), -1);
            }
        }
    }
    if !is_running {
        for changed in &change.containers {
            add(&mut growth, sums(&changed.after), i128::from(change.replicas));
            add(&mut growth, sums(&changed.before), -i128::from(change.replicas));
        }
    }
    growth
}

/// A Deployment rolls out with one pod too many.
fn surge(change: &Change, inventory: &Inventory) -> Sums {
    let mut surge = Sums::default();
    let workload = inventory.workloads.get(&change.workload);
    let surges =
        change.way == Way::Rollout && change.workload.kind == Kind::Deployment && change.replicas > 0;
    for container in workload.filter(|_| surges).into_iter().flat_map(|workload| &workload.containers) {
        let changed = change.containers.iter().find(|changed| changed.name == container.name);
        add(&mut surge, sums(changed.map_or(&container.sizes, |changed| &changed.after)), 1);
    }
    surge
}
