//! Forward: a wave is carried out, watched, and followed by the next, where the judge of plans has nothing against that.

use super::back;
use super::budget::{self, Spare};
use super::health::{self, Baseline};
use super::journal::{Journal, Known, Look, Phase, Watch};
use super::objections::{hopeless, objection};
use super::order::{Order, Verdict};
use super::pods::{self, Need, Task, Todo, of_workload};
use super::pressure;
use super::sizes::{Route, alike};
use super::stalls;
use super::strangers::{Says, same_containers, template};
use super::waves::{self, Share};
use crate::inventory::{Inventory, Pod, Sizes};
use crate::plan::check::{FaultCode, check_rest};
use crate::plan::{Change, ContainerChange, Plan, Way};

/// A step while the plan is applied.
pub(super) fn step(journal: &mut Journal, seen: &Inventory, look: Look) -> (Vec<Order>, Verdict) {
    let Phase::Applying { wave, since_ms, baseline, pending_ms, pressed_ms, stalled_ms, mut watch } =
        journal.phase.clone()
    else {
        return (Vec::new(), Verdict::Hold(String::new()));
    };
    let plan = journal.plan.clone();
    let shares = waves::shares(&plan, wave);
    let pending_ms = health::count_pending(&plan, &baseline, &pending_ms, seen, look);
    let pressed_ms = pressure::count(journal, &shares, &baseline, &pressed_ms, seen, look);
    let worse = stalls::worse(journal, &shares, &baseline, seen);
    let stalled_ms = stalls::count(&worse, &stalled_ms, &plan, look);
    let bad = objection(journal, seen)
        .or_else(|| pressure::trouble(journal, &shares, &baseline, &pressed_ms, seen))
        .or_else(|| health::trouble(journal, &shares, &baseline, &pending_ms, seen))
        .or_else(|| stalls::trouble(&worse, &stalled_ms, &plan))
        .or_else(|| hopeless(journal, &shares, seen));
    if let Some(reason) = bad {
        return turn_back(journal, seen, look, &reason);
    }
    let mut todo = todo(journal, &shares, &baseline, seen);
    pressure::hold_back(&mut todo, journal, &pressed_ms, seen);
    stalls::hold_back(&mut todo, journal, &worse, seen);
    let unhealthy = || health::unquiet(&plan, &shares, &baseline, &pending_ms, seen);
    let unquiet = || stalls::unquiet(&worse).or_else(unhealthy);
    if let (0, Some(why)) = (todo.left, pressure::unquiet(&pressed_ms).or_else(unquiet)) {
        todo.waits.push(why);
    }
    let is_quiet = todo.left == 0 && todo.waits.is_empty();
    let (left, is_said, mut waits) = (todo.left, todo.unsaid == 0, todo.waits.clone());
    let (orders, is_held) = budget::within_budget(journal, todo, seen, false);
    let before = watch;
    watch.push(look, left, is_quiet, is_held, &plan);
    let (number, count) = (wave + 1, waves::count(&plan));
    if is_quiet && watch.is_over(&plan) {
        let Some((why, may_pass)) = against_rest(journal, &shares, seen) else {
            return advance(journal, seen, look, wave, &baseline);
        };
        if !may_pass {
            let reason = format!("before wave {} of {count}: {why}", number + 1);
            return turn_back(journal, seen, look, &reason);
        }
        watch.wait(before, look, &plan);
        waits.push(why);
    }
    let is_for_good = journal.is_for_good && health::gives_all(journal);
    if is_for_good && is_said && watch.is_stuck(&plan) {
        return apply(journal, look);
    }
    if watch.is_stuck(&plan) && !(is_for_good && is_any_held(&plan, seen)) {
        let what = pods::summary(&waits, "nothing comes nearer to done");
        let reason = format!("wave {number} of {count} takes longer than patience lasts: {what}");
        return turn_back(journal, seen, look, &reason);
    }
    journal.phase = Phase::Applying { wave, since_ms, baseline, pending_ms, pressed_ms, stalled_ms, watch };
    let otherwise = if is_quiet { "is watched" } else { "is carried out" };
    let says = pods::summary(&waits, otherwise);
    (orders, Verdict::Hold(format!("wave {number} of {count}: {says}")))
}

/// What the judge has against what is left of the plan, if anything, and whether that may pass: then it is waited for.
fn against_rest(journal: &Journal, shares: &[Share], seen: &Inventory) -> Option<(String, bool)> {
    let changes = journal.plan.changes.iter().zip(&journal.known).zip(shares);
    // Use that has grown since is no harm while it is below the limit: a plan was begun, and history had the first word.
    let by_limit = |it: &ContainerChange| ContainerChange {
        floor_bytes: it.after.limit_bytes().unwrap_or(u64::MAX),
        ..it.clone()
    };
    let rest = changes.filter(|(_, share)| **share != Share::All).map(|((change, known), _)| Change {
        generation: known.generation,
        replicas: known.replicas,
        containers: change.containers.iter().map(by_limit).collect(),
        ..change.clone()
    });
    let faults = check_rest(&rest.collect::<Vec<_>>(), seen).err()?;
    // What new pods get on admission may be on its way back to what the template says: that is no change of it.
    let faults = faults.into_iter().filter(|fault| fault.code != FaultCode::Empty);
    let worst = faults.min_by_key(|fault| fault.code.may_pass())?;
    // The rest says what to do with a plan that was not begun.
    let why = worst.words.lines().next().unwrap_or_default().to_string();
    Some((why, worst.code.may_pass()))
}

/// The wave was borne.
fn advance(
    journal: &mut Journal,
    seen: &Inventory,
    look: Look,
    wave: u32,
    earlier: &Baseline,
) -> (Vec<Order>, Verdict) {
    let count = waves::count(&journal.plan);
    if wave + 1 >= count {
        return apply(journal, look);
    }
    let baseline = Box::new(Baseline::of(&journal.plan, seen).after(earlier));
    let (pending_ms, pressed_ms, stalled_ms) = Default::default();
    let (since_ms, watch) = (look.now_ms, Watch::default());
    let wave = wave + 1;
    journal.phase = Phase::Applying { wave, since_ms, baseline, pending_ms, pressed_ms, stalled_ms, watch };
    (Vec::new(), Verdict::Advance(format!("wave {wave} of {count} was borne")))
}

/// It is over.
fn apply(journal: &mut Journal, look: Look) -> (Vec<Order>, Verdict) {
    journal.phase = Phase::Applied { at_ms: look.now_ms };
    (Vec::new(), Verdict::Done("applied".to_string()))
}

/// A pod waits for its cure.
fn is_any_held(plan: &Plan, seen: &Inventory) -> bool {
    plan.changes
        .iter()
        .flat_map(|change| of_workload(seen, &change.workload))
        .any(|(_, pod)| pods::is_held(pod))
}

/// From here on everything goes back, beginning now.
fn turn_back(journal: &mut Journal, seen: &Inventory, look: Look, reason: &str) -> (Vec<Order>, Verdict) {
    journal.roll_back(reason, look.now_ms);
    let (orders, _) = back::step(journal, seen, look);
    (orders, Verdict::RollBack(reason.to_string()))
}

/// The ways of a change's containers.
pub(super) fn routes(plan: &Plan, change: &Change, known: &Known, seen: &Inventory) -> Vec<Route> {
    let workload = seen.workloads.get(&change.workload);
    let route = |container: &ContainerChange| {
        let found = workload.and_then(|it| it.containers.iter().find(|it| it.name == container.name));
        let route = Route::forward(container, known, plan.budget.shrink_step_percent);
        if found.is_some_and(|found| found.restarts_on_resize) { route.at_once() } else { route }
    };
    change.containers.iter().map(route).collect()
}

/// What is left of a wave.
fn todo(journal: &Journal, shares: &[Share], baseline: &Baseline, seen: &Inventory) -> Todo {
    let mut todo = Todo::default();
    for (index, (change, known)) in journal.plan.changes.iter().zip(&journal.known).enumerate() {
        let share = shares.get(index).copied().unwrap_or(Share::None);
        match (change.way, share) {
            (Way::Rollout, Share::None) => {}
            (Way::Rollout, _) => set_template(journal, change, known, seen, &mut todo),
            (Way::InPlace, _) => {
                let short = health::is_short(index, change, baseline, seen);
                if share == Share::All {
                    size_new_pods(change, known, seen, &mut todo);
                }
                let routes = routes(&journal.plan, change, known, seen);
                let starved = |pod: &Pod| health::is_starved(change, known, baseline, pod);
                resize_pods(change, &routes, share, seen, short, starved, &mut todo);
            }
        }
    }
    todo
}

fn set_template(journal: &Journal, change: &Change, known: &Known, seen: &Inventory, todo: &mut Todo) {
    let Some(workload) = seen.workloads.get(&change.workload) else { return };
    let is_after = change.containers.iter().all(|it| it.after.same(&it.before));
    if template(change, workload) == Says::After || is_after {
        let routes = routes(&journal.plan, change, known, seen);
        let is_new = |pod: &Pod| {
            let found = |route: &Route| pods::running(pod, route).map(|running| &running.desired);
            routes.iter().all(|route| found(route).is_some_and(|sizes| alike(sizes, &route.to)))
        };
        let old =
            of_workload(seen, &change.workload).filter(|(_, pod)| !is_new(pod) || !pod.is_ready).count();
        todo.left += old as u64 + u64::from(!workload.is_settled);
        if !workload.is_settled || old > 0 {
            todo.waits.push(format!("the pods of {} are being replaced", change.workload));
        }
        return;
    }
    // Its pods, its template, and that it has to settle.
    todo.left += u64::from(workload.replicas) + 2;
    if !workload.is_settled {
        todo.waits.push(format!("{} has to settle first", change.workload));
        return;
    }
    todo.first.push(Order::SetTemplate {
        workload: change.workload.clone(),
        uid: workload.uid.clone(),
        generation: workload.generation,
        containers: change.containers.iter().map(|it| (it.name.clone(), it.after.clone())).collect(),
    });
}

fn size_new_pods(change: &Change, known: &Known, seen: &Inventory, todo: &mut Todo) {
    let mut containers = known.on_admission.clone();
    containers.retain(|(name, _)| change.containers.iter().all(|it| it.name != *name));
    containers.extend(change.containers.iter().map(|it| (it.name.clone(), it.after.clone())));
    let said: &[(String, Sizes)] = seen.sized_on_admission.get(&change.workload).map_or(&[], |said| said);
    if !same_containers(said, &containers) {
        (todo.left, todo.unsaid) = (todo.left + 1, todo.unsaid + 1);
        todo.first.push(Order::SizeNewPods { workload: change.workload.clone(), containers });
    }
}

/// Resizes of the pods of a workload that are in the wave, those first that have begun; and of those that want memory
/// that the plan gives, whatever the wave.
fn resize_pods(
    change: &Change,
    routes: &[Route],
    share: Share,
    seen: &Inventory,
    short: Option<String>,
    starved: impl Fn(&Pod) -> bool,
    todo: &mut Todo,
) {
    let mut ours: Vec<_> =
        of_workload(seen, &change.workload).filter(|(_, pod)| pods::is_known(pod, routes)).collect();
    ours.sort_by_key(|(_, pod)| !pods::has_begun(pod, routes));
    let most = match share {
        Share::None => 0,
        Share::Pods(pods) => pods as usize,
        Share::All => usize::MAX,
    };
    let mut spare = Spare::of(change, seen, false);
    for (index, (name, pod)) in ours.into_iter().enumerate() {
        let is_urgent = starved(pod);
        if index >= most && !is_urgent {
            continue;
        }
        let need = match pods::need(pod, routes) {
            // What takes nothing and starts nothing anew need not wait.
            Need::Resize(next, moves_bytes) if spare.is_none() && pods::gives(pod, &next) => {
                Need::Resize(next, moves_bytes)
            }
            Need::Resize(..) if budget::is_in_flight(pod, false) => Need::Wait(pods::standing(pod)),
            Need::Resize(..) if short.is_some() && !is_urgent => {
                Need::Wait(short.clone().unwrap_or_default())
            }
            Need::Resize(..) if !budget::may_restart(&mut spare, pod) => {
                Need::Wait(format!("no more pods of {} may be missing", change.workload))
            }
            need => need,
        };
        todo.left += pods::left(pod, routes);
        todo.unsaid += u64::from(pods::is_unsaid(pod, routes) || pods::is_held(pod));
        match need {
            Need::Nothing => {}
            Need::Wait(why) => todo.waits.push(format!("pod {name}: {why}")),
            Need::Resize(containers, moves_bytes) => {
                let order = pods::resize(change, name, pod, containers);
                let is_in_flight = budget::is_in_flight(pod, false);
                todo.resizes.push(Task { order, moves_bytes, is_urgent, is_in_flight });
            }
        }
    }
}
