//! The best setting what is known leaves, and what the build needs when none is left.

use super::Context;
use super::known::{
    Known, LIGHT_MAIN_BYTES, Side, Staff, full_process_bytes, heap_was_too_small, parts, percent,
    tree_was_too_large,
};
use crate::attempt::{Attempt, Setting};
use crate::mode::Mode;
use crate::program::Runtime;
use crate::promise::prior_of;
use crate::size::MIB;
use crate::solver::{self, Needs, Share, Want, process_bytes};

/// A compile job nobody has measured counts as this, in bytes: the smallest of twelve C++ test files measured
/// 380 MiB, the largest 802 MiB, and the freezer stands behind.
const JOB_UNKNOWN_BYTES: u64 = 384 * MIB;
/// A JVM takes this part of the memory it sees as its heap when nobody tells it otherwise (JDK 8u191 and later).
const JVM_OWN_HEAP_DIVISOR: u64 = 4;
/// Jobs are raised above those of a success only when it used less than this of the budget, in percent.
const RAISE_BELOW_PERCENT: u64 = 60;
/// And only so far that the tree would use this of the budget, in percent.
const RAISE_UP_TO_PERCENT: u64 = 85;
/// A success with a full heap is tried with more of it when the tree used less than this of the budget, in percent.
const CRAMPED_BELOW_PERCENT: u64 = 85;
/// And only where that is so much more, in percent of the heap.
const ROOMIER_PERCENT: u64 = 110;
/// A budget is the same within this, in percent: what others use changes by a little from run to run.
const SAME_BUDGET_PERCENT: u64 = 101;
/// The reserve of a heap that gets nearly all there is, in percent. Measured: with 1 % tsc in 1584 MiB was killed.
const SQUEEZED_PERCENT: u32 = 2;
/// A build that was only seen to pass with this much of the budget, in percent, does not pass with all of it.
const FAR_ABOVE_PERCENT: u64 = 115;
/// How far a heap has to be raised when that costs the other side nothing, in percent of what it died with.
const GENTLE_PERCENT: u64 = 115;
/// How far it is raised at the other's cost, in percent of what it died with.
const SHIFT_PERCENT: [u64; 2] = [130, 110];
/// A process that was killed at less than this share of the budget died of the others, in percent.
const ALONE_PERCENT: u64 = 80;
/// What a build needs that died having used a certain size, in percent of it. A death says only what was not
/// enough; this is right within 15 % for every need between 1.13 and 1.53 times that size (tsc on two large
/// SDKs: died at 1.9 GiB, needs 2.6).
const NEED_PERCENT: u64 = 130;

/// The setting that passed here last time, when nothing has spoken against it since.
pub fn remembered(context: &Context) -> Option<(Setting, String)> {
    let success = context.profile?.last_success(context.fixed_mode, context.budget_bytes)?;
    let known = &Known::of(context, &[], success.setting.less_work);
    let passed =
        Setting { mode: context.fixed_mode.unwrap_or(success.setting.mode), ..success.setting.clone() };
    let untried = |setting: &Setting| !known.rules_out(setting, context.budget_bytes);
    let allowed = |setting: &Setting| fits(context, known, setting) && untried(setting);
    if let Some(more) = raised(context, known, success).filter(untried) {
        let reason = format!("passed here with {} jobs and much room; now {}", passed.jobs, more.jobs);
        return Some((more, reason));
    }
    if let Some(roomier) = roomier(context, known, success).filter(allowed) {
        let reason =
            format!("passed here with a full heap and much room; {}", super::setting_words(&roomier));
        return Some((roomier, reason));
    }
    let reason = format!("passed here before; {}", super::setting_words(&passed));
    // That it passed in no more room says more than what we reckon it needs.
    let room = success.budget_bytes.zip(context.budget_bytes);
    let had_no_more = room.is_some_and(|(then, now)| then <= percent(now, SAME_BUDGET_PERCENT));
    let passes = (had_no_more || fits(context, known, &passed)) && untried(&passed);
    passes.then_some((passed, reason))
}

/// More jobs, where the last success left so much room that they fit by its own measure.
fn raised(context: &Context, known: &Known, success: &Attempt) -> Option<Setting> {
    let (budget, peak) = (context.budget_bytes?, success.census.peak_bytes?);
    if peak >= percent(budget, RAISE_BELOW_PERCENT) {
        return None;
    }
    let usable = percent(budget, RAISE_UP_TO_PERCENT);
    let most = context.jobs_asked.unwrap_or_else(|| jobs_by_cores(context, success.setting.mode));
    let raised = if known.runtime == Some(Runtime::Native) {
        let per_job = (peak / u64::from(success.setting.jobs)).max(known.largest_bytes.unwrap_or(0)).max(1);
        let jobs = u32::try_from(usable / per_job).unwrap_or(u32::MAX).min(most);
        Setting { jobs, ..success.setting.clone() }
    } else {
        more_workers(known, success, usable, most)?
    };
    (raised.jobs > success.setting.jobs).then_some(raised)
}

/// As many workers of the size that was seen as there is room for. The heaps keep the caps they had, so all will be as large as
/// they were, though the caps together may be more than there is. A cap by what a process was seen to use would be too small:
/// forked JVMs that took 110 MiB in all died with a heap of 126 (measured).
fn more_workers(known: &Known, success: &Attempt, usable: u64, jobs_most: u32) -> Option<Setting> {
    let (main, worker) = parts(&success.census, known.runtime)?;
    let has_workers = !known.threads && success.setting.worker_heap_bytes.is_some() && worker > 0;
    let room = usable.checked_sub(main + success.census.rest_peak_bytes).filter(|_| has_workers)?;
    let workers = u32::try_from(room / worker).unwrap_or(u32::MAX).min(known.staff.workers(jobs_most));
    (workers > 0).then(|| Setting { jobs: known.staff.jobs(workers), ..success.setting.clone() })
}

/// The same once more, for a tree that runs more at once than it was told to (a script with `&`, a `make` within):
/// settings do not reach it, but the freezer does, and now it knows what each process needs.
pub fn taking_turns(context: &Context, attempts: &[Attempt]) -> Option<Setting> {
    let last = attempts.last()?;
    let again = attempts[..attempts.len() - 1].iter().any(|before| before.setting == last.setting);
    let fits_alone = last.census.main_peak_bytes? < percent(context.budget_bytes?, ALONE_PERCENT);
    let native = last.census.main_runtime == Some(Runtime::Native);
    let disobeys = native && last.census.parallel > last.setting.jobs;
    (tree_was_too_large(last.cause) && disobeys && fits_alone && !again).then(|| last.setting.clone())
}

/// A heap with nearly all there is, for one process whose heap was full while the reserve was still free. Measured: tsc
/// on `googleapis` in 2 GiB passes with 85 MiB to spare.
pub fn squeezed(context: &Context, known: &Known, mode: Mode) -> Option<Setting> {
    let full = known.deaths.last().is_some_and(|death| heap_was_too_small(death.cause));
    let passed_bytes = known.passed_peaks_bytes.iter().min().copied();
    if passed_bytes > context.budget_bytes.map(|budget| percent(budget, FAR_ABOVE_PERCENT)) {
        return None;
    }
    let mut modes = context.modes.clone();
    modes.specs.get_mut(&mode)?.reserve_percent = SQUEEZED_PERCENT;
    let context = Context { modes: &modes, ..context.clone() };
    setting(&context, known, mode, true).filter(|setting| full && setting.worker_heap_bytes.is_none())
}

/// When nothing is left to try: what died last without a kernel kill, else what died last; it was the best that was
/// left then.
pub fn last_resort(context: &Context, known: &Known, mode: Mode) -> Setting {
    let gentle = known.deaths.iter().rfind(|death| death.kernel_kills == Some(0));
    let died = gentle.or(known.deaths.last()).map(|death| Setting { mode, ..death.setting.clone() });
    died.filter(|setting| fits(context, known, setting))
        .unwrap_or_else(|| heapless(context, known, mode, true))
}

/// A larger heap, where one was full at the last success while the tree left much room: such a build spends its
/// time collecting. Measured: webpack in 1 GiB took 43 s in one process with a full heap of 606 MiB, 17 s with room.
fn roomier(context: &Context, known: &Known, success: &Attempt) -> Option<Setting> {
    let (budget, census) = (context.budget_bytes?, &success.census);
    let (runtime, peak) = (known.runtime?, census.peak_bytes?);
    let (heap, worker_heap) = (success.setting.heap_bytes?, success.setting.worker_heap_bytes);
    // Threads have heaps of their own in the same process: its peak does not show a full one.
    if peak >= percent(budget, CRAMPED_BELOW_PERCENT) || known.threads && success.setting.jobs > 1 {
        return None;
    }
    let is_full = |peak: Option<u64>, heap| peak >= Some(full_process_bytes(runtime, heap));
    if is_full(census.main_peak_bytes, heap) {
        let mut known = known.clone();
        known.worker.enough_bytes =
            Some(known.worker.wish_bytes.unwrap_or(0).max(solver::WORKER_FLOOR_BYTES));
        let setting = with_heaps(context, &known, success.setting.mode, success.setting.jobs == 1, budget)?;
        return (setting.heap_bytes >= Some(percent(heap, ROOMIER_PERCENT))).then_some(setting);
    }
    let worker_heap = worker_heap.filter(|heap| is_full(census.worker_peak_bytes, *heap))?;
    let reserve = u64::from(context.modes.spec(success.setting.mode).reserve_percent);
    let spare = percent(budget, 100 - reserve).checked_sub(peak)?;
    let more = worker_heap + spare / u64::from(census.parallel.saturating_sub(1).max(1));
    let setting = Setting { worker_heap_bytes: Some(more), ..success.setting.clone() };
    (more >= percent(worker_heap, ROOMIER_PERCENT)).then_some(setting)
}

fn fits(context: &Context, known: &Known, setting: &Setting) -> bool {
    match (context.budget_bytes, setting.heap_bytes) {
        (Some(budget), Some(heap_bytes)) => {
            let workers = setting.worker_heap_bytes.map_or(0, |_| known.staff.workers(setting.jobs));
            let share = Share { heap_bytes, worker_heap_bytes: setting.worker_heap_bytes, workers };
            share.tree_bytes(known.runtime.unwrap_or(Runtime::Node)) <= budget
        }
        _ => true,
    }
}

/// The best setting that is not ruled out, if there is one.
pub fn setting(context: &Context, known: &Known, mode: Mode, one_job: bool) -> Option<Setting> {
    let allowed = |setting: &Setting| !known.rules_out(setting, context.budget_bytes);
    if known.runtime == Some(Runtime::Native) {
        return Some(heapless(context, known, mode, one_job)).filter(allowed);
    }
    let Some(room) = room_bytes(context, known) else {
        return Some(in_the_dark(context, known, mode, one_job)).filter(allowed);
    };
    splits(known)
        .into_iter()
        .filter_map(|known| with_heaps(context, &known, mode, one_job, room))
        .find(allowed)
}

/// Ways to split the room, the best first: what suits both sides; then more for the side that was short, at the
/// other's cost; then whatever is more than it died with.
fn splits(known: &Known) -> Vec<Known> {
    let raise = |known: &Known, side: Side, least_bytes: u64| {
        let mut raised = known.clone();
        let want = if side == Side::Main { &mut raised.main } else { &mut raised.worker };
        want.least_bytes = want.least_bytes.max(Some(least_bytes));
        raised
    };
    let mut splits = Vec::new();
    match known.short[..] {
        [(side, died)] => {
            let mut gentle = raise(known, side, percent(died, GENTLE_PERCENT));
            for want in [&mut gentle.main, &mut gentle.worker] {
                want.least_bytes = want.least_bytes.max(want.enough_bytes);
            }
            splits.push(gentle);
        }
        _ => splits.push(known.clone()),
    }
    for step in SHIFT_PERCENT {
        splits.extend(known.short.iter().map(|(side, died)| raise(known, *side, percent(*died, step))));
    }
    splits.push(known.clone());
    splits
}

/// The budget; where none was readable, what the tree had when the kernel killed it.
fn room_bytes(context: &Context, known: &Known) -> Option<u64> {
    let killed_at =
        |death: &Attempt| if heap_was_too_small(death.cause) { None } else { death.census.peak_bytes };
    context.budget_bytes.or_else(|| known.deaths.iter().filter_map(killed_at).min())
}

fn with_heaps(context: &Context, known: &Known, mode: Mode, one_job: bool, room: u64) -> Option<Setting> {
    let runtime = known.runtime.unwrap_or(Runtime::Node);
    let workers_max = match (known.runtime, known.workers) {
        (Some(_), true) if known.threads => 0,
        (Some(_), true) => known.staff.workers(workers(context, known, mode, one_job)),
        (Some(_), false) => 0,
        // Nobody knows what will run: leave room for one more process with a heap.
        (None, _) => 1,
    };
    let whole = Needs {
        budget_bytes: room,
        reserve_percent: context.modes.spec(mode).reserve_percent,
        runtime,
        workers_max,
        rest_bytes: known.rest_bytes,
        tight: known.tight,
        main: known.main,
        worker: known.worker,
    };
    let (jobs, needs) = if known.threads {
        among_threads(known, workers(context, known, mode, one_job), &whole)
    } else {
        (jobs(context, known, mode, one_job), whole)
    };
    let share = match solver::solve(&needs) {
        // A tool that does the work of a single worker itself needs no room for one.
        Some(share) if share.workers == 1 && known.staff == Staff::NoneForOne => {
            solver::solve(&Needs { workers_max: 0, ..needs.clone() })
        }
        share => share,
    };
    let Some(share) = share.or_else(|| tight(known, &needs)) else {
        // No heap of ours is usable here. The build may try with its own, and with fewer workers when that has died.
        let own_heaps = known.deaths.iter().all(|death| death.setting.heap_bytes.is_none());
        return own_heaps.then(|| heapless(context, known, mode, one_job));
    };
    let heap_bytes = share.heap_bytes.min(known.heap_most_bytes.unwrap_or(u64::MAX));
    let most = known.worker_heap_most_bytes.unwrap_or(u64::MAX);
    let worker_heap_bytes = share.worker_heap_bytes.map(|heap| heap.min(most));
    let usable = heap_bytes >= known.main.least_bytes.unwrap_or(0).max(solver::MAIN_FLOOR_BYTES)
        && worker_heap_bytes
            .is_none_or(|heap| heap >= known.worker.least_bytes.unwrap_or(0).max(solver::WORKER_FLOOR_BYTES));
    let jobs = if known.workers && known.runtime.is_some() && !known.threads {
        known.staff.jobs(share.workers)
    } else {
        jobs
    };
    usable.then_some(Setting {
        mode,
        jobs,
        heap_bytes: Some(heap_bytes),
        worker_heap_bytes,
        less_work: known.less_work,
    })
}

/// Where no heap fits beside what a runtime may use outside it, and the one it took by itself was too small: a heap
/// beside the least it can use. Measured: Maven and a forked test JVM in 464 MiB take 116 MiB each and need more.
fn tight(known: &Known, needs: &Needs) -> Option<Share> {
    let own_was_short =
        |death: &Attempt| death.setting.heap_bytes.is_none() && heap_was_too_small(death.cause);
    known.deaths.iter().any(own_was_short).then_some(())?;
    let hands_out = (needs.workers_max > 0).then_some(LIGHT_MAIN_BYTES);
    let main = Want { wish_bytes: needs.main.wish_bytes.or(hands_out), ..needs.main };
    let by_caps = solver::solve(&Needs { tight: true, main, ..needs.clone() });
    by_caps.into_iter().chain(beside_the_main_seen(known, needs)).max_by_key(|share| share.worker_heap_bytes)
}

/// What a main process that was seen beside one short worker leaves for it. Measured: Maven takes some 80 MiB in all, so in
/// 320 MiB a forked JVM can have a heap of 128 MiB, which passes, and not only 66.
fn beside_the_main_seen(known: &Known, needs: &Needs) -> Option<Share> {
    let death =
        known.deaths.iter().rfind(|death| heap_was_too_small(death.cause) && death.setting.jobs == 1)?;
    let (main, _) = parts(&death.census, known.runtime)?;
    let left = needs.usable_bytes().checked_sub(main + needs.rest_bytes).filter(|_| needs.workers_max > 0)?;
    let worker_heap_bytes = Some(solver::tight_heap_within(left));
    Some(Share { heap_bytes: solver::MAIN_FLOOR_BYTES, worker_heap_bytes, workers: 1 })
}

/// Each thread has the heap of its process, so the room is divided: among as many jobs as leave each what it wishes,
/// else it is for one.
fn among_threads(known: &Known, jobs_most: u32, whole: &Needs) -> (u32, Needs) {
    let part = |jobs: u32| {
        let heaps = u64::from(known.heaps_in_main(jobs));
        let (budget_bytes, rest_bytes) = (whole.budget_bytes / heaps, whole.rest_bytes / heaps);
        Needs { budget_bytes, rest_bytes, ..whole.clone() }
    };
    let wish_bytes = known.main.wish_bytes.max(known.main.least_bytes);
    let enough =
        |jobs: &u32| solver::solve(&part(*jobs)).is_some_and(|share| Some(share.heap_bytes) >= wish_bytes);
    let jobs = (2..=jobs_most).rev().find(enough).unwrap_or(1);
    (jobs, part(jobs))
}

/// Without a budget the runtime keeps its default until it has died of it.
fn in_the_dark(context: &Context, known: &Known, mode: Mode, one_job: bool) -> Setting {
    Setting { heap_bytes: known.main.wish_bytes, ..heapless(context, known, mode, one_job) }
}

fn heapless(context: &Context, known: &Known, mode: Mode, one_job: bool) -> Setting {
    Setting {
        mode,
        jobs: jobs(context, known, mode, one_job),
        heap_bytes: None,
        worker_heap_bytes: None,
        less_work: known.less_work,
    }
}

fn jobs_by_cores(context: &Context, mode: Mode) -> u32 {
    let percent = u64::from(context.modes.spec(mode).jobs_percent);
    let jobs = u64::from(context.cores) * percent / 100;
    u32::try_from(jobs).unwrap_or(u32::MAX).max(1)
}

/// Workers the cores, the user and the deaths allow; the solver sees to the memory.
fn workers(context: &Context, known: &Known, mode: Mode, one_job: bool) -> u32 {
    match known.jobs_most {
        Some(_) if one_job => 1,
        Some(most) => context.jobs_asked.unwrap_or_else(|| jobs_by_cores(context, mode)).min(most),
        None => context.jobs_asked.unwrap_or_else(|| jobs_by_cores(context, mode)),
    }
}

/// Jobs without heaps of their own: by cores, deaths, and the largest process that was seen.
fn jobs(context: &Context, known: &Known, mode: Mode, one_job: bool) -> u32 {
    let allowed = workers(context, known, mode, one_job);
    let Some(room) = room_bytes(context, known) else { return allowed };
    if context.jobs_asked.is_some() && known.jobs_most.is_none() {
        return allowed;
    }
    let reserve = u64::from(context.modes.spec(mode).reserve_percent);
    let usable = percent(room, 100 - reserve).saturating_sub(known.rest_bytes);
    let by_memory = if known.runtime == Some(Runtime::Jvm) && known.workers {
        usable.saturating_sub(known.largest_bytes.unwrap_or(0))
            / (room / JVM_OWN_HEAP_DIVISOR + solver::JVM_OUTSIDE_BYTES)
    } else {
        usable / known.largest_bytes.unwrap_or(JOB_UNKNOWN_BYTES).max(MIB)
    };
    allowed.min(u32::try_from(by_memory).unwrap_or(u32::MAX)).max(1)
}

/// What the build needs: the least it was ever seen to pass with, else an estimate from the smallest trees that
/// died.
pub fn need_bytes(context: &Context, known: &Known) -> Option<u64> {
    let jobs_least = known.deaths.iter().map(|death| death.setting.jobs).min()?;
    let used = |death: &Attempt| {
        let heap = death.setting.heap_bytes.filter(|_| heap_was_too_small(death.cause));
        let capped =
            heap.map(|heap| process_bytes(known.runtime.unwrap_or(Runtime::Node), heap) + known.rest_bytes);
        // A kill happens at the limit, whatever the last sample before it said.
        let killed_at = death.budget_bytes.filter(|_| tree_was_too_large(death.cause) && heap.is_none());
        death.census.peak_bytes.max(capped).max(killed_at)
    };
    let smallest = known.deaths.iter().filter(|death| death.setting.jobs == jobs_least);
    let used = smallest.filter_map(used).max()?;
    let passed = known.passed_peaks_bytes.iter().filter(|peak| **peak > used).min().copied();
    let estimate = passed.unwrap_or_else(|| {
        let estimate = percent(used, NEED_PERCENT);
        // Killed early a process says little; then half of what is said is what its like has needed.
        let like =
            known.deaths.iter().filter_map(|death| prior_of(death.census.main_program.as_deref()?)).max();
        let native = known.runtime.is_none_or(|runtime| runtime == Runtime::Native);
        like.filter(|like| native && *like > estimate).map_or(estimate, |like| estimate.midpoint(like))
    });
    // What does not pass here needs more than there is here, by enough to be seen in a message.
    Some(estimate.max(percent(context.budget_bytes.unwrap_or(0), 105)))
}
