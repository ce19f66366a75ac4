//! Pods: what is left to do for each.

use super::cure;
use super::journal::Journal;
use super::order::{Order, Progress};
use super::sizes::{Next, Route, alike, explicit, is_lower};
use super::strangers::home;
use super::waves;
use super::{Phase, forward};
use crate::inventory::{Inventory, Pod, ResizeState, Running, Sizes, WorkloadId};
use crate::plan::{Change, Way};

/// Something that is left to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Todo {
    /// Objects of workloads; they count for no resize.
    pub first: Vec<Order>,
    /// Resizes of pods.
    pub resizes: Vec<Task>,
    /// What is waited for, in words.
    pub waits: Vec<String>,
    /// How much is left; it falls as things come nearer to done.
    pub left: u64,
    /// Things that do not say yet what they should.
    pub unsaid: u64,
}

impl Todo {
    /// What there is something against waits for that; what was killed for want of memory does not.
    pub fn hold(&mut self, why: impl Fn(&Order) -> Option<String>) {
        let Todo { first, resizes, waits, .. } = self;
        let mut may_go = |order: &Order| {
            let why = why(order);
            waits.extend(why.clone());
            why.is_none()
        };
        first.retain(&mut may_go);
        resizes.retain(|task| task.is_urgent || may_go(&task.order));
    }
}

/// A resize that is due.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub order: Order,
    /// Memory that it moves, in bytes.
    pub moves_bytes: u64,
    /// For want of memory something was killed there: before all others, and whatever it moves.
    pub is_urgent: bool,
    /// A resize of this pod is under way already: this one only changes where it goes.
    pub is_in_flight: bool,
}

/// What a pod is at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Need {
    /// It is done.
    Nothing,
    /// It is waited for.
    Wait(String),
    /// These sizes, which move so many bytes.
    Resize(Vec<(String, Sizes)>, u64),
}

/// Pods of a workload that are not being deleted, by name.
pub(super) fn of_workload<'a>(
    seen: &'a Inventory,
    id: &'a WorkloadId,
) -> impl Iterator<Item = (&'a str, &'a Pod)> {
    let pods = seen.pods.iter().filter(move |((namespace, _), _)| *namespace == id.namespace);
    pods.filter(move |(_, pod)| pod.workload.as_ref() == Some(id) && !pod.is_leaving)
        .map(|((_, name), pod)| (name.as_str(), pod))
}

/// A container of a pod that a route leads.
pub(super) fn running<'a>(pod: &'a Pod, route: &Route) -> Option<&'a Running> {
    pod.containers.iter().find(|running| running.name == route.name)
}

/// All containers that change have sizes from before, or ours.
pub(super) fn is_known(pod: &Pod, routes: &[Route]) -> bool {
    routes.iter().all(|route| running(pod, route).is_some_and(|found| route.knows(&found.desired)))
}

/// What the kubelet has and what it should have differ, as far as it was told.
pub(super) fn is_unsettled(pod: &Pod) -> bool {
    let differs = |running: &Running| running.actual.as_ref().is_some_and(|it| !alike(it, &running.desired));
    pod.resize.is_some() || pod.containers.iter().any(differs)
}

/// It runs somewhere, and nothing is known of what it has.
fn is_starting(pod: &Pod) -> bool {
    pod.node.is_some() && pod.containers.iter().any(|running| running.actual.is_none())
}

/// How much is left to do for a pod.
pub(super) fn left(pod: &Pod, routes: &[Route]) -> u64 {
    let steps = routes.iter().filter_map(|route| Some(route.left(running(pod, route)?))).sum::<u64>();
    // Its cure goes up first, and comes nearer to done by that too.
    let cure = if is_held(pod) { 2 } else { 0 };
    steps + u64::from(is_unsettled(pod) || is_starting(pod)) + cure
}

/// The pod has sizes from us.
pub(super) fn has_begun(pod: &Pod, routes: &[Route]) -> bool {
    routes.iter().any(|route| running(pod, route).is_some_and(|found| route.has_begun(&found.desired)))
}

/// The pod still has sizes from us, whatever it was told since.
pub(super) fn still_has(pod: &Pod, routes: &[Route]) -> bool {
    let actual = |route: &Route| running(pod, route).and_then(|running| running.actual.as_ref());
    routes.iter().any(|route| actual(route).is_some_and(|actual| route.has_begun(actual)))
}

/// A pod's next sizes, for containers that are not there yet.
pub(super) fn need(pod: &Pod, routes: &[Route]) -> Need {
    let (mut sizes, mut moves_bytes, mut wait) = (Vec::new(), 0u64, None);
    for (route, running) in routes.iter().filter_map(|route| Some((route, running(pod, route)?))) {
        match route.next(running, pod.is_ready, is_hopeless(pod)) {
            _ if cure::is_at_it(pod, route, running) => wait = Some(standing(pod)),
            Next::Go(next) if !alike(&next, &running.desired) => {
                moves_bytes = moves_bytes.saturating_add(moved(&running.desired, &next));
                sizes.push((route.name.clone(), next));
            }
            Next::Go(_) => wait = Some(standing(pod)),
            Next::Wait(why) => wait = Some(why),
            Next::There => {}
        }
    }
    match wait {
        _ if !sizes.is_empty() => Need::Resize(sizes, moves_bytes),
        Some(why) => Need::Wait(why),
        None if is_unsettled(pod) => match cure::nudge(pod, routes) {
            Some(nudge) => Need::Resize(vec![nudge], cure::NUDGE_BYTES),
            None => Need::Wait(standing(pod)),
        },
        None if is_starting(pod) => Need::Wait("it starts".to_string()),
        None => Need::Nothing,
    }
}

/// How the resize of a pod stands, in words.
pub(super) fn standing(pod: &Pod) -> String {
    let Some(resize) = &pod.resize else { return "the kubelet has not seen it yet".to_string() };
    let state = match resize.state {
        ResizeState::InProgress => "the kubelet is at it",
        ResizeState::Deferred => "its node has no room now",
        ResizeState::Infeasible => never(&resize.message),
        ResizeState::Error => "the kubelet could not",
        ResizeState::Held { .. } => "the kubelet took it for done",
    };
    if resize.message.is_empty() { state.to_string() } else { format!("{state}: {}", resize.message) }
}

/// Why a kubelet will never do it, by its words (1.36, `pkg/kubelet/allocation/handlers.go`).
fn never(message: &str) -> &'static str {
    match message {
        _ if message.contains("containers with swap") => {
            "it may swap, and its node does not resize it while it runs; plan it as a rollout"
        }
        _ if message.contains("Memory Manager policy") => {
            "its node pins its memory and does not resize it while it runs; plan it as a rollout"
        }
        _ => "its node will never have room",
    }
}

/// Memory between two sizes, in bytes.
fn moved(from: &Sizes, to: &Sizes) -> u64 {
    let limits = from.limit_bytes().zip(to.limit_bytes()).map_or(0, |(one, other)| one.abs_diff(other));
    limits.max(from.requested_bytes().abs_diff(to.requested_bytes()))
}

/// The pod has these sizes: what is under way is called off, and nothing starts anew.
pub(super) fn calls_off(pod: &Pod, containers: &[(String, Sizes)]) -> bool {
    containers.iter().all(|(name, sizes)| {
        let found = pod.containers.iter().find(|running| running.name == *name);
        found.and_then(|running| running.actual.as_ref()).is_some_and(|actual| alike(actual, sizes))
    })
}

/// A resize takes nothing from what its containers have.
pub(super) fn gives(pod: &Pod, containers: &[(String, Sizes)]) -> bool {
    containers.iter().all(|(name, sizes)| {
        let found = pod.containers.iter().find(|running| running.name == *name);
        found.is_some_and(|it| !is_lower(sizes, it.actual.as_ref().unwrap_or(&it.desired)))
    })
}

/// A container that a route leads should not have the end of it yet.
pub(super) fn is_unsaid(pod: &Pod, routes: &[Route]) -> bool {
    routes.iter().any(|route| running(pod, route).is_some_and(|found| !alike(&found.desired, &route.to)))
}

/// The order that resizes a pod from what was seen.
pub(super) fn resize(change: &Change, name: &str, pod: &Pod, containers: Vec<(String, Sizes)>) -> Order {
    let was = |(name, _): &(String, Sizes)| {
        let found = pod.containers.iter().find(|running| running.name == *name)?;
        Some((name.clone(), found.desired.clone()))
    };
    Order::ResizePod {
        namespace: change.workload.namespace.clone(),
        pod: name.to_string(),
        uid: pod.uid.clone(),
        from: containers.iter().filter_map(was).collect(),
        containers,
    }
}

/// How far it is.
pub(super) fn progress(journal: &Journal, seen: &Inventory) -> Progress {
    let plan = &journal.plan;
    let wave = match &journal.phase {
        Phase::Applying { wave, .. } => wave + 1,
        _ => 0,
    };
    let mut progress = Progress { wave, waves: waves::count(plan), ..Progress::default() };
    for (change, known) in plan.changes.iter().zip(&journal.known) {
        let routes = forward::routes(plan, change, known, seen);
        for (_, pod) in of_workload(seen, &change.workload) {
            progress.pods += 1;
            let is_there = |route: &Route| {
                let actual = running(pod, route).and_then(|running| running.actual.as_ref());
                actual.is_some_and(|actual| alike(actual, &route.to))
            };
            progress.pods_sized += u32::from(routes.iter().all(is_there));
            for container in &change.containers {
                let Some(found) = pod.containers.iter().find(|it| it.name == container.name) else {
                    continue;
                };
                let before =
                    if change.way == Way::InPlace { home(known, container) } else { &container.before };
                progress.reserved_bytes += pod.counted_bytes(found);
                progress.reserved_before_bytes += explicit(before).requested_bytes();
            }
        }
    }
    progress
}

/// Only another resize gives its containers what they have by the kubelet's word.
pub(super) fn is_held(pod: &Pod) -> bool {
    pod.resize.as_ref().is_some_and(|resize| matches!(resize.state, ResizeState::Held { .. }))
}

/// Its node will never do what it should.
pub(super) fn is_hopeless(pod: &Pod) -> bool {
    pod.resize.as_ref().is_some_and(|resize| resize.state == ResizeState::Infeasible)
}

/// What is waited for, in a line.
pub(super) fn summary(waits: &[String], otherwise: &str) -> String {
    match waits {
        [] => otherwise.to_string(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} (and {} more)", rest.len()),
    }
}
