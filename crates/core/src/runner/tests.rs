use super::*;
use crate::attempt::{Census, Setting as Given};
use crate::mode::Mode;
use crate::outcome::{Cause, Outcome};
use crate::profile::Run;
use crate::size::MIB;
use proptest::prelude::*;

/// A run that passed, or was killed, by budget and peak in MiB.
fn run(budget_mib: u64, peak_mib: u64, is_killed: bool) -> Run {
    let outcome = if is_killed { Outcome::OutOfMemory } else { Outcome::Succeeded };
    let setting =
        Given { mode: Mode::Critical, jobs: 2, heap_bytes: None, worker_heap_bytes: None, less_work: false };
    let attempt = Attempt {
        setting,
        budget_bytes: Some(budget_mib * MIB),
        outcome,
        cause: is_killed.then_some(Cause::KernelKill),
        exit_code: None,
        kernel_kills: Some(u64::from(is_killed)),
        heap_errors: 0,
        freezes: 0,
        wall_ms: 1000,
        census: Census { peak_bytes: Some(peak_mib * MIB), ..Census::default() },
    };
    Run { ended_unix_ms: 0, outcome, attempts: vec![attempt] }
}

fn profile(job: &str, command: &str, runs: Vec<Run>) -> Profile {
    Profile { runs, ..Profile::new("group/app", job, command) }
}

fn passed(job: &str, budget_mib: u64, peaks_mib: &[u64]) -> Profile {
    profile(job, "make", peaks_mib.iter().map(|peak| run(budget_mib, *peak, false)).collect())
}

#[test]
fn names_in_the_file() {
    let check = |job, expect| assert_eq!(pipeline_name(job), expect);
    check("build", "build");
    check("build 3/4", "build");
    check("build it 3/4", "build it");
    check("build: [linux, 24]", "build");
    check("test 1/2: [a]", "test 1/2");
    check("src/main 1/x", "src/main 1/x");
    check("3/4", "3/4");
    check(": [a]", ": [a]");
}

#[test]
fn sizes_of_jobs_in_mib() {
    let check = |profiles: &[Profile], expect: Result<(u64, u64), &str>| {
        let all = jobs(profiles, RUNS_MIN);
        assert_eq!(all.len(), 1, "{all:?}");
        let size = all[0].size.as_ref().map(|size| (size.request_bytes / MIB, size.limit_bytes / MIB));
        assert_eq!(size.map_err(String::as_str), expect);
    };
    check(&[passed("a", 2048, &[1000; 3])], Ok((1024, 1408)));
    // Whole steps, though the budget was not.
    check(&[passed("a", 2043, &[1990; 3])], Ok((1984 + 64, 2048)));
    // Nobody knows yet.
    check(&[profile("a", "make", vec![])], Err("make: no attempt has succeeded yet"));
    check(&[passed("a", 2048, &[1000])], Err("make: 1 run has passed alike (peak 1000 MiB), of 3"));
    check(&[passed("a", 2048, &[1000; 2])], Err("make: 2 runs have passed alike (peak 1000 MiB), of 3"));
    check(&[profile("a", "make", vec![run(2048, 2040, true); 5])], Err("make: no attempt has succeeded yet"));
    // A kill does not wait for more of them.
    check(&[profile("a", "make", vec![run(2048, 2040, true), run(2048, 1950, false)])], Ok((1984, 2688)));
    // Parts of one job, and two commands of one: the largest counts, and one that is not known holds all.
    check(&[passed("a 1/2", 2048, &[1000; 3]), passed("a 2/2", 2048, &[1500; 3])], Ok((1536, 2048)));
    let other = |runs| profile("a", "npm test", runs);
    check(&[passed("a", 2048, &[1000; 3]), other(vec![run(2048, 1500, false); 3])], Ok((1536, 2048)));
    check(
        &[passed("a", 2048, &[1000; 3]), other(vec![run(2048, 1500, false)])],
        Err("npm test: 1 run has passed alike (peak 1.5 GiB), of 3"),
    );
}

#[test]
fn evidence_counts_runs_and_kills() {
    let runs = vec![run(2048, 2040, true), run(2048, 2040, true), run(2048, 1950, false)];
    let all = jobs(&[profile("a", "make", runs)], RUNS_MIN);
    assert_eq!((all[0].runs, all[0].kills), (3, 2));
    let expect = ["make: highest of 1 run in mode critical: 1.9 GiB; 2 died in 2.0 GiB"];
    assert_eq!(all[0].size.as_ref().unwrap().evidence, expect);
}

#[test]
fn settings_of_runners() {
    let check = |profiles: &[Profile], now: Now, expect: &[(&str, u64)]| {
        let all = settings(&jobs(profiles, RUNS_MIN), &now);
        let all: Vec<_> = all.iter().map(|setting| (setting.key.name(), setting.bytes / MIB)).collect();
        assert_eq!(all, expect, "{now:?}");
    };
    let killed = profile("a", "make", vec![run(2048, 2040, true), run(2048, 1950, false)]);
    let small = passed("b", 2048, &[1000; 3]);
    let helper = [("helper_memory_request", 256), ("helper_memory_limit", 512)];
    let max = |request, limit| {
        [("memory_request_overwrite_max_allowed", request), ("memory_limit_overwrite_max_allowed", limit)]
    };
    let team = Now { request_bytes: Some(GIB), limit_bytes: Some(2 * GIB), ..Now::default() };
    // Before: 2Gi and 1Gi. The limit goes up to what the largest takes.
    let both = [killed.clone(), small.clone()];
    check(&both, team, &[&[("memory_limit", 2688)][..], &max(2048, 3072), &helper].concat());
    // What is there and is enough stays.
    let after = Now {
        limit_bytes: Some(8 * GIB),
        limit_max_bytes: Some(8 * GIB),
        request_max_bytes: Some(8 * GIB),
        helper_limit_bytes: Some(GIB),
        ..team
    };
    check(&both, after, &[]);
    check(&both, Now { helper_limit_bytes: None, bounds_pod: true, ..after }, &[]);
    check(
        &both,
        Now { helper_limit_bytes: None, helper_request_bytes: Some(GIB), ..after },
        &[("helper_memory_limit", 1024)],
    );
    // No limit is none that others go by: it is not made up.
    check(&both, Now::default(), &max(2048, 3072));
    let new = Now { is_new: true, ..Now::default() };
    check(
        &both,
        new,
        &[&[("memory_request", 1984), ("memory_limit", 2688)][..], &max(2048, 3072), &helper].concat(),
    );
    // What jobs ask for already, and is ignored so far, would fail them.
    let asked = Now { asked_limit_bytes: Some(16 * GIB), ..after };
    check(&both, asked, &[("memory_limit_overwrite_max_allowed", 16384)]);
    // Nothing is known: nothing is changed.
    check(&[profile("a", "make", vec![])], team, &[]);
}

proptest! {
    #[test]
    fn nothing_is_lowered_and_what_was_set_is_enough(
        peaks in prop::collection::vec(1u64..9000, 3..9), budget in 64u64..9000,
        request in prop::option::of(1u64..9000), limit in prop::option::of(1u64..9000),
        max in prop::option::of(1u64..9000), is_new: bool,
    ) {
        let mib = |value: Option<u64>| value.map(|mib| mib * MIB);
        let now = Now {
            request_bytes: mib(request), limit_bytes: mib(limit), limit_max_bytes: mib(max),
            request_max_bytes: mib(max), is_new, ..Now::default()
        };
        let sized = jobs(&[passed("a", budget, &peaks)], RUNS_MIN);
        let all = settings(&sized, &now);
        prop_assert_eq!(&all, &settings(&sized, &now));
        let then = |key: Key, now: Option<u64>| {
            all.iter().find(|setting| setting.key == key).map(|setting| setting.bytes).or(now)
        };
        let size = sized[0].size.as_ref().unwrap();
        prop_assert!(size.request_bytes <= size.limit_bytes);
        prop_assert!(then(Key::MemoryLimitMax, now.limit_max_bytes).unwrap() >= size.limit_bytes);
        prop_assert!(then(Key::MemoryRequestMax, now.request_max_bytes).unwrap() >= size.request_bytes);
        for (key, now) in [(Key::MemoryLimit, now.limit_bytes), (Key::MemoryLimitMax, now.limit_max_bytes)] {
            prop_assert!(then(key, now) >= now);
        }
        // Said once, it is not said again.
        let again = Now {
            request_bytes: then(Key::MemoryRequest, now.request_bytes),
            limit_bytes: then(Key::MemoryLimit, now.limit_bytes),
            request_max_bytes: then(Key::MemoryRequestMax, now.request_max_bytes),
            limit_max_bytes: then(Key::MemoryLimitMax, now.limit_max_bytes),
            helper_request_bytes: then(Key::HelperMemoryRequest, None),
            helper_limit_bytes: then(Key::HelperMemoryLimit, None),
            ..now
        };
        prop_assert_eq!(settings(&sized, &again), vec![]);
    }
}
