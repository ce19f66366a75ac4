//! One change, held against the workload that is there.

use super::{FaultCode, Faults};
use crate::inventory::qos::{Class, class};
use crate::inventory::{Abilities, Container, Hand, Inventory, Sizes, Workload};
use crate::plan::{Change, ContainerChange, Way};
use std::collections::BTreeSet;

pub fn judge(change: &Change, inventory: &Inventory, faults: &mut Faults) {
    let id = &change.workload;
    let Some(workload) = inventory.workloads.get(id) else {
        faults.unless(false, FaultCode::NotThere, || format!("{id} is not there\nplan anew"));
        return;
    };
    let same = workload.uid == change.uid && workload.generation == change.generation;
    faults.unless(same, FaultCode::Outdated, || {
        format!("{id} is not what the plan was made for: it was changed or made anew\nplan anew")
    });
    faults.unless(workload.replicas == change.replicas, FaultCode::Replicas, || {
        format!(
            "{id} has {} pods, and the plan reckons with {}\nplan anew",
            workload.replicas, change.replicas
        )
    });
    faults.unless(workload.is_settled, FaultCode::Unsettled, || {
        format!("{id} is not settled: a rollout is under way, or pods are not ready\nwait for it")
    });
    faults.unless(!change.containers.is_empty(), FaultCode::Empty, || {
        format!("{id} is changed, but no container of it")
    });
    way(change, workload, inventory.abilities, faults);
    class_stays(change, workload, faults);
    let mut seen = BTreeSet::new();
    for changed in &change.containers {
        let at = format!("{id}, container '{}'", changed.name);
        faults.unless(seen.insert(&changed.name), FaultCode::Twice, || format!("{at} is changed twice"));
        match workload.containers.iter().find(|container| container.name == changed.name) {
            Some(container) => {
                sizes(changed, container, change.way, &at, faults);
                warned(change, container, &at, faults);
            }
            None => faults.unless(false, FaultCode::NotThere, || format!("{at} is not there\nplan anew")),
        }
        limit_ranges(changed, change, inventory, &at, faults);
        in_use(changed, change, inventory, &at, faults);
    }
}

/// The server can, and nobody else has a say.
fn way(change: &Change, workload: &Workload, abilities: Abilities, faults: &mut Faults) {
    let id = &change.workload;
    let in_place = change.way == Way::InPlace;
    let able = abilities.in_place && abilities.admission_policy;
    faults.unless(!in_place || able, FaultCode::NotAble, || {
        format!("{id} is to be sized in place, and the server cannot\nplan it as a rollout")
    });
    let is_guaranteed = class_of(workload, |container| &container.sizes) == Class::Guaranteed;
    for hand in &workload.hands {
        let (forbids, who) = match hand {
            Hand::MemoryAutoscaler(it) => (true, format!("HorizontalPodAutoscaler '{}'", it.name)),
            Hand::VerticalAutoscaler(name) => (true, format!("VerticalPodAutoscaler '{name}'")),
            Hand::MemoryPolicy(name) => {
                (true, format!("MemoryPolicy '{name}', by which its sizes follow use,"))
            }
            Hand::Source(mark) => (!in_place, format!("'{mark}', which keeps its template,")),
            Hand::StaticManager(node) => {
                (in_place && is_guaranteed, format!("the static memory manager of node '{node}'"))
            }
            Hand::Swap(node) => (in_place && !is_guaranteed, format!("the swap of node '{node}'")),
        };
        faults.unless(!forbids, FaultCode::Hand, || format!("{id}: {who} stands in the way\nplan anew"));
    }
}

fn class_of<'a>(workload: &'a Workload, sizes: impl Fn(&'a Container) -> &'a Sizes + Copy) -> Class {
    class(workload.containers.iter().map(move |container| (container, sizes(container))))
}

fn class_stays(change: &Change, workload: &Workload, faults: &mut Faults) {
    let after = |name: &str| change.containers.iter().find(|changed| changed.name == name);
    let was = class_of(workload, |container| &container.sizes);
    let becomes =
        class_of(workload, |container| after(&container.name).map_or(&container.sizes, |it| &it.after));
    faults.unless(was == becomes, FaultCode::ClassWouldChange, || {
        format!("{} is {was:?} and would become {becomes:?}", change.workload)
    });
}

/// A container's own sizes, from before and after.
fn sizes(changed: &ContainerChange, container: &Container, way: Way, at: &str, faults: &mut Faults) {
    let (before, after) = (&changed.before, &changed.after);
    faults.unless(*before == container.sizes, FaultCode::BeforeDiffers, || {
        format!("{at} does not have in its template what the plan says that it has\nplan anew")
    });
    faults.unless(!after.same(before), FaultCode::Empty, || format!("{at} would stay as it is"));
    faults.unless(!changed.evidence.is_empty(), FaultCode::Unexplained, || {
        format!("{at} is changed without a reason")
    });
    let limit_bytes = after.limit_bytes().unwrap_or(u64::MAX);
    faults.unless(limit_bytes >= changed.floor_bytes, FaultCode::BelowFloor, || {
        format!("{at} needs {} bytes, and would be limited to {limit_bytes}", changed.floor_bytes)
    });
    // To most of what runs containers no bytes are no limit.
    let is_bound = limit_bytes > 0 || before.limit_bytes() == Some(0);
    faults.unless(is_bound, FaultCode::BelowFloor, || format!("{at} would be limited to nothing"));
    faults.unless(after.requested_bytes() <= limit_bytes, FaultCode::RequestAboveLimit, || {
        format!("{at} would request {} bytes and be limited to {limit_bytes}", after.requested_bytes())
    });
    let lost = before.limit.is_some() && after.limit.is_none()
        || before.request.is_some() && after.request.is_none();
    faults.unless(!lost, FaultCode::NoWayBack, || {
        format!("{at} would lose its request or limit, and neither an apply nor a resize can take it away")
    });
    // A running pod requests its limit where only that is written.
    let requests = |sizes: &Sizes| sizes.request.is_some() || sizes.limit.is_some();
    let gained = before.limit.is_none() && after.limit.is_some() || !requests(before) && requests(after);
    faults.unless(way == Way::Rollout || !gained, FaultCode::NoWayBack, || {
        format!("{at} would get a request or limit that cannot be taken from a running pod again")
    });
}

/// What restarts, or does not follow, is said.
fn warned(change: &Change, container: &Container, at: &str, faults: &mut Faults) {
    let name = format!("'{}'", container.name);
    let restarts = container.restarts_on_resize && change.way == Way::InPlace;
    let said = change.warnings.iter().any(|words| words.contains(&name) && words.contains("resizePolicy"));
    faults.unless(!restarts || said, FaultCode::Unexplained, || {
        format!("{at} starts anew when it is resized, and no warning says so")
    });
    for bound in &container.fixed_bounds {
        let said = change.warnings.iter().any(|words| words.contains(&name) && words.contains(bound));
        faults.unless(said, FaultCode::Unexplained, || {
            format!("{at} bounds itself by {bound}, and no warning says so")
        });
    }
}

fn limit_ranges(
    changed: &ContainerChange,
    change: &Change,
    inventory: &Inventory,
    at: &str,
    faults: &mut Faults,
) {
    let request_bytes = changed.after.requested_bytes();
    let highest_bytes = changed.after.limit_bytes().unwrap_or(request_bytes).max(request_bytes);
    let ratio = highest_bytes as f64 / request_bytes as f64;
    for range in inventory.limit_ranges.iter().filter(|range| range.namespace == change.workload.namespace) {
        let allowed = range.min_bytes.unwrap_or(0) <= request_bytes
            && highest_bytes <= range.max_bytes.unwrap_or(u64::MAX)
            && (changed.after.limit.is_none() || range.max_ratio.is_none_or(|most| ratio <= most));
        faults.unless(allowed, FaultCode::LimitRange, || {
            format!("{at} would be out of the bounds of LimitRange '{}'", range.name)
        });
    }
}

/// Whatever was read when the plan was made, no pod uses more than the floor now.
fn in_use(changed: &ContainerChange, change: &Change, inventory: &Inventory, at: &str, faults: &mut Faults) {
    let of_workload = inventory.pods.values().filter(|pod| pod.workload.as_ref() == Some(&change.workload));
    let running = of_workload.flat_map(|pod| &pod.containers).filter(|running| running.name == changed.name);
    let used_bytes = running.filter_map(|running| running.used_bytes).max().unwrap_or(0);
    faults.unless(used_bytes <= changed.floor_bytes, FaultCode::FloorTooLow, || {
        format!(
            "{at} uses {used_bytes} bytes now, and the plan reckons with {}\nplan anew",
            changed.floor_bytes
        )
    });
}
