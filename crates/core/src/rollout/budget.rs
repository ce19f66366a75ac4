//! Budgets: what may be ordered now of what is left to do.

use super::journal::Journal;
use super::order::Order;
use super::pods::{Todo, is_held, is_unsettled, of_workload};
use crate::inventory::{Inventory, Pod, ResizeState, Running};
use crate::plan::Change;

/// Pods of a workload that resizes which start containers anew may make unready now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spare {
    ready: u32,
    /// More are missing than may be.
    is_over: bool,
}

impl Spare {
    /// `None` where a resize starts nothing anew. Pods that wait for room may start anew at any time, so they are missing
    /// already. When it is late, neither those nor pods that are missing anyway keep the others from going.
    pub fn of(change: &Change, seen: &Inventory, is_late: bool) -> Option<Spare> {
        let workload = seen.workloads.get(&change.workload)?;
        workload.containers.iter().find(|container| {
            container.restarts_on_resize && change.containers.iter().any(|it| it.name == container.name)
        })?;
        let is_up = |pod: &Pod| pod.is_ready && !is_in_flight(pod, is_late);
        let up = of_workload(seen, &change.workload).filter(|(_, pod)| is_up(pod)).count();
        let missing = workload.replicas.saturating_sub(u32::try_from(up).unwrap_or(u32::MAX));
        let may = workload.max_unavailable;
        Some(Spare { ready: may.saturating_sub(missing), is_over: missing > may && !is_late })
    }
}

/// Whether a pod may start anew now, and one less after it. One that is missing may, if not too many are: it could be ready
/// again before its kubelet comes to it. What was killed has nothing to lose.
pub(super) fn may_restart(spare: &mut Option<Spare>, pod: &Pod) -> bool {
    let Some(spare) = spare else { return true };
    if !pod.is_ready {
        return !spare.is_over || pod.containers.iter().any(Running::was_oom_killed);
    }
    let may = spare.ready > 0;
    spare.ready = spare.ready.saturating_sub(1);
    may
}

/// Orders within the budget, and whether some had to wait for memory that may be moved alone. Going back is not bound
/// by that: it gives what had been there.
pub(super) fn within_budget(
    journal: &mut Journal,
    todo: Todo,
    seen: &Inventory,
    is_back: bool,
) -> (Vec<Order>, bool) {
    let plan = &journal.plan;
    let pods = plan.changes.iter().flat_map(|change| of_workload(seen, &change.workload));
    let under_way = pods.filter(|(_, pod)| is_in_flight(pod, is_back)).count();
    let mut slots = (plan.budget.resizes_at_once.max(1) as usize).saturating_sub(under_way);
    let (mut orders, mut resizes, mut is_held) = (todo.first, todo.resizes, false);
    resizes.sort_by_key(|task| !task.is_urgent);
    for task in resizes {
        let is_free = is_back || task.is_urgent;
        if !is_free && journal.credit_bytes <= 0 {
            is_held = true;
        } else if task.is_in_flight || slots > 0 {
            slots -= usize::from(!task.is_in_flight);
            let moves_bytes = i64::try_from(task.moves_bytes).unwrap_or(i64::MAX);
            journal.credit_bytes = journal.credit_bytes.saturating_sub(if is_back { 0 } else { moves_bytes });
            orders.push(task.order);
        }
    }
    (orders, is_held && under_way == 0)
}

/// A resize is under way. On the way back those that wait for room do not count: they may wait for what the others give
/// back.
pub(super) fn is_in_flight(pod: &Pod, is_back: bool) -> bool {
    let is_at_it = pod.resize.as_ref().is_none_or(|resize| resize.state == ResizeState::InProgress);
    is_unsettled(pod) && !is_held(pod) && (is_at_it || !is_back)
}
