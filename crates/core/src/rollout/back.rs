//! Back: everything is as it was, in the objects that say so and in the pods that follow them.
//!
//! What others changed meanwhile is theirs. Of a workload that somebody else has deployed only what is evidently ours goes:
//! the object that sizes new pods, and our sizes of running pods, which become what its template says by now.
//!
//! It may have to wait: for use to leave room below a limit that had been raised, for the API server to allow what had been
//! there (a quota that others have filled), for a budget of pods that may be missing. Then it waits, and says so. For room on
//! a node it waits as long as patience lasts; after that pods are told what they were told before, and the kubelet gives
//! it when there is room, to several at once perhaps.

use super::budget::{self, Spare};
use super::journal::{Journal, Known, LOOKS, Look, Phase};
use super::order::{Order, Verdict};
use super::pods::{self, Need, Task, Todo, of_workload};
use super::sizes::Route;
use super::strangers::{Says, back_to, same_containers, template};
use crate::inventory::{Inventory, Pod, Running, Sizes, Workload};
use crate::plan::{Change, Plan, Way};

/// What is left to do on the way back.
#[derive(Debug, Default)]
struct Back {
    todo: Todo,
    /// What cannot be said again.
    remains: Vec<String>,
}

/// A step while everything is taken back.
pub(super) fn step(journal: &mut Journal, seen: &Inventory, look: Look) -> (Vec<Order>, Verdict) {
    let Phase::RollingBack { reason, since_ms, mut watch } = journal.phase.clone() else {
        return (Vec::new(), Verdict::Hold(String::new()));
    };
    let mut back = Back::default();
    // What a full node has kept waiting for so long does not keep the rest from being said again.
    let is_late = watch.is_stuck(&journal.plan);
    for (change, known) in journal.plan.changes.iter().zip(&journal.known) {
        match change.way {
            Way::InPlace => in_place(&journal.plan, change, known, seen, is_late, &mut back),
            Way::Rollout => rollout(change, known, seen, &mut back),
        }
    }
    let Back { todo, mut remains } = back;
    let (left, unsaid, waits) = (todo.left, todo.unsaid, todo.waits.clone());
    let (orders, _) = budget::within_budget(journal, todo, seen, true);
    watch.push(look, left, left == 0, false, &journal.plan);
    let is_over = left == 0 && i64::from(watch.quiet_looks) >= LOOKS;
    // Everything says what it said: the rest is the kubelets' and the controllers', who do not forget it.
    let is_said = unsaid == 0 && watch.is_stuck(&journal.plan);
    if is_over || is_said {
        remains.extend(waits);
        let over = format!("rolled back: {reason}");
        journal.phase = Phase::RolledBack { reason, at_ms: look.now_ms, remains };
        return (Vec::new(), Verdict::Done(over));
    }
    let says = pods::summary(&waits, "is carried out");
    let verdict = Verdict::Hold(format!("rolling back, {reason}: {says}"));
    journal.phase = Phase::RollingBack { reason, since_ms, watch };
    (orders, verdict)
}

fn rollout(change: &Change, known: &Known, seen: &Inventory, back: &mut Back) {
    let workload = seen.workloads.get(&change.workload).filter(|workload| workload.uid == change.uid);
    let Some(workload) = workload else { return };
    let says = template(change, workload);
    if says == Says::After {
        back.todo.unsaid += 1;
        back.todo.left += u64::from(workload.replicas) + 2;
        back.todo.first.push(Order::SetTemplate {
            workload: change.workload.clone(),
            uid: workload.uid.clone(),
            generation: workload.generation,
            containers: change.containers.iter().map(|it| (it.name.clone(), it.before.clone())).collect(),
        });
        return;
    }
    let routes: Vec<Route> =
        change.containers.iter().map(|it| Route::back(it, known, &it.before, 100)).collect();
    let ours = of_workload(seen, &change.workload).filter(|(_, pod)| pods::has_begun(pod, &routes)).count();
    let is_unsettled = !workload.is_settled && known.stranger.is_none();
    back.todo.left += ours as u64 + u64::from(is_unsettled);
    if ours > 0 || is_unsettled {
        back.todo.waits.push(format!("the pods of {} are being replaced", change.workload));
    }
}

fn in_place(plan: &Plan, change: &Change, known: &Known, seen: &Inventory, is_late: bool, back: &mut Back) {
    leave_new_pods(change, known, seen, back);
    let workload = seen.workloads.get(&change.workload);
    let Some(routes) = routes(plan, change, known, workload) else { return };
    let is_theirs = known.stranger.is_some();
    let mut spare = Spare::of(change, seen, is_late);
    for (name, pod) in of_workload(seen, &change.workload) {
        // Of somebody else's, only what has our sizes, or has them until its kubelet is through: whatever it was told
        // since, by us before it was theirs (what new pods got then) or by its template.
        let is_unsaid = pods::is_unsaid(pod, &routes);
        let is_going = pods::is_unsettled(pod) && (!is_unsaid || pods::still_has(pod, &routes));
        let is_meant = !is_theirs || is_going || pods::has_begun(pod, &routes);
        if !is_meant || !pods::is_known(pod, &routes) {
            continue;
        }
        if !is_open(pod, &routes) {
            back.remains.push(format!("pod {name} of {} cannot be resized to its template", change.workload));
            continue;
        }
        let left = pods::left(pod, &routes);
        back.todo.left += left;
        let wait = |why: String, todo: &mut Todo| {
            // With somebody else's no longer than patience lasts.
            todo.unsaid += u64::from(!is_theirs && is_unsaid);
            todo.waits.push(why);
        };
        match pods::need(pod, &routes) {
            Need::Nothing => {}
            Need::Wait(why) => wait(format!("pod {name}: {why}"), &mut back.todo),
            Need::Resize(containers, moves_bytes) => {
                let is_off = pods::calls_off(pod, &containers);
                if !is_off && !budget::may_restart(&mut spare, pod) {
                    wait(format!("no more pods of {} may be missing", change.workload), &mut back.todo);
                    continue;
                }
                back.todo.unsaid += 1;
                let is_urgent = pod.containers.iter().any(Running::was_oom_killed);
                let is_in_flight = is_off || budget::is_in_flight(pod, true);
                let order = pods::resize(change, name, pod, containers);
                back.todo.resizes.push(Task { order, moves_bytes, is_urgent, is_in_flight });
            }
        }
    }
}

/// The object that sizes new pods is as it was, or goes.
fn leave_new_pods(change: &Change, known: &Known, seen: &Inventory, back: &mut Back) {
    let is_gone = known.stranger.is_some() || known.to_template;
    let before: &[(String, Sizes)] = if is_gone { &[] } else { &known.on_admission };
    let said = seen.sized_on_admission.get(&change.workload);
    let is_as_before =
        said.map_or(before.is_empty(), |said| !before.is_empty() && same_containers(said, before));
    if is_as_before {
        return;
    }
    (back.todo.left, back.todo.unsaid) = (back.todo.left + 1, back.todo.unsaid + 1);
    let (workload, containers) = (change.workload.clone(), before.to_vec());
    back.todo.first.push(match before {
        [] => Order::LeaveNewPods { workload },
        _ => Order::SizeNewPods { workload, containers },
    });
}

/// The ways back of a change's containers; `None` when the workload or one of them is gone.
fn routes(plan: &Plan, change: &Change, known: &Known, workload: Option<&Workload>) -> Option<Vec<Route>> {
    let route = |container| {
        let to = back_to(known, container, workload)?;
        let route = Route::back(container, known, to, plan.budget.shrink_step_percent);
        let found = workload.and_then(|it| it.containers.iter().find(|it| it.name == container.name));
        Some(if found.is_some_and(|found| found.restarts_on_resize) { route.at_once() } else { route })
    };
    change.containers.iter().map(route).collect()
}

fn is_open(pod: &Pod, routes: &[Route]) -> bool {
    routes.iter().all(|route| pods::running(pod, route).is_none_or(|found| route.is_open(&found.desired)))
}

#[cfg(test)]
mod tests {
    use super::super::sizes::alike;
    use super::super::step;
    use super::*;
    use crate::inventory::{Resize, ResizeState};
    use crate::plan::{fixtures, planner};
    use crate::size::MIB;

    /// A plan of pods of 512Mi instead of 1Gi that is taken back, and one of these by name: it should have what new pods got by
    /// an earlier plan, and has what this one said. Meanwhile somebody deploys.
    struct Theirs {
        journal: Journal,
        seen: Inventory,
    }

    impl Theirs {
        fn of(pods: &[&str], home: &str, theirs: &str) -> Theirs {
            let replicas = pods.len() as u32;
            let web = fixtures::workload("web", replicas, vec![fixtures::container("app", "1Gi", "1Gi")]);
            let (id, like) = (web.id.clone(), fixtures::pod(&web, Some(100 * MIB)));
            let mut seen = fixtures::inventory([web]);
            for name in pods {
                seen.pods
                    .insert(("shop".into(), (*name).into()), Pod { uid: (*name).into(), ..like.clone() });
            }
            let mut settings = fixtures::settings();
            settings.budget.resizes_at_once = 1;
            let wanted = [fixtures::recommended("web", "512Mi", "512Mi", 150)];
            let plan = planner::plan(&seen, &wanted, &settings);
            let said = vec![("app".to_string(), fixtures::sizes(home, home))];
            seen.sized_on_admission.insert(id.clone(), said);
            let mut journal = Journal::begin(plan, &seen, seen.as_of_ms);
            journal.roll_back("somebody said so", seen.as_of_ms);
            let web = seen.workloads.get_mut(&id).expect("it is there");
            (web.generation, web.template_hash) = (web.generation + 1, 99);
            web.containers[0].sizes = fixtures::sizes(theirs, theirs);
            Theirs { journal, seen }
        }

        fn pod(&mut self, name: &str) -> &mut Pod {
            self.seen.pods.get_mut(&("shop".into(), name.into())).expect("it is there")
        }

        /// Until it is over, while kubelets take longer than patience lasts (20 looks) and give nothing to what waits for
        /// room. What remains then.
        fn over(mut self) -> (Vec<String>, Inventory) {
            for look in 1.. {
                self.seen.as_of_ms += 15_000;
                for pod in self.seen.pods.values_mut().filter(|pod| pod.resize.is_none() && look % 25 == 0) {
                    pod.containers[0].actual = Some(pod.containers[0].desired.clone());
                }
                assert!(look < 1_000, "it goes on for ever: {:?}", self.journal.phase);
                let next = step(&self.journal, &self.seen, self.seen.as_of_ms);
                for order in next.orders {
                    match order {
                        Order::LeaveNewPods { workload } => {
                            self.seen.sized_on_admission.remove(&workload);
                        }
                        Order::ResizePod { pod, containers, .. } => {
                            self.pod(&pod).containers[0].desired = containers[0].1.clone();
                        }
                        other => panic!("{other:?}"),
                    }
                }
                self.journal = next.journal;
                if let Phase::RolledBack { remains, .. } = &self.journal.phase {
                    return (remains.clone(), self.seen);
                }
            }
            unreachable!("it ends before that")
        }
    }

    #[test]
    fn a_pod_that_waits_for_room_is_named_though_it_is_somebody_elses_by_now() {
        let check = |home: &str, theirs: &str| {
            let mut it = Theirs::of(&["web-1"], home, theirs);
            let pod = it.pod("web-1");
            pod.containers[0].desired = fixtures::sizes(home, home);
            pod.containers[0].actual = Some(fixtures::sizes("512Mi", "512Mi"));
            pod.resize = Some(Resize { state: ResizeState::Deferred, message: String::new() });
            let (remains, seen) = it.over();
            assert!(remains.iter().any(|it| it.contains("web-1")), "{home} {theirs}: {remains:?}");
            let pod = &seen.pods[&("shop".into(), "web-1".into())];
            assert!(alike(&pod.containers[0].desired, &fixtures::sizes(theirs, theirs)), "{home} {theirs}");
        };
        check("1Gi", "1Gi");
        check("1Gi", "900Mi");
        check("900Mi", "1Gi");
        check("900Mi", "800Mi");
    }

    #[test]
    fn somebody_elses_pods_are_all_told_before_it_is_over() {
        let names = ["web-1", "web-2", "web-3"];
        let mut it = Theirs::of(&names, "1Gi", "1Gi");
        for name in names {
            let (ours, running) = (fixtures::sizes("512Mi", "512Mi"), &mut it.pod(name).containers[0]);
            (running.desired, running.actual) = (ours.clone(), Some(ours));
        }
        let (_, seen) = it.over();
        for pod in seen.pods.values() {
            assert!(alike(&pod.containers[0].desired, &fixtures::sizes("1Gi", "1Gi")), "{pod:?}");
        }
    }
}
