//! What the attempts of this run and of the profile say about the settings that can still pass.

use super::Context;
use crate::attempt::{Attempt, Census, Setting};
use crate::outcome::{Cause, Outcome};
use crate::program::Runtime;
use crate::size::MIB;
use crate::solver::{self, Share, Want, heap_within, process_bytes};

/// Runs of the profile whose deaths count. A run that stopped at once is a run too, so after a few of them the
/// job gets an honest attempt again: the project may have shrunk.
const RUNS_REMEMBERED: usize = 5;
/// Another process of the main program counts as a worker from here, in bytes; an `npm` or `npx` that waits for
/// its child has less.
const WORKER_SEEN_BYTES: u64 = 96 * MIB;
/// What a main process that only hands out work is wished, in bytes: a prior.
pub const LIGHT_MAIN_BYTES: u64 = 256 * MIB;
/// A process was at its cap when it had this share of what the cap allows, in percent (measured on dying tsc: 96
/// to 102).
const AT_CAP_PERCENT: u64 = 92;
/// A heap that died is tried again only with this much more, in percent of it.
const STEP_UP_PERCENT: u64 = 103;
/// What a heap that died is wished, in percent of it.
const WISH_UP_PERCENT: u64 = 150;
/// What a heap that was seen to do is wished, in percent of it.
const WISH_SEEN_PERCENT: u64 = 115;
/// The next heap after a kernel kill, in percent of the last.
const STEP_DOWN_PERCENT: u64 = 80;
/// A death in a budget of at least this share of ours speaks of ours, in percent.
const SAME_ROOM_PERCENT: u64 = 95;

/// One side of the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The main process.
    Main,
    /// The workers.
    Worker,
}

/// How many workers a number of jobs stands for; a tool that was seen to have one at a single job is of the first
/// kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staff {
    /// As many.
    All,
    /// One fewer, as the tool counts the cores it is told of.
    OneFewer,
    /// As many, but none for one: asked for a single worker the tool does the work itself.
    NoneForOne,
}

impl Staff {
    /// Workers of so many jobs.
    pub fn workers(self, jobs: u32) -> u32 {
        match self {
            Staff::All => jobs,
            Staff::OneFewer => jobs - 1,
            Staff::NoneForOne if jobs == 1 => 0,
            Staff::NoneForOne => jobs,
        }
    }

    /// Jobs to ask for to get so many workers, and one at least.
    pub fn jobs(self, workers: u32) -> u32 {
        match self {
            Staff::OneFewer => workers + 1,
            Staff::All | Staff::NoneForOne => workers.max(1),
        }
    }
}

/// Bounds and measurements, drawn together.
#[derive(Debug, Clone)]
pub struct Known {
    /// Runtime of the main process, by what was seen, else by the command.
    pub runtime: Option<Runtime>,
    /// Whether the main process starts workers.
    pub workers: bool,
    /// How many workers a number of jobs stands for.
    pub staff: Staff,
    /// Whether the workers were seen to be threads of the main process: what they use is in its peak.
    pub threads: bool,
    /// Whether a JVM with a full heap was seen to use hardly anything outside it.
    pub tight: bool,
    /// Whether this is about attempts with less work.
    pub less_work: bool,
    /// Memory of the tree outside the runtime's heaps, in bytes.
    pub rest_bytes: u64,
    /// Largest single process, in bytes.
    pub largest_bytes: Option<u64>,
    /// The main heap.
    pub main: Want,
    /// Each worker's heap.
    pub worker: Want,
    /// Whose heap may have been short in the latest heap death, and the most it died with in bytes; both sides
    /// where nobody saw.
    pub short: Vec<(Side, u64)>,
    /// A larger main heap was killed, in bytes.
    pub heap_most_bytes: Option<u64>,
    /// A larger worker heap was killed, in bytes.
    pub worker_heap_most_bytes: Option<u64>,
    /// More jobs were killed.
    pub jobs_most: Option<u32>,
    /// Deaths no later success has refuted, the latest last.
    pub deaths: Vec<Attempt>,
    /// Peaks of the attempts that succeeded, in bytes.
    pub passed_peaks_bytes: Vec<u64>,
}

impl Known {
    /// Everything known before the next attempt.
    pub fn of(context: &Context, attempts: &[Attempt], less_work: bool) -> Known {
        let mut known = Known {
            runtime: context.shape.runtime,
            workers: context.shape.workers,
            staff: match (context.shape.one_fewer, context.jobs_asked) {
                (false, _) => Staff::All,
                (true, None) => Staff::OneFewer,
                (true, Some(_)) => Staff::NoneForOne,
            },
            threads: false,
            tight: false,
            less_work,
            rest_bytes: 0,
            largest_bytes: None,
            main: Want {
                wish_bytes: context.shape.light_main.then_some(LIGHT_MAIN_BYTES),
                ..Want::default()
            },
            worker: Want::default(),
            short: Vec::new(),
            heap_most_bytes: None,
            worker_heap_most_bytes: None,
            jobs_most: None,
            deaths: Vec::new(),
            passed_peaks_bytes: Vec::new(),
        };
        for attempt in remembered(context).into_iter().chain(attempts.iter().cloned()) {
            known.measure(&attempt);
            if attempt.setting.less_work != less_work {
                continue;
            }
            if attempt.outcome == Outcome::OutOfMemory {
                known.deaths.push(attempt);
            } else if attempt.is_clean_success() {
                known.deaths.retain(|death| !rules_out(death, &attempt.setting, attempt.budget_bytes));
            } else if attempt.outcome == Outcome::Succeeded {
                known.deaths.push(Attempt { cause: Some(Cause::KernelKill), ..attempt });
            }
        }
        for death in known.deaths.clone() {
            known.bound(&death, context.budget_bytes);
        }
        known
    }

    /// Whether a setting is a death we have seen, or worse in the direction of its cause.
    pub fn rules_out(&self, setting: &Setting, budget_bytes: Option<u64>) -> bool {
        self.deaths.iter().any(|death| rules_out(death, setting, budget_bytes))
    }

    /// How many heaps the main process has with so many jobs.
    pub fn heaps_in_main(&self, jobs: u32) -> u32 {
        if self.threads { self.staff.workers(jobs) + 1 } else { 1 }
    }

    fn measure(&mut self, attempt: &Attempt) {
        let census = &attempt.census;
        match census.main_runtime {
            Some(Runtime::Native) if self.runtime.is_some() => {}
            Some(seen) => self.runtime = Some(seen),
            None => {}
        }
        let workers_seen = census.worker_peak_bytes.is_some_and(|peak| peak >= WORKER_SEEN_BYTES);
        self.workers |= workers_seen;
        let main_seen = census.main_runtime == Some(Runtime::Node);
        self.threads |=
            self.staff == Staff::OneFewer && main_seen && attempt.setting.jobs > 1 && !workers_seen;
        if workers_seen && attempt.setting.jobs == 1 {
            self.staff = Staff::All;
        }
        self.largest_bytes = self.largest_bytes.max(census.main_peak_bytes);
        if attempt.is_clean_success() {
            self.passed_peaks_bytes.extend(census.peak_bytes);
        }
        let Some(runtime) = self.runtime.filter(|runtime| *runtime != Runtime::Native) else {
            self.rest_bytes = 0;
            return;
        };
        let outside = match (census.main_peak_bytes, attempt.setting.heap_bytes) {
            (Some(peak), Some(heap)) => {
                let heaps = u64::from(self.heaps_in_main(attempt.setting.jobs));
                peak.saturating_sub(process_bytes(runtime, heap).saturating_mul(heaps))
            }
            _ => 0,
        };
        self.rest_bytes = self.rest_bytes.max(census.rest_peak_bytes.saturating_add(outside));
        if attempt.is_clean_success() {
            let seen = |peak: Option<u64>| Some(percent(heap_within(runtime, peak?), WISH_SEEN_PERCENT));
            self.main.wish_bytes = self.main.wish_bytes.max(seen(census.main_peak_bytes));
            self.worker.wish_bytes = self.worker.wish_bytes.max(seen(census.worker_peak_bytes));
        }
    }

    fn bound(&mut self, death: &Attempt, budget_bytes: Option<u64>) {
        if heap_was_too_small(death.cause) {
            self.raise_heaps(death);
        }
        if tree_was_too_large(death.cause) && same_room(death, budget_bytes) {
            self.shrink_tree(death, budget_bytes);
        }
    }

    /// Who was at its cap needs more; when that was not seen, it was the main process.
    fn raise_heaps(&mut self, death: &Attempt) {
        let Some(runtime) = self.runtime.filter(|runtime| *runtime != Runtime::Native) else { return };
        let (census, setting) = (&death.census, &death.setting);
        if setting.heap_bytes.is_none() && self.workers {
            // Heaps of their own choice: nobody knows whose was full, and at what.
            return;
        }
        let at_cap = |peak: Option<u64>, heap: Option<u64>| match (peak, heap) {
            (Some(peak), Some(heap)) => peak >= full_process_bytes(runtime, heap),
            _ => false,
        };
        let main_at_cap = at_cap(census.main_peak_bytes, setting.heap_bytes);
        let worker_at_cap = at_cap(census.worker_peak_bytes, setting.worker_heap_bytes)
            || (!main_at_cap && at_cap(census.main_peak_bytes, setting.worker_heap_bytes));
        let is_tight = |peak: Option<u64>, heap: Option<u64>| {
            runtime == Runtime::Jvm && peak.zip(heap).is_some_and(|(peak, heap)| solver::is_tight(heap, peak))
        };
        self.tight |= match setting.worker_heap_bytes {
            Some(_) => {
                let worker = parts(census, self.runtime).map(|(_, worker)| worker);
                is_tight(worker, setting.worker_heap_bytes)
            }
            None => is_tight(census.main_peak_bytes, setting.heap_bytes),
        };
        let seen = |peak: Option<u64>| Some(percent(heap_within(runtime, peak?), WISH_SEEN_PERCENT));
        let reached = census.main_peak_bytes.map(|peak| heap_within(runtime, peak));
        let main = setting.heap_bytes.or(reached).map(|heap| (Side::Main, heap));
        let worker = setting.worker_heap_bytes.map(|heap| (Side::Worker, heap));
        if main_at_cap == worker_at_cap && worker.is_some() {
            // A runtime fills its cap long before it dies of it.
            self.suspect(main.into_iter().chain(worker));
            wish_more(&mut self.main, setting.heap_bytes);
            wish_more(&mut self.worker, setting.worker_heap_bytes);
        } else if worker_at_cap {
            self.suspect(worker);
            raise(&mut self.worker, setting.worker_heap_bytes);
            self.main.enough_bytes = seen(census.main_peak_bytes);
        } else {
            self.suspect(main);
            raise(&mut self.main, setting.heap_bytes.or(reached));
            self.worker.enough_bytes = seen(census.worker_peak_bytes);
        }
    }

    /// These may have been short. What a side had in an earlier, unclear death may have been too little as well.
    fn suspect(&mut self, sides: impl IntoIterator<Item = (Side, u64)>) {
        let before = std::mem::take(&mut self.short);
        let had = |side| before.iter().filter(|(suspect, _)| *suspect == side).map(|(_, heap)| *heap).max();
        self.short = sides.into_iter().map(|(side, heap)| (side, had(side).unwrap_or(0).max(heap))).collect();
    }

    /// Fewer workers first; with one, or none that are known, smaller heaps. Heaps stay unbounded where the
    /// measured rest of the tree explains the death, because the solver leaves room for it from now on.
    fn shrink_tree(&mut self, death: &Attempt, budget_bytes: Option<u64>) {
        let setting = &death.setting;
        self.jobs_most = Some((setting.jobs / 2).max(1).min(self.jobs_most.unwrap_or(u32::MAX)));
        if heap_was_too_small(death.cause) || self.explains(death, budget_bytes) {
            return;
        }
        let smaller = |heap: u64| match setting.jobs > 1 && self.workers {
            true => heap,
            false => percent(heap, STEP_DOWN_PERCENT),
        };
        self.heap_most_bytes = least(self.heap_most_bytes, setting.heap_bytes.map(smaller));
        self.worker_heap_most_bytes =
            least(self.worker_heap_most_bytes, setting.worker_heap_bytes.map(smaller));
    }

    /// Whether the caps and the measured rest together were more than the budget.
    fn explains(&self, death: &Attempt, budget_bytes: Option<u64>) -> bool {
        let (Some(runtime), Some(budget), Some(heap_bytes)) =
            (self.runtime, death.budget_bytes.or(budget_bytes), death.setting.heap_bytes)
        else {
            return false;
        };
        let workers = self.staff.workers(death.setting.jobs);
        let worker_heap_bytes =
            if self.threads { death.setting.heap_bytes } else { death.setting.worker_heap_bytes };
        let share = Share { heap_bytes, worker_heap_bytes, workers };
        share.tree_bytes(runtime).saturating_add(self.rest_bytes) > budget
    }
}

/// Peaks of the process that hands out work and of one that does it. The census takes the largest for the main process, which
/// is right for bundlers; a JVM that forks others is the smaller one (measured: Maven 80 MiB, its forks 123 to 183).
pub fn parts(census: &Census, runtime: Option<Runtime>) -> Option<(u64, u64)> {
    let (main, worker) = (census.main_peak_bytes?, census.worker_peak_bytes?);
    match runtime {
        Some(Runtime::Jvm) => Some((main.min(worker), main.max(worker))),
        _ => Some((main, worker)),
    }
}

/// A process with at least this much has filled a heap of this cap, in bytes. What a JVM has outside its heap varies from
/// 30 MiB (a forked test JVM) to hundreds, so for it only the heap itself is sure.
pub fn full_process_bytes(runtime: Runtime, heap_bytes: u64) -> u64 {
    match runtime {
        Runtime::Jvm => heap_bytes,
        Runtime::Node | Runtime::Native => percent(process_bytes(runtime, heap_bytes), AT_CAP_PERCENT),
    }
}

/// The profile's attempts that still count, and those nobody saw the end of as the group kills they were, the
/// oldest first.
fn remembered(context: &Context) -> Vec<Attempt> {
    let Some(profile) = context.profile else { return Vec::new() };
    let runs = &profile.runs[profile.runs.len().saturating_sub(RUNS_REMEMBERED)..];
    let since = if runs.len() == RUNS_REMEMBERED { runs[0].ended_unix_ms } else { 0 };
    let seen =
        runs.iter().flat_map(|run| run.attempts.iter().map(|attempt| (run.ended_unix_ms, attempt.clone())));
    let recent_intents = profile.intents.iter().filter(|intent| intent.started_unix_ms >= since);
    let gone = recent_intents.map(|intent| {
        let attempt = intent.attempt.clone();
        let outcome = Outcome::OutOfMemory;
        (intent.started_unix_ms, Attempt { outcome, cause: Some(Cause::KernelKill), ..attempt })
    });
    let mut dated: Vec<(u64, Attempt)> = seen.chain(gone).collect();
    dated.sort_by_key(|(unix_ms, _)| *unix_ms);
    dated.into_iter().map(|(_, attempt)| attempt).collect()
}

/// The cause asks for larger heaps.
pub fn heap_was_too_small(cause: Option<Cause>) -> bool {
    matches!(cause, Some(Cause::HeapLimit | Cause::GcThrash | Cause::HeapLimitAndKernelKill))
}

/// The cause asks for a smaller tree.
pub fn tree_was_too_large(cause: Option<Cause>) -> bool {
    !matches!(cause, Some(Cause::HeapLimit | Cause::GcThrash))
}

fn same_room(death: &Attempt, budget_bytes: Option<u64>) -> bool {
    match (death.budget_bytes, budget_bytes) {
        (Some(died_in), Some(budget)) => died_in >= percent(budget, SAME_ROOM_PERCENT),
        _ => true,
    }
}

fn rules_out(death: &Attempt, setting: &Setting, budget_bytes: Option<u64>) -> bool {
    let died = &death.setting;
    let no_larger = |heap: Option<u64>, died: Option<u64>| heap.is_some() == died.is_some() && heap <= died;
    let no_smaller = |heap: Option<u64>, died: Option<u64>| heap.is_some() == died.is_some() && heap >= died;
    let heaps_too_small = heap_was_too_small(death.cause)
        && no_larger(setting.heap_bytes, died.heap_bytes)
        && no_larger(setting.worker_heap_bytes, died.worker_heap_bytes)
        && (setting.heap_bytes.is_some() || setting.jobs >= died.jobs);
    let tree_too_large = tree_was_too_large(death.cause)
        && same_room(death, budget_bytes)
        && setting.jobs >= died.jobs
        && no_smaller(setting.heap_bytes, died.heap_bytes)
        && no_smaller(setting.worker_heap_bytes, died.worker_heap_bytes);
    heaps_too_small || tree_too_large
}

fn raise(want: &mut Want, died_bytes: Option<u64>) {
    want.least_bytes = want.least_bytes.max(died_bytes.map(|heap| percent(heap, STEP_UP_PERCENT)));
    want.enough_bytes = None;
    wish_more(want, died_bytes);
}

fn wish_more(want: &mut Want, died_bytes: Option<u64>) {
    want.wish_bytes = want.wish_bytes.max(died_bytes.map(|heap| percent(heap, WISH_UP_PERCENT)));
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// This many percent of a size.
pub fn percent(bytes: u64, percent: u64) -> u64 {
    (u128::from(bytes) * u128::from(percent) / 100).try_into().unwrap_or(u64::MAX)
}
