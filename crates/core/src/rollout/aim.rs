//! Another aim for what is under way: where more is needed than a rollout was to give, or it was to take, it need not be
//! over first. What pods have by the earlier aim stays known, and so does what undoes all of it.

use super::journal::{Journal, Known, Phase};
use super::sizes::{alike, is_lower};
use super::strangers::home;
use crate::inventory::{Inventory, Sizes, WorkloadId};
use crate::plan::{Change, ContainerChange, Plan};

impl Journal {
    /// It may be given another aim: it is under way to the present one, or is taken back though somebody wants it, and nobody
    /// else has changed anything.
    pub fn may_aim(&self) -> bool {
        !self.is_over() && self.known.iter().all(|known| known.stranger.is_none() && !known.to_template)
    }

    /// It is on its way to its aim.
    pub fn is_forward(&self) -> bool {
        matches!(self.phase, Phase::Applying { .. })
    }

    /// Less than this would take something from a workload's containers: what they had when it began or what new pods get by
    /// now, whichever is more.
    pub fn most(&self, workload: &WorkloadId, seen: &Inventory) -> Vec<(String, Sizes)> {
        let all = self.plan.changes.iter().zip(&self.known);
        let of_workload = all.filter(|(change, _)| change.workload == *workload);
        let most = |(change, known): (&Change, &Known)| -> Vec<(String, Sizes)> {
            let one = |container: &ContainerChange| {
                let said = seen.sized_on_admission.get(workload).into_iter().flatten();
                let said = said.filter(|(name, _)| *name == container.name).map(|(_, sizes)| sizes);
                let most = said.fold(
                    home(known, container),
                    |one, other| {
                        if is_lower(one, other) { other } else { one }
                    },
                );
                (container.name.clone(), most.clone())
            };
            change.containers.iter().map(one).collect()
        };
        of_workload.flat_map(most).collect()
    }

    /// Begins anew with this plan of the same workloads, from where pods are now. Containers that it leaves out get what is the
    /// [`most`](Journal::most) for them.
    pub fn aim(&self, mut plan: Plan, seen: &Inventory, now_ms: i64) -> Journal {
        for change in &mut plan.changes {
            let most = self.most(&change.workload, seen);
            let earlier = self.plan.changes.iter().filter(|earlier| earlier.workload == change.workload);
            for container in earlier.flat_map(|earlier| &earlier.containers) {
                let after = most.iter().find(|(name, _)| *name == container.name).map(|(_, sizes)| sizes);
                if let Some(after) = after
                    && change.containers.iter().all(|it| it.name != container.name)
                {
                    let after = after.clone();
                    change.containers.push(ContainerChange { after, floor_bytes: 0, ..container.clone() });
                }
            }
        }
        let mut journal = Journal::begin(plan, seen, now_ms);
        for (change, known) in journal.plan.changes.iter().zip(&mut journal.known) {
            let earlier = self.plan.changes.iter().zip(&self.known);
            for (was, had) in earlier.filter(|(was, _)| was.workload == change.workload) {
                known.on_admission = had.on_admission.clone();
                known.aims = had.aims.clone();
                for it in &was.containers {
                    let aim = (it.name.clone(), it.after.clone());
                    if known.aims.iter().all(|(name, sizes)| *name != aim.0 || !alike(sizes, &aim.1)) {
                        known.aims.push(aim);
                    }
                }
            }
        }
        journal.is_for_good = self.is_for_good;
        journal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Pod;
    use crate::plan::{fixtures, planner};
    use crate::rollout::step;
    use crate::rollout::tests::carry_out;
    use crate::size::MIB;

    fn plan(seen: &Inventory, limit: &str) -> Plan {
        let wanted = fixtures::recommended("a", "32Mi", limit, 20);
        planner::plan(seen, &[wanted], &fixtures::settings())
    }

    fn run(mut journal: Journal, seen: &mut Inventory, looks: usize) -> Journal {
        for _ in 0..looks {
            seen.as_of_ms += 15_000;
            let next = step(&journal, seen, seen.as_of_ms);
            carry_out(&next.orders, seen);
            journal = next.journal;
        }
        journal
    }

    fn limits(seen: &Inventory) -> Vec<Option<u64>> {
        let limit = |sizes: &Sizes| sizes.limit_bytes().map(|bytes| bytes / MIB);
        let pods = seen.pods.values().map(|pod| limit(&pod.containers[0].desired));
        pods.chain(seen.sized_on_admission.values().map(|said| limit(&said[0].1))).collect()
    }

    /// However far the first aim was, and whether it was being taken back: all comes to the second, and all goes back.
    #[test]
    fn another_aim_is_reached_from_anywhere_and_undone() {
        let check = |first: &str, second: (&str, u64), looks: usize, is_back: bool| {
            let one = fixtures::workload("a", 3, vec![fixtures::container("app", "32Mi", "1000Mi")]);
            let mut seen = fixtures::inventory([one]);
            for name in ["a-1", "a-2", "a-3"] {
                let pod = fixtures::pod(&seen.workloads[&fixtures::id("a")], Some(10 * MIB));
                seen.pods.insert(("shop".into(), name.into()), Pod { uid: name.into(), ..pod });
            }
            let untouched = seen.clone();
            let journal = Journal::begin(plan(&seen, first), &seen, seen.as_of_ms);
            let mut journal = run(journal, &mut seen, looks);
            if is_back {
                journal.roll_back("a test", seen.as_of_ms);
                journal = run(journal, &mut seen, 1);
            }
            let journal = journal.aim(plan(&untouched, second.0), &seen, seen.as_of_ms);
            let mut journal = run(journal, &mut seen, 60);
            let at = format!("{first}, {second:?} after {looks}, {is_back}: {:?}", journal.phase);
            assert!(matches!(journal.phase, Phase::Applied { .. }), "{at}");
            assert_eq!(limits(&seen), [Some(second.1); 4], "{at}");
            journal.roll_back("a test", seen.as_of_ms);
            let journal = run(journal, &mut seen, 60);
            assert!(matches!(journal.phase, Phase::RolledBack { .. }), "{at}");
            assert_eq!(limits(&seen), [Some(1000); 3], "{at}");
        };
        for looks in 0..16 {
            for is_back in [false, true] {
                check("100Mi", ("1300Mi", 1300), looks, is_back);
                check("1100Mi", ("1300Mi", 1300), looks, is_back);
                check("100Mi", ("250Mi", 250), looks, is_back);
            }
        }
    }
}
