//! Kills as they come, and what is counted of them.

use super::*;
use proptest::prelude::*;

fn subject(path: &str, pod: Option<&str>, container: &str) -> Subject {
    let row = Row { pod: pod.unwrap_or_default().into(), container: container.into(), ..Row::default() };
    let whose = Whose { workload: "web".into(), container: container.into(), ..Whose::default() };
    Subject { path: path.into(), pod: pod.map(Arc::from), row: Arc::new(row), whose: Arc::new(whose) }
}

fn group(path: &str, kills: u64) -> (Subject, Option<u64>) {
    (subject(path, Some("p"), "app"), Some(kills))
}

fn pod(kills: u64) -> (Subject, u64) {
    (subject("p", None, ""), kills)
}

fn look(groups: &[(Subject, Option<u64>)], pods: &[(Subject, u64)], logged: &[Subject]) -> Look {
    Look { now_ms: 0, groups: groups.to_vec(), pods: pods.to_vec(), logged: logged.to_vec() }
}

impl Ledger {
    fn total(&self, container: &str) -> Option<u64> {
        self.totals().find(|(whose, _)| whose.container == container).map(|(_, kills)| kills)
    }

    fn row(&self, container: &str) -> Option<u64> {
        self.rows().find(|(row, _)| row.container == container).map(|(_, kills)| kills)
    }
}

#[test]
fn a_count_goes_on_when_its_container_has_gone() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.look(&look(&[group("a", 3)], &[], &[])), 0);
    assert_eq!((ledger.row("app"), ledger.total("app")), (Some(3), Some(0)), "before we looked");
    assert_eq!(ledger.look(&look(&[group("a", 4)], &[], &[])), 1);
    assert_eq!(ledger.look(&look(&[], &[], &[])), 0);
    assert_eq!((ledger.row("app"), ledger.total("app")), (Some(4), Some(1)));
    // The next one of the same name, killed before it was seen first.
    assert_eq!(ledger.look(&look(&[group("b", 2)], &[], &[])), 2);
    assert_eq!((ledger.row("app"), ledger.total("app")), (Some(6), Some(3)));
    ledger.look(&look(&[], &[], &[]));
    ledger.look(&Look { now_ms: KEPT_MS + 1, ..Look::default() });
    assert_eq!((ledger.row("app"), ledger.total("app")), (None, Some(3)), "only the total stays");
}

#[test]
fn a_unit_that_starts_anew_begins_at_nothing() {
    let mut ledger = Ledger::default();
    ledger.look(&look(&[group("a", 5)], &[], &[]));
    assert_eq!(ledger.look(&look(&[group("a", 1)], &[], &[])), 1);
    assert_eq!(ledger.look(&look(&[(group("a", 0).0, None)], &[], &[])), 0, "could not be read");
    assert_eq!(ledger.look(&look(&[group("a", 2)], &[], &[])), 1);
    assert_eq!(ledger.total("app"), Some(2));
}

#[test]
fn what_only_the_pod_has_counted_is_not_lost() {
    // What the pod counts, what is there of two containers, and to whom the kill goes.
    let check = |then: &[(Subject, Option<u64>)], counts: u64, logged: &[Subject], expect: (u64, u64)| {
        let mut ledger = Ledger::default();
        let other = (subject("b", Some("p"), "other"), Some(0));
        ledger.look(&look(&[group("a", 1), other], &[pod(4)], &[]));
        assert_eq!((ledger.total("app"), ledger.total("")), (Some(0), None));
        ledger.look(&look(then, &[pod(counts)], logged));
        let found = (ledger.total("app").unwrap_or(0), ledger.total("").unwrap_or(0));
        assert_eq!(found, expect);
        // Nothing is counted again.
        assert_eq!(ledger.look(&look(&[], &[pod(counts)], &[])), 0);
    };
    let other = (subject("b", Some("p"), "other"), Some(0));
    let killed = subject("a", Some("p"), "app");
    check(&[group("a", 2), other.clone()], 5, &[], (1, 0));
    check(&[group("a", 1), other.clone()], 5, &[], (0, 1));
    let (other, killed) = ([other], [killed]);
    check(&other, 5, &[], (1, 0));
    check(&other, 7, &[], (3, 0));
    check(&[], 5, &[], (0, 1));
    check(&[], 5, &killed, (1, 0));
    check(&other, 5, &killed, (1, 0));
    check(&other, 6, &killed, (2, 0));
}

#[test]
fn the_log_knows_who_was_never_seen() {
    let mut ledger = Ledger::default();
    ledger.look(&Look::default());
    assert_eq!(ledger.look(&look(&[], &[], &[subject("a", None, "app")])), 1);
    assert_eq!((ledger.row("app"), ledger.total("app")), (Some(1), Some(1)));
    // It says the same kill as the counter does, whichever comes first.
    assert_eq!(ledger.look(&look(&[group("b", 1)], &[], &[subject("b", None, "app")])), 1);
    assert_eq!(ledger.look(&look(&[group("b", 2)], &[], &[])), 1);
    assert_eq!(ledger.look(&look(&[group("b", 2)], &[], &[subject("b", None, "app")])), 0);
    assert_eq!(ledger.total("app"), Some(3));
}

#[test]
fn a_container_that_gets_its_name_later_keeps_its_count() {
    let mut ledger = Ledger::default();
    ledger.look(&Look::default());
    ledger.look(&look(&[(subject("a", None, "0123"), Some(1))], &[], &[]));
    ledger.look(&look(&[(subject("a", None, "app"), Some(2))], &[], &[]));
    assert_eq!((ledger.row("0123"), ledger.row("app")), (None, Some(2)));
}

#[test]
fn it_goes_on_after_the_agent_itself_has_gone() {
    let mut ledger = Ledger::default();
    ledger.look(&Look::default());
    ledger.look(&look(&[group("a", 1)], &[pod(2)], &[]));
    assert_eq!((ledger.total("app"), ledger.total("")), (Some(1), Some(1)));
    let json = serde_json::to_string(&ledger.keep()).expect("JSON");
    let kept: Kept = serde_json::from_str(&json).expect("what was kept");
    let mut after = Ledger::resume(kept.clone(), true);
    assert_eq!(after.look(&look(&[group("a", 2)], &[pod(3)], &[])), 1, "while we were away");
    assert_eq!((after.total("app"), after.row("app")), (Some(2), Some(2)));
    let mut rebooted = Ledger::resume(kept, false);
    assert_eq!(
        rebooted.look(&look(&[group("c", 1)], &[pod(1)], &[])),
        0,
        "another boot's counters say nothing new"
    );
    assert_eq!((rebooted.total("app"), rebooted.total("")), (Some(1), Some(1)));
}

#[test]
fn there_are_only_so_many_totals() {
    let mut ledger = Ledger::default();
    ledger.look(&Look::default());
    for number in 0..TOTALS_MAX as i64 + 10 {
        let mut it = subject(&format!("/{number}"), None, "app");
        it.whose = Arc::new(Whose { ci_job: format!("job {number}"), ..Whose::default() });
        ledger.look(&Look { now_ms: number, groups: vec![(it, Some(1))], ..Look::default() });
    }
    assert_eq!(ledger.totals().count(), TOTALS_MAX);
    assert!(!ledger.totals().any(|(whose, _)| whose.ci_job == "job 0"), "the oldest has gone");
}

proptest! {
    /// However kills and ends of containers come, and whatever is seen of them: with the pod's counter in view each kill is counted
    /// exactly once.
    #[test]
    fn each_kill_is_counted_once(
        steps in prop::collection::vec((0..3_usize, any::<bool>(), any::<bool>(), any::<bool>()), 1..60)
    ) {
        let mut ledger = Ledger::default();
        ledger.look(&Look::default());
        let (mut made, mut there, mut kills, mut counts) = (0, vec![], 0_u64, BTreeMap::new());
        for (which, is_killed, goes, is_logged) in steps {
            if there.len() <= which {
                there.push(format!("c{made}"));
                made += 1;
            }
            let at = which.min(there.len() - 1);
            let path = there[at].clone();
            let mut logged = Vec::new();
            if is_killed {
                kills += 1;
                *counts.entry(path.clone()).or_insert(0) += 1;
                if is_logged {
                    logged.push(subject(&path, Some("p"), "app"));
                }
            }
            if goes {
                there.remove(at);
            }
            let groups: Vec<_> = there.iter().map(|path| group(path, counts.get(path).copied().unwrap_or(0))).collect();
            ledger.look(&look(&groups, &[pod(kills)], &logged));
            let counted: u64 = ledger.totals().map(|(_, kills)| kills).sum();
            prop_assert_eq!(counted, kills);
        }
    }
}
