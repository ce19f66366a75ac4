//! Admission: how many jobserver tokens may be out, by promised growth.
//!
//! A token is a promise to let one more job grow to its full size, and it cannot be called back: it can only be
//! kept when its job ends. So every token that is out counts at once, as the job that is seen for it or, while
//! none is seen, as the job that is expected next.

use crate::promise::Promises;

/// A process whose promise is less than this share of the next job's is a step on the way to a job (a shell, a
/// compiler driver, `sed`): its token is still to become something large.
const STEP_SHARE: u64 = 8;

/// Programs that take tokens for threads of their own.
const THREADED: &[&str] = &["rustc", "rustdoc"];
/// Threads such a program has while it uses one token. Measured with rustc 1.95 under cargo with 7 tokens: always 4
/// before code generation, up to 14 in it, when one rustc was seen to hold every token there was.
const THREADS_OF_ONE_TOKEN: u32 = 4;
/// What one more thread of such a program needs, as a share of what it is expected to need. Measured with the same
/// crate: 766 MiB with one thread, 785 with two.
const THREAD_SHARE: u64 = 16;
/// Programs that take tokens ahead of the work, or for threads, so that no number of processes bounds theirs.
const HOARDERS: &[&str] = &["cargo", "rustc", "rustdoc", "lld", "ld.lld", "clang", "lto-wrapper", "lto1"];

/// One leaf of the process tree: a process that works and starts no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job<'a> {
    /// Program name (`cc1plus`).
    pub program: &'a str,
    /// What it works on (`src/a.cc`), where its arguments say so.
    pub input: Option<&'a str>,
    /// What it holds now, in bytes.
    pub held_bytes: u64,
    /// Its threads, at least one.
    pub threads: u32,
}

/// What is known when a grant is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View<'a> {
    /// The budget in bytes; `None` when nothing was readable, then memory stops nobody.
    pub budget_bytes: Option<u64>,
    /// Kept free for what nobody measured, in bytes.
    pub reserve_bytes: u64,
    /// Non-reclaimable memory of the whole tree, in bytes.
    pub held_bytes: u64,
    /// The leaves of the tree.
    pub jobs: &'a [Job<'a>],
    /// Tokens that clients hold.
    pub outstanding: u32,
    /// Most tokens that may ever be out: one less than the parallel jobs of the setting.
    pub tokens_max: u32,
    /// Cores the build may use.
    pub cores: u32,
}

/// How many tokens may be out in all. The client's own first job needs none, so zero still lets the build go on,
/// one job at a time.
pub fn grant(view: &View, promises: &Promises) -> u32 {
    let Some(budget_bytes) = view.budget_bytes else { return view.tokens_max };
    let next_bytes = promises.next_job_bytes(view.jobs.iter().map(|job| job.program));
    let room_bytes = i128::from(budget_bytes)
        - i128::from(view.reserve_bytes)
        - i128::from(committed_bytes(view, promises, next_bytes));
    // Towards minus infinity: a lack of one byte keeps back one whole job.
    let change = room_bytes.div_euclid(i128::from(next_bytes));
    let for_jobs = (i128::from(view.outstanding) + change).clamp(0, i128::from(view.tokens_max)) as u32;
    for_jobs.max(for_threads(view, promises, budget_bytes).min(view.tokens_max))
}

/// Tokens for the threads of a program that works alone, one to a core: without them a large crate at the end of a
/// build has one core (measured: 79 s for 47). It is known from an earlier build, so that its promise is no guess.
/// Should another job take the token, the freezer stands behind.
fn for_threads(view: &View, promises: &Promises, budget_bytes: u64) -> u32 {
    let mut large = view.jobs.iter().filter(|job| promises.is_job(job.program));
    let (Some(job), None) = (large.next(), large.next()) else { return 0 };
    if !THREADED.contains(&job.program) || !promises.is_measured(job.program, job.input) {
        return 0;
    }
    let promise = promises.promise_bytes(job.program, job.input, job.held_bytes);
    let others = view.held_bytes.saturating_sub(job.held_bytes);
    let room = budget_bytes.saturating_sub(view.reserve_bytes).saturating_sub(others.saturating_add(promise));
    let threads = room / (promise / THREAD_SHARE).max(1);
    u32::try_from(threads).unwrap_or(u32::MAX).min(view.cores.saturating_sub(1))
}

/// What the tree will hold once everybody who was let in has grown, in bytes.
fn committed_bytes(view: &View, promises: &Promises, next_bytes: u64) -> u64 {
    let (mut held_by_jobs, mut promised, mut seen) = (0, 0, 0);
    for job in view.jobs {
        let promise = promises.promise_bytes(job.program, job.input, job.held_bytes);
        held_by_jobs += job.held_bytes;
        promised += promise;
        let least = next_bytes / STEP_SHARE;
        if job.held_bytes >= least || promise >= least && promises.is_job(job.program) {
            seen += u64::from(tokens_used(job));
        }
    }
    let unborn = (u64::from(view.outstanding) + 1).saturating_sub(seen);
    view.held_bytes.saturating_sub(held_by_jobs) + promised + unborn * next_bytes
}

/// The most tokens, the free one included, that this job itself can account for.
fn tokens_used(job: &Job) -> u32 {
    if THREADED.contains(&job.program) {
        job.threads.saturating_sub(THREADS_OF_ONE_TOKEN - 1).max(1)
    } else {
        1
    }
}

/// One process of the tree, for [`holdable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder<'a> {
    /// Program name.
    pub program: &'a str,
    /// True when it has no living child.
    pub leaf: bool,
}

/// The most tokens that the living can hold: a client holds one for each job it has started, and a job is a leaf
/// or has one below it. `None` while a client lives of which that is not known to be true. What is outstanding
/// beyond it was lost with a client that was killed.
pub fn holdable(processes: &[Holder]) -> Option<u32> {
    if processes.iter().any(|process| HOARDERS.contains(&process.program)) {
        return None;
    }
    u32::try_from(processes.iter().filter(|process| process.leaf).count()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::ProgramUse;
    use crate::size::{GIB, MIB};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn job(program: &str, mib: u64) -> Job<'_> {
        Job { program, input: None, held_bytes: mib * MIB, threads: 1 }
    }

    fn learned(pairs: &[(&str, u64)]) -> Promises {
        let usage = |mib: u64| ProgramUse { count: 9, peak_bytes: mib * MIB };
        let learned: BTreeMap<_, _> = pairs.iter().map(|(key, mib)| (key.to_string(), usage(*mib))).collect();
        Promises::new(learned, Some(2 * GIB))
    }

    #[test]
    fn tokens_by_promised_growth() {
        let check = |what: &str, promises: &Promises, jobs: &[Job], outstanding, expect| {
            let view = View {
                budget_bytes: Some(2 * GIB),
                reserve_bytes: 100 * MIB,
                held_bytes: jobs.iter().map(|job| job.held_bytes).sum::<u64>() + 10 * MIB,
                jobs,
                outstanding,
                tokens_max: 7,
                cores: 2,
            };
            assert_eq!(grant(&view, promises), expect, "{what}");
        };
        let cold = learned(&[]);
        check("nothing seen: as if large compilers came", &cold, &[], 0, 1);
        check("just started, tiny: counted full", &cold, &[job("cc1plus", 20), job("cc1plus", 9)], 1, 1);
        check("a shell is a job to be born", &cold, &[job("sh", 1), job("cc1plus", 20)], 1, 1);
        check("so is a step before it", &cold, &[job("sed", 1), job("cc1plus", 20)], 1, 1);
        let threads = |threads| [Job { threads, ..job("rustc", 700) }];
        check("tokens for threads of one process", &cold, &threads(6), 2, 2);
        check("a rustc that generates no code yet has one", &cold, &threads(4), 2, 0);
        check("small compilers: more of them", &cold, &[job("cc1", 30)], 0, 6);
        check(
            "more out than fits: keep what comes back",
            &cold,
            &[job("cc1plus", 800), job("cc1plus", 700)],
            5,
            1,
        );
        check("one job far beyond its promise", &cold, &[job("cc1plus", 1900)], 0, 0);
        let warm = learned(&[("cc1plus", 200)]);
        check("learned small", &warm, &[job("cc1plus", 20), job("cc1plus", 9)], 1, 7);
        check("learned small, at the start", &warm, &[], 0, 7);
        let big = learned(&[("cc1plus", 1500)]);
        check("learned large", &big, &[job("cc1plus", 20)], 0, 0);
        let rustc = |mib| Job { input: Some("big"), ..job("rustc", mib) };
        let crates = learned(&[("rustc big", 1500)]);
        check("a crate known to fit works alone: a thread for the other core", &crates, &[rustc(900)], 0, 1);
        check("it does not fit with one more", &learned(&[("rustc big", 1860)]), &[rustc(900)], 0, 0);
        check("another works beside it", &crates, &[rustc(900), rustc(100)], 0, 0);
        check("only guessed", &learned(&[("rustc small", 1500)]), &[rustc(900)], 0, 0);
    }

    #[test]
    fn an_unknown_budget_stops_nobody() {
        let view = View {
            budget_bytes: None,
            reserve_bytes: 0,
            held_bytes: 0,
            jobs: &[],
            outstanding: 0,
            tokens_max: 7,
            cores: 2,
        };
        assert_eq!(grant(&view, &learned(&[])), 7);
    }

    #[test]
    fn who_can_hold_tokens() {
        let check = |processes: &[(&str, bool)], expect| {
            let processes: Vec<_> =
                processes.iter().map(|(program, leaf)| Holder { program, leaf: *leaf }).collect();
            assert_eq!(holdable(&processes), expect, "{processes:?}");
        };
        check(&[], Some(0));
        check(&[("make", false), ("sh", false), ("cc1plus", true), ("cc1", true)], Some(2));
        check(&[("make", false), ("cargo", false), ("rustc", true)], None);
    }

    prop_compose! {
        fn any_view()(
            budget in 0u64..8 * GIB,
            reserve in 0u64..GIB,
            rest in 0u64..2 * GIB,
            jobs in prop::collection::vec((0usize..5, 0u64..2 * GIB), 0..12),
            outstanding in 0u32..20,
            tokens_max in 0u32..20,
        ) -> (u64, u64, u64, Vec<Job<'static>>, u32, u32) {
            let programs = ["cc1plus", "cc1", "sh", "tool", "rustc"];
            let jobs = jobs.into_iter().map(|(p, held_bytes)| Job { program: programs[p], input: None, held_bytes, threads: 1 });
            (budget, reserve, rest, jobs.collect(), outstanding, tokens_max)
        }
    }

    proptest! {
        #[test]
        fn what_is_granted_fits((budget, reserve_bytes, rest, jobs, outstanding, tokens_max) in any_view()) {
            let promises = learned(&[("tool", 90)]);
            let held_bytes = rest + jobs.iter().map(|job| job.held_bytes).sum::<u64>();
            let view = |budget: u64| View {
                budget_bytes: Some(budget), reserve_bytes, held_bytes, jobs: &jobs, outstanding, tokens_max, cores: 1,
            };
            let tokens = grant(&view(budget), &promises);
            prop_assert!(tokens <= tokens_max);
            prop_assert!(grant(&view(budget + GIB), &promises) >= tokens, "more memory, fewer jobs");
            if tokens > outstanding {
                let next_bytes = promises.next_job_bytes(jobs.iter().map(|job| job.program));
                let grown = committed_bytes(&view(budget), &promises, next_bytes)
                    + u64::from(tokens - outstanding) * next_bytes;
                prop_assert!(grown + reserve_bytes <= budget);
            }
        }
    }
}
