//! The ladder against a simulated build, and the moves of the table.

use super::*;
use crate::attempt::Census;
use crate::outcome::{Evidence, Exit, classify};
use crate::profile::{Intent, Run};
use crate::program::Runtime;
use crate::signature::{Sighting, Signature};
use crate::size::{GIB, MIB};
use crate::solver::process_bytes;
use proptest::prelude::*;

/// A build as far as memory goes, all sizes in MiB.
#[derive(Debug, Clone)]
struct Build {
    runtime: Runtime,
    /// Live heap of the main process; 0 for a native build.
    main_mib: u64,
    /// Live heap of each worker; 0 without workers.
    worker_mib: u64,
    /// Peak of one native job; 0 without.
    job_mib: u64,
    /// Everything else.
    rest_mib: u64,
}

impl Build {
    fn shape(&self) -> Shape {
        Shape { tool: None, runtime: Some(self.runtime), workers: self.worker_mib > 0 }
    }

    /// Runs it: a runtime grows half again over its live heap where its cap lets it.
    fn run(&self, setting: &Setting, budget_bytes: u64) -> Attempt {
        let grown = |need_mib: u64, cap: Option<u64>| {
            let greedy = need_mib * MIB * 3 / 2;
            process_bytes(self.runtime, cap.map_or(greedy, |cap| greedy.min(cap)))
        };
        let (main, worker, jobs) = match self.runtime {
            Runtime::Native => (self.job_mib * MIB, 0, u64::from(setting.jobs) - 1),
            _ => {
                let worker =
                    if self.worker_mib > 0 { grown(self.worker_mib, setting.worker_heap_bytes) } else { 0 };
                (grown(self.main_mib, setting.heap_bytes), worker, u64::from(setting.jobs))
            }
        };
        let others = if self.runtime == Runtime::Native { jobs * self.job_mib * MIB } else { jobs * worker };
        let tree = main + others + self.rest_mib * MIB;
        let short = |need_mib: u64, cap: Option<u64>| cap.is_some_and(|cap| cap < need_mib * MIB);
        let heap_error = self.runtime != Runtime::Native
            && (short(self.main_mib, setting.heap_bytes)
                || (self.worker_mib > 0 && short(self.worker_mib, setting.worker_heap_bytes)));
        let killed = tree > budget_bytes;
        let sighting = Sighting { signature: Signature::V8Heap, count: 1, line: String::new() };
        let code = if killed { 137 } else { i32::from(heap_error) * 134 };
        let (outcome, cause) = classify(&Evidence {
            exit: Exit::Code(code),
            kernel_kills: Some(u64::from(killed)),
            sigkilled_in_tree: 0,
            sightings: if heap_error && !killed { vec![sighting] } else { vec![] },
            ended_by_us: None,
            peak_bytes: Some(tree.min(budget_bytes)),
            budget_bytes: Some(budget_bytes),
        });
        Attempt {
            setting: setting.clone(),
            budget_bytes: Some(budget_bytes),
            outcome,
            cause,
            exit_code: Some(code),
            kernel_kills: Some(u64::from(killed)),
            heap_errors: u64::from(heap_error && !killed),
            freezes: 0,
            wall_ms: 1000,
            census: Census {
                peak_bytes: Some(tree.min(budget_bytes)),
                main_peak_bytes: Some(main.min(budget_bytes)),
                main_program: None,
                main_runtime: Some(self.runtime),
                worker_peak_bytes: (worker > 0).then_some(worker.min(budget_bytes)),
                parallel: setting.jobs,
                rest_peak_bytes: self.rest_mib * MIB,
                ..Census::default()
            },
        }
    }

    /// Whether any setting of a sweep passes with some room to spare: nobody can promise the last few percent.
    /// More jobs never help, so the sweep leaves them at one.
    fn some_fixed_setting_passes(&self, budget_bytes: u64) -> bool {
        let spared = budget_bytes / 100 * 92;
        let heaps: Vec<u64> = (1..=40).map(|step| spared / 40 * step).collect();
        let passes = |heap, worker| {
            let worker_heap_bytes = (self.worker_mib > 0).then_some(worker);
            let setting = Setting {
                mode: Mode::Safe,
                jobs: 1,
                heap_bytes: Some(heap),
                worker_heap_bytes,
                less_work: false,
            };
            self.run(&setting, spared).outcome == Outcome::Succeeded
        };
        heaps.iter().any(|heap| heaps.iter().any(|worker| passes(*heap, *worker)))
    }
}

fn context<'a>(
    build: &Build,
    modes: &'a Modes,
    profile: Option<&'a Profile>,
    budget_bytes: u64,
) -> Context<'a> {
    Context {
        budget_bytes: Some(budget_bytes),
        cores: 8,
        modes,
        fixed_mode: None,
        shape: build.shape(),
        attempts_max: 4,
        profile,
    }
}

/// Plays a whole run; the last move is the stop.
fn play(context: &Context, build: &Build) -> (Vec<Attempt>, Move) {
    let mut attempts = Vec::new();
    loop {
        match next(context, &attempts) {
            Move::Run { setting, .. } => attempts.push(build.run(&setting, context.budget_bytes.unwrap())),
            stop => return (attempts, stop),
        }
        assert!(attempts.len() <= context.attempts_max as usize, "{attempts:#?}");
    }
}

fn remember(attempts: &[Attempt]) -> Profile {
    let mut profile = Profile::new("p", "j", "c");
    let outcome = attempts.last().map_or(Outcome::OutOfMemory, |last| last.outcome);
    profile.runs.push(Run { ended_unix_ms: 1, outcome, attempts: attempts.to_vec() });
    profile
}

fn node(main_mib: u64, worker_mib: u64, rest_mib: u64) -> Build {
    Build { runtime: Runtime::Node, main_mib, worker_mib, job_mib: 0, rest_mib }
}

fn native(job_mib: u64) -> Build {
    Build { runtime: Runtime::Native, main_mib: 0, worker_mib: 0, job_mib, rest_mib: 10 }
}

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
    check(node(2300, 0, 0), 2 * GIB, 1, false);
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
fn less_work_that_passed_is_where_the_next_run_starts() {
    let mut modes = Modes::default();
    for spec in modes.specs.values_mut() {
        spec.less_work_env.insert("GENERATE_SOURCEMAP".into(), "false".into());
    }
    let (all, less) = (node(2300, 0, 0), node(1500, 0, 0));
    let context = context(&all, &modes, None, 2 * GIB);
    let Move::Run { setting, .. } = start(&context) else { panic!() };
    let death = all.run(&setting, 2 * GIB);
    let Move::Run { setting, .. } = next(&context, std::slice::from_ref(&death)) else { panic!() };
    let success = less.run(&setting, 2 * GIB);
    assert!(setting.less_work && success.outcome == Outcome::Succeeded);
    let profile = remember(&[death, success]);
    let Move::Run { setting: warm, .. } = start(&Context { profile: Some(&profile), ..context.clone() })
    else {
        panic!()
    };
    assert_eq!(warm, setting);
    // Less work that died is not tried for ever.
    let profile = remember(&play(&Context { profile: None, ..context.clone() }, &all).0);
    let again = start(&Context { profile: Some(&profile), ..context });
    assert!(matches!(again, Move::Stop { stop: Stop::NothingFits, .. }), "{again:?}");
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
fn what_died_in_the_least_setting_stops_at_once() {
    let modes = Modes::default();
    let build = node(2300, 0, 0);
    let (attempts, _) = play(&context(&build, &modes, None, 2 * GIB), &build);
    let profile = remember(&attempts);
    let (attempts, stop) = play(&context(&build, &modes, Some(&profile), 2 * GIB), &build);
    assert!(attempts.is_empty() && matches!(stop, Move::Stop { stop: Stop::NothingFits, .. }), "{stop:?}");
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
    println!("{passed} of {passable}");
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
                let workers = attempt.setting.worker_heap_bytes.map_or(0, |heap| process_bytes(build.runtime, heap));
                let tree = process_bytes(build.runtime, heap) + workers * u64::from(attempt.setting.jobs);
                prop_assert!(tree <= budget_mib * MIB);
            }
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
