//! Merging loses nothing, limits hold, and the stored form reads back.

use super::*;
use crate::attempt::{Census, Setting};
use crate::outcome::Cause;
use crate::size::{GIB, MIB};
use proptest::prelude::*;

fn attempt(mode: Mode, budget_bytes: Option<u64>, outcome: Outcome, jobs: u32) -> Attempt {
    let setting = Setting { mode, jobs, heap_bytes: None, worker_heap_bytes: None, less_work: false };
    Attempt {
        setting,
        budget_bytes,
        outcome,
        cause: (outcome == Outcome::OutOfMemory).then_some(Cause::KernelKill),
        exit_code: None,
        kernel_kills: None,
        heap_errors: 0,
        freezes: 0,
        wall_ms: 1,
        census: Census { peak_bytes: Some(300 * MIB), ..Census::default() },
    }
}

fn run(ended_unix_ms: u64, attempt: Attempt) -> Run {
    Run { ended_unix_ms, outcome: attempt.outcome, attempts: vec![attempt] }
}

#[test]
fn the_latest_clean_success_near_this_budget() {
    let mut profile = Profile::new("p", "j", "make");
    let near = attempt(Mode::Critical, Some(2 * GIB), Outcome::Succeeded, 1);
    let far = attempt(Mode::Optimized, Some(8 * GIB), Outcome::Succeeded, 8);
    let killed_inside =
        Attempt { kernel_kills: Some(1), ..attempt(Mode::Critical, Some(2 * GIB), Outcome::Succeeded, 4) };
    for (ended, attempt) in [near, far, killed_inside].into_iter().enumerate() {
        profile.record(run(ended as u64, attempt));
    }
    profile.record(run(9, attempt(Mode::Critical, Some(2 * GIB), Outcome::OutOfMemory, 2)));
    let check = |mode, budget, expect| {
        let jobs = profile.last_success(mode, budget).map(|attempt| attempt.setting.jobs);
        assert_eq!(jobs, expect, "{mode:?} {budget:?}");
    };
    check(None, Some(2 * GIB), Some(1));
    check(None, Some(2 * GIB - 150 * MIB), Some(1));
    check(None, Some(3 * GIB), None);
    check(None, Some(8 * GIB), Some(8));
    check(Some(Mode::Safe), Some(8 * GIB), None);
    check(None, None, None);
}

#[test]
fn settled_intents_are_gone() {
    let mut profile = Profile::new("p", "j", "make");
    let intent = |pid| Intent {
        attempt: attempt(Mode::Safe, None, Outcome::Abandoned, 1),
        started_unix_ms: 5,
        pid,
        pid_start_ticks: 7,
        boot_id: "b".into(),
    };
    profile.intend(intent(1));
    profile.intend(intent(2));
    profile.settle(1, 7, "b");
    profile.settle(2, 7, "another boot");
    assert_eq!(profile.intents, [intent(2)]);
}

#[test]
fn the_stored_form_reads_back_and_bears_new_fields() {
    let mut profile = Profile::new("p", "j", "make");
    profile.record(run(1, attempt(Mode::Safe, Some(GIB), Outcome::OutOfMemory, 3)));
    profile.learn(&BTreeMap::from([("cc1plus a.cc".to_string(), ProgramUse { count: 1, peak_bytes: 5 })]));
    let text = serde_json::to_string(&profile).unwrap();
    assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
    let newer = text.replacen('{', "{\"from_the_future\":[1],", 1);
    assert_eq!(serde_json::from_str::<Profile>(&newer).unwrap(), profile);
}

#[test]
fn the_largest_programs_are_kept() {
    let mut profile = Profile::new("p", "j", "make");
    let peak = |number: u64| ProgramUse { count: 1, peak_bytes: number };
    profile.learn(&(0..PROGRAMS_MAX as u64 + 10).map(|number| (format!("{number}"), peak(number))).collect());
    assert_eq!(profile.programs.len(), PROGRAMS_MAX);
    assert!(!profile.programs.contains_key("9") && profile.programs.contains_key("10"));
    profile.learn(&BTreeMap::from([("10".to_string(), peak(3))]));
    assert_eq!(profile.programs["10"], peak(10));
}

fn any_profile() -> impl Strategy<Value = Profile> {
    let runs = prop::collection::vec((0u64..12, 1u32..4), 0..30);
    let programs = prop::collection::btree_map("[a-d]", (1u64..5, 0u64..100), 0..4);
    (runs, programs).prop_map(|(runs, programs)| {
        let mut profile = Profile::new("p", "j", "make");
        for (ended, jobs) in runs {
            profile.record(run(ended, attempt(Mode::Safe, None, Outcome::Succeeded, jobs)));
        }
        let seen = |(key, (count, peak_bytes))| (key, ProgramUse { count, peak_bytes });
        profile.learn(&programs.into_iter().map(seen).collect());
        profile
    })
}

fn merged(one: &Profile, other: &Profile) -> Profile {
    let mut merged = one.clone();
    merged.merge(other);
    merged
}

proptest! {
    #[test]
    fn merging_knows_no_order(a in any_profile(), b in any_profile(), c in any_profile()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a.clone());
    }

    #[test]
    fn merging_loses_nothing_but_the_oldest(a in any_profile(), b in any_profile()) {
        let both = merged(&a, &b);
        let oldest_kept = both.runs.first().map_or(0, |run| run.ended_unix_ms);
        for run in a.runs.iter().chain(&b.runs) {
            prop_assert!(both.runs.contains(run) || (both.runs.len() == RUNS_MAX && run.ended_unix_ms <= oldest_kept));
        }
        for (key, seen) in a.programs.iter().chain(&b.programs) {
            prop_assert!(both.programs[key].peak_bytes >= seen.peak_bytes);
        }
    }
}
