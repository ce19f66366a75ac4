//! Plans on plans: what one has changed is what the next goes back to, so they are taken back in turn, the latest first.

use super::{Journal, Phase};
use crate::inventory::WorkloadId;

/// The latest plan that came after this one, changes one of the same workloads, and is not taken back; and which workload. As
/// long as there is one, this one can neither go on nor back.
pub fn in_the_way<'a>(
    journal: &Journal,
    all: impl IntoIterator<Item = &'a Journal>,
) -> Option<(&'a Journal, &'a WorkloadId)> {
    let later = all.into_iter().filter(|other| is_later(other, journal));
    let shared = later.filter_map(|other| {
        let theirs = other.plan.changes.iter().find(|theirs| {
            journal.plan.changes.iter().any(|ours| ours.workload == theirs.workload && ours.uid == theirs.uid)
        })?;
        Some((other, &theirs.workload))
    });
    shared.max_by_key(|(other, _)| other.last_ms)
}

/// Only one is carried out at a time, so the order of last steps is that of plans; and whatever the clocks of two machines say,
/// one that was made after another had been applied comes after it.
fn is_later(other: &Journal, journal: &Journal) -> bool {
    let is_in_force = !matches!(other.phase, Phase::RolledBack { .. });
    let follows = other.last_ms > journal.last_ms || other.plan.parent.as_ref() == Some(&journal.plan.id);
    other.plan.id != journal.plan.id && is_in_force && follows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Inventory;
    use crate::plan::{fixtures, planner};

    fn journal(id: &str, last_ms: i64, parent: Option<&str>, workload: &str) -> Journal {
        let container = fixtures::container("app", "64Mi", "128Mi");
        let seen: Inventory = fixtures::inventory([fixtures::workload(workload, 1, vec![container])]);
        let wanted = [fixtures::recommended(workload, "64Mi", "256Mi", 0)];
        let mut plan = planner::plan(&seen, &wanted, &fixtures::settings());
        assert_eq!(plan.changes.len(), 1);
        (plan.id, plan.parent) = (id.into(), parent.map(String::from));
        Journal { phase: Phase::Applied { at_ms: last_ms }, ..Journal::begin(plan, &seen, last_ms) }
    }

    #[test]
    fn the_latest_of_the_same_workload() {
        let check = |others: &[Journal], expect: Option<&str>| {
            let a = journal("a", 10, None, "web");
            let found = in_the_way(&a, others.iter().chain([&a]));
            assert_eq!(found.map(|(other, _)| other.plan.id.as_str()), expect);
        };
        let back = |mut journal: Journal| {
            journal.phase = Phase::RolledBack { reason: String::new(), at_ms: 0, remains: Vec::new() };
            journal
        };
        let going_back = |mut journal: Journal| {
            journal.roll_back("why", 0);
            journal
        };
        check(&[], None);
        check(&[journal("b", 20, None, "web")], Some("b"));
        check(&[journal("b", 20, None, "web"), journal("c", 30, None, "web")], Some("c"));
        check(&[journal("b", 20, None, "other")], None);
        check(&[journal("b", 5, None, "web")], None);
        // By a clock that is behind.
        check(&[journal("b", 5, Some("a"), "web")], Some("b"));
        check(&[back(journal("b", 20, None, "web"))], None);
        check(&[going_back(journal("b", 20, None, "web"))], Some("b"));
        let mut anew = journal("b", 20, None, "web");
        anew.plan.changes[0].uid = "another".into();
        check(&[anew], None);
    }
}
