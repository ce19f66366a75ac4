//! Journals that are copied, and lost: when a copy is worth the while, and what to go by where there is none left.

use super::{Journal, Phase};
use crate::inventory::Inventory;
use crate::plan::Plan;
use std::mem::discriminant;

impl Journal {
    /// Whether anything has changed since that weighs more than time: how far it is, or what is known of workloads.
    pub fn differs_in_weight(&self, earlier: &Journal) -> bool {
        let is_same = match (&self.phase, &earlier.phase) {
            (Phase::Applying { wave, .. }, Phase::Applying { wave: earlier, .. }) => wave == earlier,
            (now, earlier) => discriminant(now) == discriminant(earlier),
        };
        !is_same || self.known != earlier.known
    }

    /// For a plan that was begun and whose journal is lost, as far as the plan and what is seen tell: it goes back. Where new
    /// pods are sized by this plan by now, nothing tells what they got before, and they go to their template. For all that is
    /// known it was last at work when it was made.
    pub fn begin_back(plan: Plan, seen: &Inventory, reason: &str, now_ms: i64) -> Journal {
        let mut journal = Journal::begin(plan, seen, now_ms);
        for (change, known) in journal.plan.changes.iter().zip(&mut journal.known) {
            if seen.admitted.get(&change.workload).is_some_and(|it| it.by == journal.plan.id) {
                known.on_admission.clear();
            }
        }
        journal.last_ms = now_ms.min(journal.plan.made_ms);
        journal.roll_back(reason, now_ms);
        journal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Admitted, Sizes};
    use crate::plan::{fixtures, planner};
    use crate::rollout::step;
    use crate::rollout::tests::carry_out;
    use crate::size::MIB;

    const BEFORE: (&str, &str) = ("64Mi", "128Mi");
    const AFTER: (&str, &str) = ("64Mi", "256Mi");
    /// By an earlier plan.
    const EARLIER: (&str, &str) = ("64Mi", "192Mi");

    fn sizes((request, limit): (&str, &str)) -> Sizes {
        fixtures::sizes(request, limit)
    }

    /// A workload of one pod, which has these sizes, and whose new pods get those, by the plan of this name.
    fn seen(running: (&str, &str), admitted: Option<((&str, &str), &str)>) -> Inventory {
        let web = fixtures::workload("web", 1, vec![fixtures::container("app", BEFORE.0, BEFORE.1)]);
        let mut pod = fixtures::pod(&web, Some(50 * MIB));
        let container = &mut pod.containers[0];
        (container.desired, container.actual) = (sizes(running), Some(sizes(running)));
        let mut seen = fixtures::inventory([web]);
        seen.pods = [(("shop".to_string(), "web-1".to_string()), pod)].into();
        if let Some((admitted, by)) = admitted {
            let (id, by) = (fixtures::id("web"), by.to_string());
            seen.sized_on_admission.insert(id.clone(), vec![("app".into(), sizes(admitted))]);
            seen.admitted.insert(id, Admitted { by, is_in_force: true });
        }
        seen
    }

    /// What is ordered is there at the next look, until it is over.
    fn back(mut seen: Inventory) -> (Sizes, Option<Sizes>) {
        let of = self::seen(BEFORE, None);
        let plan =
            planner::plan(&of, &[fixtures::recommended("web", AFTER.0, AFTER.1, 50)], &fixtures::settings());
        let mut journal = Journal::begin_back(plan, &seen, "why", seen.as_of_ms);
        for _ in 0..100 {
            seen.as_of_ms += 15_000;
            let next = step(&journal, &seen, seen.as_of_ms);
            journal = next.journal;
            if journal.is_over() {
                assert!(matches!(journal.phase, Phase::RolledBack { ref remains, .. } if remains.is_empty()));
                let pod = seen.pods.values().next().expect("a pod");
                let admitted = seen.sized_on_admission.get(&fixtures::id("web"));
                return (pod.containers[0].desired.clone(), admitted.map(|all| all[0].1.clone()));
            }
            carry_out(&next.orders, &mut seen);
        }
        panic!("it does not end: {:?}", journal.phase)
    }

    #[test]
    fn without_a_journal_all_goes_back_as_far_as_can_be_told() {
        let check = |running, admitted, expect: ((&str, &str), Option<(&str, &str)>)| {
            let expect = (sizes(expect.0), expect.1.map(sizes));
            assert_eq!(back(seen(running, admitted)), expect, "{running:?}, {admitted:?}");
        };
        let ours = fixtures::settings().id;
        let (ours, earlier) = (Some((AFTER, ours.as_str())), Some((EARLIER, "earlier")));
        check(BEFORE, None, (BEFORE, None));
        check(AFTER, None, (BEFORE, None));
        check(AFTER, ours, (BEFORE, None));
        check(BEFORE, ours, (BEFORE, None));
        // What an earlier plan says is there as long as ours has not replaced it.
        check(EARLIER, earlier, (EARLIER, Some(EARLIER)));
        check(AFTER, earlier, (EARLIER, Some(EARLIER)));
    }

    #[test]
    fn time_alone_is_no_reason_for_a_copy() {
        let seen = seen(BEFORE, None);
        let wanted = [fixtures::recommended("web", AFTER.0, AFTER.1, 50)];
        let journal =
            Journal::begin(planner::plan(&seen, &wanted, &fixtures::settings()), &seen, seen.as_of_ms);
        let check = |change: &dyn Fn(&mut Journal), expect| {
            let mut later = journal.clone();
            change(&mut later);
            assert_eq!(later.differs_in_weight(&journal), expect, "{later:?}");
        };
        check(&|_| (), false);
        check(&|later| (later.last_ms, later.seen_ms, later.credit_bytes) = (1, 2, 3), false);
        check(&|later| later.known[0].is_set = true, true);
        check(&|later| later.roll_back("why", 1), true);
        check(&|later| later.phase = Phase::Applied { at_ms: 1 }, true);
        let wave = |later: &mut Journal| match &mut later.phase {
            Phase::Applying { wave, .. } => *wave += 1,
            phase => panic!("{phase:?}"),
        };
        check(&wave, true);
    }
}
