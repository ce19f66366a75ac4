//! What must hold in every world.

use super::*;
use crate::plan::{Change, Way};
use crate::rollout::sizes::{alike, is_lower};
use crate::rollout::strangers::{home, same_containers};
use crate::rollout::waves::Share;
use crate::rollout::{Known, Order, Step, Verdict};

impl World {
    /// Of each step: no limit goes below what is used, and the same is said again of the same.
    pub fn check_step(&self, journal: &Journal, seen: &Inventory, decided: &Step) {
        for order in &decided.orders {
            let Order::ResizePod { namespace, pod, containers, .. } = order else { continue };
            let Some(found) = seen.pods.get(&(namespace.clone(), pod.clone())) else {
                self.fail(&format!("{pod} is not there"));
            };
            for (name, sizes) in containers {
                let Some(running) = found.containers.iter().find(|it| it.name == *name) else {
                    self.fail(&format!("{pod} has no {name}"));
                };
                let is_less = running.actual.as_ref().is_some_and(|actual| is_lower(sizes, actual));
                if is_less && running.used_bytes > sizes.limit_bytes() {
                    self.fail(&format!("{pod}: {name} uses {:?}, gets {sizes:?}", running.used_bytes));
                }
                if !crate::rollout::pods::is_hopeless(found) {
                    self.check_shrink(pod, found, running, sizes);
                }
            }
        }
        self.check_pressure(journal, seen, decided);
        self.check_stalls(journal, seen, decided);
        if let Verdict::Advance(_) = decided.verdict {
            self.check_rest(journal, seen);
        }
        if let Verdict::Done(_) = decided.verdict
            && !decided.journal.is_over()
        {
            self.fail("done, and not over");
        }
        if super::super::step(journal, seen, self.now_ms()) != *decided {
            self.fail("the same look gives another step");
        }
    }

    /// No wave begins that nobody would have planned any more.
    fn check_rest(&self, journal: &Journal, seen: &Inventory) {
        let Phase::Applying { wave, .. } = journal.phase else { self.fail("a wave after the end") };
        let most = seen.limit_ranges.iter().filter_map(|range| range.max_bytes).min().unwrap_or(u64::MAX);
        let shares = crate::rollout::waves::shares(&journal.plan, wave);
        let rest = journal.plan.changes.iter().zip(shares).filter(|(_, share)| *share != Share::All);
        for container in rest.flat_map(|(change, _)| &change.containers) {
            if container.after.limit_bytes().is_some_and(|limit| limit > most) {
                self.fail(&format!("{} gets {:?}, and {most} is the most", container.name, container.after));
            }
        }
    }

    /// A limit goes down by a step at most.
    fn check_shrink(&self, name: &str, pod: &inventory::Pod, running: &Running, sizes: &Sizes) {
        let actual = running.actual.as_ref().and_then(Sizes::limit_bytes).unwrap_or(0);
        let site = self.sites.iter().find(|site| Some(&site.inventory.id) == pod.workload.as_ref());
        let restarts =
            site.is_some_and(|site| site.inventory.containers.iter().any(|it| it.restarts_on_resize));
        let kept = 100 - u64::from(self.plan.budget.shrink_step_percent);
        let least = u128::from(actual) * u128::from(kept) / 100;
        if !restarts && u128::from(sizes.limit_bytes().unwrap_or(u64::MAX)) < least {
            self.fail(&format!("{name}: from {actual} to {sizes:?} is more than a step"));
        }
    }

    /// Resizes that are under way are within the budget; those that wait for room, or that somebody else ordered, are not
    /// counted.
    pub fn check_in_flight(&self) {
        let differs = |it: &Running| it.actual.as_ref().is_some_and(|actual| !alike(actual, &it.desired));
        let under_way = self.pods.iter().filter(|(_, pod)| {
            let ours = pod.leaves_tick.is_none() && pod.theirs.is_none() && !pod.is_crossed;
            ours && pod.resize.is_none() && pod.containers.iter().any(differs)
        });
        let count = under_way.count();
        if count > self.plan.budget.resizes_at_once as usize {
            self.fail(&format!("{count} resizes are under way"));
        }
    }

    /// Pods that are not ready because a resize of ours started them anew are no more than may be missing.
    pub fn check_restarting(&self, pod: &SimPod) {
        let others = self.pods_of(pod.site).filter(|(_, other)| self.tick < other.restarting_tick).count();
        let this = usize::from(self.tick < pod.restarting_tick);
        if others + this > self.sites[pod.site].inventory.max_unavailable as usize {
            self.fail(&format!("{} pods of site-{} are missing by our doing", others + this, pod.site));
        }
    }

    /// At the end each workload is wholly as after, or as before, or somebody else's.
    pub fn check_end(&self, journal: &Journal, seen_tick: u64) {
        let (is_applied, remains) = match &journal.phase {
            Phase::Applied { .. } => (true, &[][..]),
            Phase::RolledBack { remains, .. } => (false, &remains[..]),
            _ => self.fail("is not over"),
        };
        if self.nature == Nature::Kind && !is_applied {
            self.fail(&format!("nothing was wrong: {:?}", journal.phase));
        }
        for (index, change) in journal.plan.changes.iter().enumerate() {
            let (site, known) = (&self.sites[index], &journal.known[index]);
            if let Some(theirs) = &site.theirs {
                let now: Vec<Sizes> = site.inventory.containers.iter().map(|it| it.sizes.clone()).collect();
                if now != *theirs {
                    self.fail(&format!("site-{index} was somebody else's: {now:?}"));
                }
            }
            let is_deployed = site.deployed_tick.is_some_and(|tick| tick < seen_tick);
            if is_applied && is_deployed {
                self.fail(&format!("applied, though somebody else deployed site-{index}"));
            }
            // An older journal does not know of two changes of its own.
            if known.stranger.is_some() && site.changed_tick.is_none() && !self.was_stale {
                self.fail(&format!("site-{index} was nobody else's"));
            }
            if site.changed_tick.is_none_or(|tick| tick < seen_tick) {
                self.check_template(index, change, known, is_applied);
                self.check_object(index, change, known, is_applied);
                self.check_pods(index, change, known, is_applied, remains);
            }
        }
    }

    fn check_template(&self, index: usize, change: &Change, known: &Known, is_applied: bool) {
        let is_after = is_applied && change.way == Way::Rollout;
        for container in &change.containers {
            let want = if is_after { &container.after } else { &container.before };
            let said = self.sites[index].inventory.containers.iter().find(|it| it.name == container.name);
            let is_theirs = known.stranger.is_some() && self.sites[index].theirs.is_some();
            if said.is_none_or(|said| said.sizes != *want) && !is_theirs {
                self.fail(&format!("the template of site-{index} says {said:?}"));
            }
        }
    }

    fn check_object(&self, index: usize, change: &Change, known: &Known, is_applied: bool) {
        let mut want = self.first_objects.get(&change.workload).cloned().unwrap_or_default();
        if is_applied && change.way == Way::InPlace {
            want.retain(|(name, _)| change.containers.iter().all(|it| it.name != *name));
            want.extend(change.containers.iter().map(|it| (it.name.clone(), it.after.clone())));
        }
        if known.stranger.is_some() {
            want.clear();
        }
        let said = self.objects.get(&change.workload).cloned().unwrap_or_default();
        if !same_containers(&said, &want) {
            self.fail(&format!("the object of site-{index} says {said:?}, not {want:?}"));
        }
    }

    fn check_pods(&self, index: usize, change: &Change, known: &Known, is_applied: bool, remains: &[String]) {
        for (name, pod) in self.pods_of(index).filter(|(_, pod)| pod.theirs.is_none()) {
            // By its own name, or by that of its workload.
            let of_workload = change.workload.to_string();
            let is_lagging = remains.iter().any(|it| it.contains(name) || it.contains(&of_workload));
            for container in &change.containers {
                let Some(running) = pod.containers.iter().find(|it| it.name == container.name) else {
                    continue;
                };
                let said = self.sites[index].inventory.containers.iter().find(|it| it.name == container.name);
                let wants = match (is_applied, &known.stranger) {
                    (true, _) => vec![&container.after],
                    (false, None) => vec![home(known, container)],
                    // Old pods of a deployment that is not through are as they were.
                    (false, Some(_)) => {
                        vec![
                            &container.before,
                            home(known, container),
                            said.map_or(&container.before, |it| &it.sizes),
                        ]
                    }
                };
                // Of two deployments of somebody else's the first may still be there.
                let is_odd = |sizes: &Sizes| known.stranger.is_some() && strangers::is_odd(sizes);
                let is_right = |sizes: &Sizes| is_odd(sizes) || wants.iter().any(|want| alike(want, sizes));
                if known.stranger.is_none() && !is_lagging && kubelet::held(pod).is_some() {
                    self.fail(&format!("{name} is held to {} bytes", pod.limit_bytes));
                }
                let is_said = is_right(&running.desired);
                let is_there = running.actual.as_ref().is_none_or(is_right);
                // Who set other sizes replaces all pods: what waits for room meanwhile is no more waited for.
                let is_replaced = known.stranger.is_some() && self.sites[index].theirs.is_some();
                // A template that is back replaces its pods; that alone may take longer.
                let may_lag = is_lagging && (change.way == Way::Rollout || known.stranger.is_some());
                if (!is_said && !may_lag) || (!is_there && !is_lagging && !is_replaced) {
                    self.fail(&format!("{name}: {} is {running:?}, not {wants:?}", container.name));
                }
            }
        }
    }
}
