//! The ladder against a simulated build, and the moves of the table.

mod jvm;

use super::simulator::{Build, context, native, node, play, remember};
use super::*;
use crate::attempt::Census;
use crate::profile::Intent;
use crate::program::Runtime;
use crate::size::{GIB, MIB};
use crate::solver::process_bytes;
use proptest::prelude::*;

#[test]
fn the_four_builds_of_the_table() {
    let check = |build: Build, budget: u64, attempts_most: usize, passes: bool| {
        let modes = Modes::default();
        let (attempts, stop) = play(&context(&build, &modes, None, budget), &build);
        let passed = attempts.last().is_some_and(|last| last.outcome == Outcome::Succeeded);
        assert_eq!(passed, passes, "{build:?}\n{attempts:#?}\n{stop:?}");
        assert!(attempts.len() <= attempts_most, "{build:?}\n{attempts:#?}");
    };
    // tsc on googleapis in 2 GiB, on both SDKs in 2 and in 4 GiB.
    check(node(1750, 0, 0), 2 * GIB, 1, true);
    check(node(2300, 0, 0), 2 * GIB, 2, false);
    check(node(2300, 0, 0), 4 * GIB, 1, true);
    // webpack with terser.
    check(node(1000, 400, 60), 2 * GIB, 1, true);
    // Twelve C++ files: cold with five jobs, then with what their measured peak leaves.
    check(native(800), 2 * GIB, 2, true);
    check(native(3000), 2 * GIB, 4, false);
    // Workers that need more than their share, and a native rest nobody knew of.
    check(node(300, 900, 60), 2 * GIB, 3, true);
    check(node(1000, 0, 500), 2 * GIB, 2, true);
}

fn died(cause: Cause, setting: Setting, peak_mib: u64, main_mib: u64) -> Attempt {
    let mut attempt = native(1).run(&setting, 2 * GIB);
    attempt.outcome = Outcome::OutOfMemory;
    attempt.cause = Some(cause);
    attempt.census.peak_bytes = Some(peak_mib * MIB);
    attempt.census.main_peak_bytes = Some(main_mib * MIB);
    attempt.census.main_runtime = None;
    attempt
}

fn heaps(jobs: u32, heap_mib: u64, worker_mib: Option<u64>) -> Setting {
    let worker_heap_bytes = worker_mib.map(|mib| mib * MIB);
    Setting {
        mode: Mode::Critical,
        jobs,
        heap_bytes: Some(heap_mib * MIB),
        worker_heap_bytes,
        less_work: false,
    }
}

#[test]
fn the_cause_decides_the_direction() {
    let modes = Modes::default();
    let check = |workers: u64, death: Attempt, expect: fn(&Setting) -> bool| {
        let context = context(&node(1, workers, 0), &modes, None, 2 * GIB);
        match next(&context, std::slice::from_ref(&death)) {
            Move::Run { setting, .. } => assert!(expect(&setting), "{death:?}\n{setting:?}"),
            stop => panic!("{death:?}\n{stop:?}"),
        }
    };
    check(0, died(Cause::HeapLimit, heaps(1, 1048, None), 1148, 1148), |s| s.heap_bytes > Some(1700 * MIB));
    check(0, died(Cause::GcThrash, heaps(1, 1048, None), 1148, 1148), |s| s.heap_bytes > Some(1700 * MIB));
    for cause in [Cause::KernelKill, Cause::LimitReached, Cause::Livelock, Cause::AllocationRefused] {
        check(0, died(cause, heaps(1, 1850, None), 2040, 1700), |s| s.heap_bytes < Some(1500 * MIB));
        check(1, died(cause, heaps(4, 500, Some(250)), 2040, 500), |s| {
            s.jobs <= 2 && s.heap_bytes <= Some(500 * MIB) && s.worker_heap_bytes <= Some(250 * MIB)
        });
        check(1, died(cause, heaps(1, 1200, Some(600)), 2040, 1200), |s| {
            s.jobs == 1 && s.heap_bytes <= Some(960 * MIB) && s.worker_heap_bytes <= Some(480 * MIB)
        });
    }
    check(1, died(Cause::HeapLimitAndKernelKill, heaps(4, 600, Some(300)), 2000, 640), |s| {
        s.jobs <= 2 && s.heap_bytes > Some(618 * MIB)
    });
}

#[test]
fn no_room_means_less_work_or_a_stop() {
    let death = [died(Cause::HeapLimitAndKernelKill, heaps(1, 1852, None), 1950, 1945)];
    let modes = Modes::default();
    let build = node(1, 0, 0);
    match next(&context(&build, &modes, None, 2 * GIB), &death) {
        Move::Stop { stop, need_bytes, reason } => {
            assert_eq!(stop, Stop::NothingFits);
            assert!(
                need_bytes.is_some_and(|need| need > 22 * GIB / 10 && need < 29 * GIB / 10),
                "{need_bytes:?}"
            );
            assert_eq!(reason, "needs about 2.5 GiB; this job has 2.0 GiB");
        }
        run => panic!("{run:?}"),
    }
    let mut allowed = Modes::default();
    for spec in allowed.specs.values_mut() {
        spec.less_work_env.insert("GENERATE_SOURCEMAP".into(), "false".into());
    }
    match next(&context(&build, &allowed, None, 2 * GIB), &death) {
        Move::Run { setting, .. } => assert!(setting.less_work && setting.heap_bytes > Some(1700 * MIB)),
        stop => panic!("{stop:?}"),
    }
}

#[test]
fn a_heap_that_was_full_beside_a_free_reserve_gets_that_too() {
    let modes = Modes::default();
    let check = |main_mib: u64, outcomes: &[Outcome]| {
        let build = node(main_mib, 0, 0);
        let (attempts, _) = play(&context(&build, &modes, None, 2 * GIB), &build);
        let seen: Vec<Outcome> = attempts.iter().map(|attempt| attempt.outcome).collect();
        assert_eq!(seen, outcomes, "{main_mib}: {attempts:#?}");
        let profile = remember(&attempts);
        let Move::Run { last_resort, .. } = start(&context(&build, &modes, Some(&profile), 2 * GIB)) else {
            panic!()
        };
        assert_eq!(last_resort, outcomes.last() != Some(&Outcome::Succeeded), "{main_mib}");
    };
    check(1840, &[Outcome::Succeeded]);
    check(1900, &[Outcome::OutOfMemory, Outcome::Succeeded]);
    check(2300, &[Outcome::OutOfMemory, Outcome::OutOfMemory]);
}

#[test]
fn less_work_that_passed_is_where_the_next_run_starts() {
    let mut modes = Modes::default();
    for spec in modes.specs.values_mut() {
        spec.less_work_env.insert("GENERATE_SOURCEMAP".into(), "false".into());
    }
    let (all, less) = (node(2300, 0, 0), node(1500, 0, 0));
    let context = context(&all, &modes, None, 2 * GIB);
    let mut attempts = Vec::new();
    let setting = loop {
        let Move::Run { setting, .. } = next(&context, &attempts) else { panic!() };
        if setting.less_work {
            break setting;
        }
        attempts.push(all.run(&setting, 2 * GIB));
    };
    let success = less.run(&setting, 2 * GIB);
    assert_eq!(success.outcome, Outcome::Succeeded);
    attempts.push(success);
    let profile = remember(&attempts);
    let Move::Run { setting: warm, .. } = start(&Context { profile: Some(&profile), ..context.clone() })
    else {
        panic!()
    };
    assert_eq!(warm, setting);
    // Less work that died is not tried for ever.
    let profile = remember(&play(&Context { profile: None, ..context.clone() }, &all).0);
    let (again, stop) = play(&Context { profile: Some(&profile), ..context }, &all);
    assert_eq!(again.len(), 1);
    assert!(matches!(stop, Move::Stop { stop: Stop::NothingFits, .. }), "{stop:?}");
}

#[test]
fn one_job_of_a_tool_with_one_worker_fewer_is_the_main_process() {
    let modes = Modes::default();
    let build = node(500, 0, 0);
    let shape = crate::program::Shape { workers: true, one_fewer: true, ..build.shape() };
    let given = |cores| {
        let context = Context { cores, shape: shape.clone(), ..context(&build, &modes, None, GIB) };
        let Move::Run { setting, .. } = start(&context) else { panic!() };
        setting
    };
    let alone = given(1);
    assert_eq!((alone.jobs, alone.worker_heap_bytes), (1, None));
    let beside = given(2);
    assert_eq!(beside.jobs, 2);
    assert!(beside.heap_bytes < alone.heap_bytes && beside.worker_heap_bytes.is_some(), "{beside:?}");
}

#[test]
fn a_full_heap_beside_much_room_gets_more_of_it() {
    let modes = Modes::default();
    let build = node(500, 300, 0);
    let context = context(&build, &modes, None, 2 * GIB);
    let passed = |main_mib: u64, peak_mib: u64| {
        let mut attempt = native(1).run(&heaps(2, 600, Some(300)), 2 * GIB);
        attempt.census.main_runtime = Some(Runtime::Node);
        attempt.census.main_peak_bytes = Some(main_mib * MIB);
        attempt.census.peak_bytes = Some(peak_mib * MIB);
        let profile = remember(&[attempt]);
        let Move::Run { setting, .. } = start(&Context { profile: Some(&profile), ..context.clone() }) else {
            panic!()
        };
        setting.heap_bytes.unwrap() / MIB
    };
    assert!(passed(650, 1000) > 900, "{}", passed(650, 1000));
    assert_eq!(passed(400, 1000), 600, "it was not full");
    assert_eq!(passed(650, 1900), 600, "there was no room");
}

#[test]
fn threads_that_passed_are_left_as_they_were() {
    let modes = Modes::default();
    let build = node(500, 0, 0);
    let shape = crate::program::Shape { workers: true, one_fewer: true, ..build.shape() };
    let context = Context { cores: 2, shape, ..context(&build, &modes, None, GIB) };
    let Move::Run { setting, .. } = start(&context) else { panic!() };
    let mut passed = build.run(&setting, GIB);
    // Two heaps in one process, neither of them full.
    passed.census.main_peak_bytes = Some(629 * MIB);
    passed.census.peak_bytes = Some(640 * MIB);
    let profile = remember(&[passed]);
    let Move::Run { setting: warm, .. } = start(&Context { profile: Some(&profile), ..context }) else {
        panic!()
    };
    assert_eq!(warm, setting);
}

/// Webpack in 512 MiB, as measured: two heaps of 263 MiB in one process were killed.
#[test]
fn threads_that_were_killed_leave_their_room_to_one_heap() {
    let modes = Modes::default();
    let build = node(500, 0, 0);
    let shape = crate::program::Shape { workers: true, one_fewer: true, ..build.shape() };
    let context = Context { cores: 2, shape, ..context(&build, &modes, None, 512 * MIB) };
    let mut death = died(Cause::KernelKill, heaps(2, 263, Some(98)), 490, 480);
    death.budget_bytes = Some(512 * MIB);
    death.census.main_runtime = Some(Runtime::Node);
    let Move::Run { setting, .. } = next(&context, std::slice::from_ref(&death)) else { panic!() };
    assert_eq!((setting.jobs, setting.worker_heap_bytes), (1, None));
    assert!(setting.heap_bytes > Some(380 * MIB), "{setting:?}");
}

#[test]
fn the_number_asked_for_stands_until_it_dies() {
    let modes = Modes::default();
    let build = native(800);
    let asked = |profile| Context { jobs_asked: Some(64), ..context(&build, &modes, profile, 2 * GIB) };
    let Move::Run { setting, .. } = start(&asked(None)) else { panic!() };
    assert_eq!(setting.jobs, 64);
    let death = build.run(&setting, 2 * GIB);
    let Move::Run { setting, .. } = next(&asked(None), &[death]) else { panic!() };
    assert!(setting.jobs <= 2, "what was measured fits: {setting:?}");
}

#[test]
fn only_memory_is_tried_again() {
    let modes = Modes::default();
    let build = node(1, 0, 0);
    for outcome in
        [Outcome::Succeeded, Outcome::Failed, Outcome::TimedOut, Outcome::Signalled, Outcome::Abandoned]
    {
        let attempt = Attempt { outcome, cause: None, ..build.run(&heaps(1, 1000, None), 2 * GIB) };
        let stop = next(&context(&build, &modes, None, 2 * GIB), &[attempt]);
        assert!(matches!(stop, Move::Stop { stop: Stop::Final, .. }), "{outcome:?} {stop:?}");
    }
}

#[test]
fn a_tree_that_does_not_obey_takes_turns_once() {
    let modes = Modes::default();
    let check = |parallel: u32, main_mib: u64, deaths: usize, expect: bool| {
        let setting = Setting { heap_bytes: None, ..heaps(1, 0, None) };
        let mut death = died(Cause::KernelKill, setting, 2000, main_mib);
        death.census.parallel = parallel;
        death.census.main_runtime = Some(Runtime::Native);
        let moved = next(&context(&native(1), &modes, None, 2 * GIB), &vec![death; deaths]);
        assert_eq!(matches!(moved, Move::Run { .. }), expect, "{parallel} {main_mib} {deaths}: {moved:?}");
    };
    check(8, 300, 1, true);
    check(8, 300, 2, false); // it knew already
    check(1, 300, 1, false); // it was alone
    check(8, 1900, 1, false); // one of them is too large
}

#[test]
fn a_fixed_mode_stays_while_heaps_and_jobs_move() {
    let modes = Modes::default();
    let build = native(800);
    let fixed = Context { fixed_mode: Some(Mode::Optimized), ..context(&build, &modes, None, 2 * GIB) };
    let (attempts, _) = play(&fixed, &build);
    assert!(attempts.len() > 1 && attempts.iter().all(|attempt| attempt.setting.mode == Mode::Optimized));
}

#[test]
fn a_group_kill_counts_although_nobody_saw_it() {
    let modes = Modes::default();
    let build = native(800);
    let mut profile = Profile::new("p", "j", "c");
    let Move::Run { setting, .. } = start(&context(&build, &modes, None, 2 * GIB)) else { panic!() };
    let attempt = Attempt { census: Census::default(), ..build.run(&setting, 2 * GIB) };
    let intent = Intent { attempt, started_unix_ms: 0, pid: 1, pid_start_ticks: 0, boot_id: String::new() };
    profile.intents.push(intent);
    let Move::Run { setting: next, .. } = start(&context(&build, &modes, Some(&profile), 2 * GIB)) else {
        panic!()
    };
    assert!(next.jobs <= setting.jobs / 2, "{setting:?} {next:?}");
}

#[test]
fn nothing_readable_is_no_reason_not_to_run() {
    let modes = Modes::default();
    let build = node(1, 0, 0);
    let blind = Context { budget_bytes: None, ..context(&build, &modes, None, GIB) };
    let Move::Run { setting, .. } = start(&blind) else { panic!() };
    assert_eq!((setting.heap_bytes, setting.jobs), (None, 8));
    let death = Attempt { budget_bytes: None, ..died(Cause::HeapLimit, setting, 1148, 1148) };
    let Move::Run { setting, .. } = next(&blind, &[death]) else { panic!() };
    assert!(setting.heap_bytes > Some(1500 * MIB), "{setting:?}");
}

#[test]
fn what_died_in_the_least_setting_gets_one_attempt_a_run() {
    let modes = Modes::default();
    let build = node(2300, 0, 0);
    let (attempts, _) = play(&context(&build, &modes, None, 2 * GIB), &build);
    let profile = remember(&attempts);
    let (attempts, stop) = play(&context(&build, &modes, Some(&profile), 2 * GIB), &build);
    assert_eq!(attempts.len(), 1, "{attempts:#?}");
    assert!(matches!(stop, Move::Stop { stop: Stop::NothingFits, .. }), "{stop:?}");
    // The build has changed.
    let (attempts, _) = play(&context(&build, &modes, Some(&profile), 2 * GIB), &node(1200, 0, 0));
    assert_eq!(attempts.iter().map(|attempt| attempt.outcome).collect::<Vec<_>>(), [Outcome::Succeeded]);
    // More room is a new question.
    let (attempts, _) = play(&context(&build, &modes, Some(&profile), 3 * GIB), &build);
    assert_eq!(attempts.last().map(|last| last.outcome), Some(Outcome::Succeeded));
}

#[test]
fn a_need_seen_elsewhere_is_named() {
    let modes = Modes::default();
    let build = node(2300, 0, 0);
    let (attempts, _) = play(&context(&build, &modes, None, 4 * GIB), &build);
    let peak = attempts[0].census.peak_bytes;
    let profile = remember(&attempts);
    let (attempts, stop) = play(&context(&build, &modes, Some(&profile), 2 * GIB), &build);
    assert_eq!(attempts.len(), 1);
    assert!(matches!(stop, Move::Stop { need_bytes, .. } if need_bytes == peak), "{stop:?}");
}

/// Killed at 35, 50 and 75 % of the 880 MiB that a rustc needs (measured): its like says what its death cannot.
#[test]
fn a_need_leans_on_what_its_like_has_needed() {
    let modes = Modes::default();
    let check = |budget_mib: u64, program: Option<&str>, expect_mib: std::ops::RangeInclusive<u64>| {
        let setting = Setting { heap_bytes: None, ..heaps(1, 0, None) };
        let mut death = died(Cause::KernelKill, setting, budget_mib, budget_mib - 5);
        death.budget_bytes = Some(budget_mib * MIB);
        death.census.main_program = program.map(str::to_string);
        death.census.main_runtime = Some(Runtime::Native);
        let Move::Stop { need_bytes: Some(need), .. } =
            next(&context(&native(1), &modes, None, budget_mib * MIB), &[death])
        else {
            panic!("{budget_mib}")
        };
        assert!(expect_mib.contains(&(need / MIB)), "{budget_mib}: {}", need / MIB);
    };
    check(304, Some("rustc"), 656..=880);
    check(448, Some("rustc"), 656..=880);
    check(656, Some("rustc"), 880..=1012);
    check(448, None, 580..=584);
    check(1200, Some("rustc"), 1558..=1562);
}

/// Every build of the grid that some fixed setting passes: cold at least 95 %, warm all of them.
#[test]
fn it_finds_what_a_sweep_finds() {
    let modes = Modes::default();
    let heaps = |runtime| {
        let mains = [100, 300, 700, 1100, 1700, 2600, 3800].into_iter();
        mains.flat_map(move |main_mib| {
            let workers = [0, 100, 200, 400, 700, 1100].into_iter();
            workers.flat_map(move |worker_mib| {
                let rests = [0, 60, 250, 600].into_iter();
                rests.map(move |rest_mib| Build { runtime, main_mib, worker_mib, job_mib: 0, rest_mib })
            })
        })
    };
    let natives = [50, 150, 400, 800, 1300, 2000, 3500].map(native);
    let builds: Vec<Build> = heaps(Runtime::Node).chain(heaps(Runtime::Jvm)).chain(natives).collect();
    let (mut passable, mut passed) = (0u32, 0u32);
    for (build, budget_mib) in builds.iter().flat_map(|build| {
        [500u64, 800, 1200, 1700, 2048, 2900, 4096, 6144, 8192].map(|budget_mib| (build, budget_mib))
    }) {
        let budget_bytes = budget_mib * MIB;
        if !build.some_fixed_setting_passes(budget_bytes) {
            continue;
        }
        passable += 1;
        let (cold, _) = play(&context(build, &modes, None, budget_bytes), build);
        if cold.last().is_some_and(|last| last.outcome == Outcome::Succeeded) {
            passed += 1;
            let profile = remember(&cold);
            let (warm, _) = play(&context(build, &modes, Some(&profile), budget_bytes), build);
            let outcomes: Vec<Outcome> = warm.iter().map(|attempt| attempt.outcome).collect();
            assert_eq!(outcomes, [Outcome::Succeeded], "{build:?} {budget_mib}");
        }
    }
    assert!(passable > 500 && passed * 100 >= passable * 95, "{passed} of {passable}");
}

fn any_build() -> impl Strategy<Value = Build> {
    let runtime = prop::sample::select(vec![Runtime::Node, Runtime::Jvm]);
    let heaps = (runtime, 50u64..4000, prop::option::of(70u64..1500), 0u64..600).prop_map(
        |(runtime, main_mib, worker_mib, rest_mib)| Build {
            runtime,
            main_mib,
            worker_mib: worker_mib.unwrap_or(0),
            job_mib: 0,
            rest_mib,
        },
    );
    prop_oneof![heaps, (10u64..4000).prop_map(native)]
}

proptest! {
    #[test]
    fn it_ends_and_repeats_nothing_that_died(build in any_build(), budget_mib in 300u64..9000, cores in 1u32..64) {
        let modes = Modes::default();
        let context = Context { cores, attempts_max: 12, ..context(&build, &modes, None, budget_mib * MIB) };
        let (attempts, _) = play(&context, &build);
        for (index, attempt) in attempts.iter().enumerate() {
            let same = |before: &Attempt| Setting { mode: attempt.setting.mode, ..before.setting.clone() } == attempt.setting;
            prop_assert!(!attempts[..index].iter().any(same), "{:#?}", attempts);
            prop_assert!(attempt.setting.jobs >= 1);
            if let Some(heap) = attempt.setting.heap_bytes {
                // A JVM can be seen to be smaller than what is reckoned with first; its heaps have to fit all the same.
                let least = |heap| if build.runtime == Runtime::Jvm { heap } else { process_bytes(build.runtime, heap) };
                let workers = attempt.setting.worker_heap_bytes.map_or(0, least);
                let tree = least(heap) + workers * u64::from(attempt.setting.jobs);
                prop_assert!(tree <= budget_mib * MIB);
            }
        }
    }

    #[test]
    fn group_kills_one_after_another_go_down_to_the_least(build in any_build(), budget_mib in 300u64..9000) {
        let modes = Modes::default();
        let mut profile = Profile::new("p", "j", "c");
        let mut last: Option<Setting> = None;
        for kill in 0u64.. {
            prop_assert!(kill < 20, "{:#?}", profile.intents);
            let Move::Run { setting, .. } = start(&context(&build, &modes, Some(&profile), budget_mib * MIB)) else {
                panic!("a run makes at least one attempt");
            };
            if last.as_ref() == Some(&setting) { break; }
            prop_assert!(profile.intents.iter().all(|intent| intent.attempt.setting != setting));
            last = Some(setting.clone());
            let unseen = Attempt { census: Census::default(), ..build.run(&setting, budget_mib * MIB) };
            profile.intend(Intent {
                attempt: Attempt { outcome: Outcome::Abandoned, cause: None, ..unseen },
                started_unix_ms: kill,
                pid: 1,
                pid_start_ticks: kill,
                boot_id: String::new(),
            });
        }
    }

    #[test]
    fn long_success_changes_nothing(build in any_build(), budget_mib in 400u64..9000) {
        let modes = Modes::default();
        let (mut attempts, _) = play(&context(&build, &modes, None, budget_mib * MIB), &build);
        let mut profile = remember(&attempts);
        if attempts.last().is_none_or(|last| last.outcome != Outcome::Succeeded) { return Ok(()); }
        let mut settings = Vec::new();
        for _ in 0..8 {
            (attempts, _) = play(&context(&build, &modes, Some(&profile), budget_mib * MIB), &build);
            prop_assert_eq!(attempts.len(), 1);
            prop_assert_eq!(attempts[0].outcome, Outcome::Succeeded);
            settings.push(attempts[0].setting.clone());
            profile.runs.extend(remember(&attempts).runs);
        }
        prop_assert_eq!(&settings[6], &settings[7]);
    }
}
