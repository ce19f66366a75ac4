//! A table of single decisions, and a simulated build for what must always hold.

use super::*;
use crate::size::{GIB, MIB};
use proptest::prelude::*;

fn branch(id: u64, current: u64, promise: u64, frozen: bool) -> Branch {
    Branch {
        id,
        started: id,
        current_bytes: current * MIB,
        promise_bytes: promise * MIB,
        frozen,
        patient: true,
        active: !frozen,
    }
}

#[test]
fn single_decisions() {
    let check = |what: &str, branches: &[Branch], freeze: &[u64], thaw: &[u64], stuck: bool| {
        let used_bytes = branches.iter().map(|branch| branch.current_bytes).sum();
        let view = View { budget_bytes: 2 * GIB, used_bytes, margin_bytes: 64 * MIB, branches, now_ms: 1000 };
        let expect = Verdict { freeze: freeze.to_vec(), thaw: thaw.to_vec(), stuck: false };
        let mut freezer = Freezer::default();
        assert_eq!(freezer.decide(&view), expect, "{what}");
        let later = View { now_ms: view.now_ms + STUCK_MS, ..view };
        assert_eq!(freezer.decide(&later).stuck, stuck, "{what}");
    };
    check("nothing runs", &[], &[], &[], false);
    check("one alone runs, however large", &[branch(1, 2030, 4000, false)], &[], &[], true);
    check(
        "the room is used up, and it needs no more than is left",
        &[branch(1, 2030, 2040, false)],
        &[],
        &[],
        false,
    );
    check("it has outgrown its promise", &[branch(1, 2030, 2030, false)], &[], &[], true);
    check("two fit", &[branch(1, 10, 850, false), branch(2, 10, 850, false)], &[], &[], false);
    let eight: Vec<Branch> = (1..=8).map(|id| branch(id, 10, 850, false)).collect();
    check("eight compilers: two run while the rest is small", &eight, &[3, 4, 5, 6, 7, 8], &[], false);
    check(
        "the largest runs, then the oldest",
        &[branch(1, 10, 850, false), branch(2, 300, 1500, false)],
        &[1],
        &[],
        false,
    );
    check(
        "a frozen one that fits goes on",
        &[branch(1, 800, 850, false), branch(2, 100, 850, true)],
        &[],
        &[2],
        false,
    );
    check(
        "the largest goes on, even when it was frozen",
        &[branch(1, 500, 850, false), branch(2, 700, 1700, true)],
        &[1],
        &[2],
        false,
    );
    check(
        "past its promise it is expected to grow on",
        &[branch(1, 850, 840, false), branch(2, 850, 840, false), branch(3, 1, 100, true)],
        &[],
        &[],
        false,
    );
    let mut worker = branch(2, 100, 1900, false);
    worker.patient = false;
    check(
        "an impatient one runs while there is room",
        &[branch(1, 600, 850, false), worker.clone()],
        &[],
        &[],
        false,
    );
    worker.current_bytes = 560 * MIB;
    check("and waits when there is none", &[branch(1, 1400, 1500, false), worker], &[2], &[], false);
}

#[test]
fn whoever_is_waited_for_is_woken() {
    let mut freezer = Freezer::default();
    let mut producer = branch(1, 500, 1600, true);
    let mut consumer = branch(2, 600, 1900, false);
    consumer.active = false;
    let mut woken_ms = None;
    for now_ms in (0..2000).step_by(50) {
        let branches = [producer.clone(), consumer.clone()];
        let view = View {
            budget_bytes: 2 * GIB,
            used_bytes: 1100 * MIB,
            margin_bytes: 64 * MIB,
            branches: &branches,
            now_ms,
        };
        let verdict = freezer.decide(&view);
        if verdict.thaw.contains(&1) {
            woken_ms.get_or_insert(now_ms);
            producer.frozen = false;
            producer.active = true;
        }
        consumer.frozen |= verdict.freeze.contains(&2);
    }
    assert!(woken_ms.is_some_and(|at| (IDLE_MS..2 * IDLE_MS).contains(&at)), "{woken_ms:?}");
}

/// A job of the simulated build.
#[derive(Debug, Clone)]
struct SimulatedJob {
    need_mib: u64,
    grow_mib: u64,
    held_mib: u64,
    frozen: bool,
    done: bool,
}

/// Runs all jobs at once in a budget, all started together as `make -j64` does, the freezer told `told` percent of
/// each job's true need. Returns the highest use and whether it was stuck; panics when the build never ends.
fn simulate(needs: &[(u64, u64)], budget_mib: u64, told_percent: u64) -> (u64, bool) {
    const MARGIN_MIB: u64 = 70;
    let mut freezer = Freezer::default();
    let job = |(need, grow): &(u64, u64)| SimulatedJob {
        need_mib: *need,
        grow_mib: *grow,
        held_mib: 1,
        frozen: false,
        done: false,
    };
    let mut jobs: Vec<SimulatedJob> = needs.iter().map(job).collect();
    let mut peak_mib = 0;
    for tick in 0..100_000u64 {
        let alive = || (0..).zip(needs).zip(jobs.iter()).filter(|(_, job)| !job.done);
        if alive().next().is_none() {
            return (peak_mib, false);
        }
        let branches: Vec<Branch> = alive()
            .map(|((id, need), job)| Branch {
                active: !job.frozen,
                ..branch(id, job.held_mib, need.0 * told_percent / 100, job.frozen)
            })
            .collect();
        let used_mib: u64 = branches.iter().map(|branch| branch.current_bytes / MIB).sum();
        let view = View {
            budget_bytes: budget_mib * MIB,
            used_bytes: used_mib * MIB,
            margin_bytes: MARGIN_MIB * MIB,
            branches: &branches,
            now_ms: tick * 20,
        };
        let verdict = freezer.decide(&view);
        if verdict.stuck {
            return (peak_mib.max(used_mib), true);
        }
        for id in verdict.freeze {
            jobs[id as usize].frozen = true;
        }
        for id in verdict.thaw {
            jobs[id as usize].frozen = false;
        }
        assert!(jobs.iter().any(|job| !job.done && !job.frozen), "somebody always runs");
        for job in jobs.iter_mut().filter(|job| !job.done && !job.frozen) {
            if job.held_mib >= job.need_mib {
                (job.done, job.held_mib) = (true, 0);
            } else {
                job.held_mib = (job.held_mib + job.grow_mib).min(job.need_mib);
            }
        }
        peak_mib = peak_mib.max(jobs.iter().map(|job| job.held_mib).sum());
    }
    panic!("a frozen build is never a hung build");
}

proptest! {
    /// With true promises, whatever fits one by one gets through together, within the budget and without an end.
    #[test]
    fn true_promises_never_pass_the_budget(jobs in prop::collection::vec((20u64..900, 1u64..30), 1..40)) {
        let (peak_mib, stuck) = simulate(&jobs, 1024, 100);
        prop_assert!(!stuck);
        prop_assert!(peak_mib <= 1024, "{}", peak_mib);
    }

    /// With promises that are too small the worst is a verdict: nobody hangs.
    #[test]
    fn false_promises_end_too(jobs in prop::collection::vec((20u64..900, 1u64..30), 1..40), told in 30u64..100) {
        simulate(&jobs, 1024, told);
    }

    /// A verdict names living branches only, and never stops all of them.
    #[test]
    fn verdicts_make_sense(
        states in prop::collection::vec((0u64..2000, 0u64..2000, any::<bool>(), any::<bool>(), any::<bool>()), 1..30),
        margin_mib in 0u64..500,
    ) {
        let branches: Vec<Branch> = (0..).zip(&states).map(|(id, (current, promise, frozen, patient, active))| Branch {
            patient: *patient,
            active: *active,
            ..branch(id, *current, *promise, *frozen)
        }).collect();
        let used_bytes = branches.iter().map(|branch| branch.current_bytes).sum();
        let view = View { budget_bytes: GIB, used_bytes, margin_bytes: margin_mib * MIB, branches: &branches, now_ms: 5 };
        let verdict = Freezer::default().decide(&view);
        let runs = |branch: &&Branch| if branch.frozen { verdict.thaw.contains(&branch.id) } else { !verdict.freeze.contains(&branch.id) };
        prop_assert!(branches.iter().any(|branch| runs(&branch)));
        for branch in &branches {
            prop_assert!(!(branch.frozen && verdict.freeze.contains(&branch.id)));
            prop_assert!(branch.frozen || !verdict.thaw.contains(&branch.id));
        }
    }
}
