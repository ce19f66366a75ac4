//! Trees of JVMs: what one takes outside its heap is known only once it was seen.

use super::*;

#[test]
fn where_no_heap_of_ours_fits_there_are_fewer_workers_with_their_own() {
    let modes = Modes::default();
    let build = Build { runtime: Runtime::Jvm, ..node(100, 100, 0) };
    let context = Context { jobs_asked: Some(4), ..context(&build, &modes, None, 400 * MIB) };
    let Move::Run { setting, .. } = start(&context) else { panic!() };
    assert_eq!((setting.heap_bytes, setting.jobs), (None, 4));
    let mut death = died(Cause::LimitReached, setting, 380, 120);
    death.budget_bytes = Some(400 * MIB);
    death.census.main_runtime = Some(Runtime::Jvm);
    let Move::Run { setting, .. } = next(&context, std::slice::from_ref(&death)) else { panic!() };
    assert_eq!((setting.heap_bytes, setting.jobs), (None, 1));
}

/// The heaps the JVMs took themselves were too small, and none of ours fits beside what a JVM may use.
#[test]
fn jvms_whose_own_heaps_were_short_get_tight_ones() {
    let modes = Modes::default();
    let build = Build { runtime: Runtime::Jvm, ..node(100, 100, 0) };
    let context = Context { jobs_asked: Some(4), ..context(&build, &modes, None, 400 * MIB) };
    let own = |jobs| Setting { heap_bytes: None, jobs, ..heaps(1, 0, None) };
    let mut deaths = [died(Cause::LimitReached, own(4), 380, 100), died(Cause::HeapLimit, own(2), 340, 130)];
    for death in &mut deaths {
        death.budget_bytes = Some(400 * MIB);
        death.census.main_runtime = Some(Runtime::Jvm);
        death.census.worker_peak_bytes = Some(125 * MIB);
    }
    let Move::Run { setting, .. } = next(&context, &deaths) else { panic!() };
    assert_eq!(setting.jobs, 1);
    assert!(setting.worker_heap_bytes > Some(120 * MIB), "{setting:?}");
    // Once it has passed, that is where the next run starts, whatever JVMs use elsewhere.
    let mut passed = died(Cause::KernelKill, setting.clone(), 290, 130);
    (passed.outcome, passed.cause, passed.kernel_kills) = (Outcome::Succeeded, None, Some(0));
    passed.budget_bytes = Some(400 * MIB);
    let profile = remember(&[&deaths[..], &[passed]].concat());
    let Move::Run { setting: warm, .. } = start(&Context { profile: Some(&profile), ..context }) else {
        panic!()
    };
    assert_eq!(warm, setting);
}

/// Maven with forked tests in 464 MiB, as measured: once a forked JVM is seen to be small, the room is for its heap.
#[test]
fn a_jvm_that_was_seen_to_be_small_gets_the_room() {
    let modes = Modes::default();
    let build = Build { runtime: Runtime::Jvm, ..node(100, 100, 0) };
    let context = Context { jobs_asked: Some(4), ..context(&build, &modes, None, 464 * MIB) };
    let Move::Run { setting, .. } = start(&context) else { panic!() };
    let mut death = died(Cause::HeapLimit, setting.clone(), 180, 80);
    death.census.main_runtime = Some(Runtime::Jvm);
    death.census.worker_peak_bytes = Some(setting.worker_heap_bytes.unwrap() + 34 * MIB);
    let Move::Run { setting, .. } = next(&context, &[death]) else { panic!() };
    assert!(setting.worker_heap_bytes > Some(160 * MIB) && setting.jobs == 1, "{setting:?}");
}

/// Maven with forked tests in 320 MiB, as measured: what Maven itself was seen to use leaves enough for one fork.
#[test]
fn a_main_that_was_seen_to_be_small_leaves_the_room_to_its_worker() {
    let modes = Modes::default();
    let build = Build { runtime: Runtime::Jvm, ..node(100, 100, 0) };
    let context = Context { jobs_asked: Some(4), ..context(&build, &modes, None, 320 * MIB) };
    let own = |jobs| Setting { heap_bytes: None, jobs, ..heaps(1, 0, None) };
    let seen = |mut death: Attempt, worker_mib: u64| {
        death.budget_bytes = Some(320 * MIB);
        death.census.main_runtime = Some(Runtime::Jvm);
        death.census.worker_peak_bytes = Some(worker_mib * MIB);
        death
    };
    let after = |deaths: &[Attempt]| match next(&context, deaths) {
        Move::Run { setting, .. } => setting,
        stop => panic!("{stop:?}"),
    };
    let mut deaths = vec![seen(died(Cause::LimitReached, own(4), 297, 110), 50)];
    assert_eq!((after(&deaths).jobs, after(&deaths).heap_bytes), (1, None));
    // Maven itself is the smaller one.
    deaths.push(seen(died(Cause::HeapLimit, own(1), 234, 152), 80));
    let tight = after(&deaths);
    assert!(tight.jobs == 1 && tight.worker_heap_bytes > Some(140 * MIB), "{tight:?}");
}

/// Maven with forked tests in 912 MiB, as measured: one fork passed in 268 MiB, so there is room for four.
#[test]
fn a_success_with_much_room_gets_more_workers() {
    let modes = Modes::default();
    let build = Build { runtime: Runtime::Jvm, ..node(100, 100, 0) };
    let context = Context { jobs_asked: Some(4), ..context(&build, &modes, None, 912 * MIB) };
    let mut passed = died(Cause::HeapLimit, heaps(1, 426, Some(160)), 268, 125);
    (passed.outcome, passed.cause) = (Outcome::Succeeded, None);
    passed.census.main_runtime = Some(Runtime::Jvm);
    passed.census.worker_peak_bytes = Some(150 * MIB);
    passed.budget_bytes = Some(912 * MIB);
    let profile = remember(&[passed]);
    let Move::Run { setting, .. } = start(&Context { profile: Some(&profile), ..context }) else { panic!() };
    let mib = |bytes: Option<u64>| bytes.map(|bytes| bytes / MIB);
    assert_eq!(
        (setting.jobs, mib(setting.heap_bytes), mib(setting.worker_heap_bytes)),
        (4, Some(426), Some(160))
    );
}
