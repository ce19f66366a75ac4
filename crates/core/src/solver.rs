//! The solver: splits a budget over the process tree.
//!
//! budget - reserve = main heap + workers x worker heap + what those processes use outside their heaps + rest.
//!
//! A cap given to every process alike is what kills builds: webpack in 2 GiB passes with its default of two heaps
//! of 1048 MiB and dies with two of 1536 MiB (measured). A cap that is too careful kills them too: tsc on
//! `googleapis` in 2 GiB needs a heap of 1850 MiB, 90 % of the limit, and dies at the default half (measured).

use crate::program::Runtime;
use crate::size::MIB;

/// A main heap below this starts no build tool worth the name, in bytes.
pub const MAIN_FLOOR_BYTES: u64 = 128 * MIB;
/// A worker's heap below this starts no worker, in bytes.
pub const WORKER_FLOOR_BYTES: u64 = 64 * MIB;
/// What a worker nobody has measured is wished, in bytes: before a worker has less, there is one worker fewer.
const WORKER_WISH_BYTES: u64 = 384 * MIB;
/// What a main process nobody has measured is wished, in bytes, or a third of the budget where that is more: it
/// holds the module graph, its workers one file each. Webpack passes in 2 GiB with a main heap of 1048 MiB
/// (measured) and gets 64 % of the limit this way, its one worker 24 %.
const MAIN_WISH_BYTES: u64 = 1024 * MIB;

/// What a process uses outside the heap it is capped at.
#[derive(Debug, Clone, Copy)]
struct Overhead {
    fixed_bytes: u64,
    /// Grows with the heap, in percent of it.
    percent: u64,
}

/// V8: young generation, code, libuv and malloc. Measured peaks of tsc at its cap: heap 1048 MiB -> 1080 to
/// 1148, 1700 -> 1761 to 1777, 2096 -> 2136; this gives 1125, 1790 and 2194.
const V8_OVERHEAD: Overhead = Overhead { fixed_bytes: 56 * MIB, percent: 2 };
/// JVM: metaspace, code cache and thread stacks, and the collector's own tables with the heap. A single JVM gets 74 % of
/// 1 GiB and 78 % of 2 GiB, near the 75 % that are usual in containers. With room for a full code cache (240 MiB on JDK 17)
/// Maven and a forked test JVM had heaps of 249 and 93 MiB in 912 MiB, died and left 680 MiB unused (measured).
const JVM_OVERHEAD: Overhead = Overhead { fixed_bytes: 96 * MIB, percent: 15 };

/// A JVM as small as one can be. Measured on JDK 17: forked test JVMs whose heap of 116 MiB was full had 145 to 152 MiB.
const JVM_TIGHT_OVERHEAD: Overhead = Overhead { fixed_bytes: JVM_OUTSIDE_BYTES, percent: 5 };
/// The least a JVM has outside its heap, in bytes.
pub const JVM_OUTSIDE_BYTES: u64 = 48 * MIB;

impl Overhead {
    /// What is outside a heap of this size, in bytes.
    fn outside(self, heap_bytes: u64) -> u64 {
        self.fixed_bytes + heap_bytes / 100 * self.percent
    }

    /// The heap inside a process of this size, in bytes.
    fn heap_within(self, process_bytes: u64) -> u64 {
        process_bytes.saturating_sub(self.fixed_bytes) / (100 + self.percent) * 100
    }
}

fn overhead(runtime: Runtime) -> Overhead {
    match runtime {
        Runtime::Jvm => JVM_OVERHEAD,
        Runtime::Node | Runtime::Native => V8_OVERHEAD,
    }
}

/// What a process with this heap cap may use in all, in bytes.
pub fn process_bytes(runtime: Runtime, heap_bytes: u64) -> u64 {
    heap_bytes.saturating_add(overhead(runtime).outside(heap_bytes))
}

/// Whether a JVM that has filled a heap of this cap has hardly more outside it than the least: so will its like.
pub fn is_tight(heap_bytes: u64, peak_bytes: u64) -> bool {
    peak_bytes >= heap_bytes && peak_bytes - heap_bytes <= JVM_TIGHT_OVERHEAD.outside(heap_bytes)
}

/// The heap of a JVM that may use so much in all and is as small as one can be outside it, in bytes.
pub fn tight_heap_within(process_bytes: u64) -> u64 {
    JVM_TIGHT_OVERHEAD.heap_within(process_bytes)
}

/// The heap inside a process that was seen to use this much, in bytes.
pub fn heap_within(runtime: Runtime, process_bytes: u64) -> u64 {
    overhead(runtime).heap_within(process_bytes)
}

/// What has to be fitted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// The budget in bytes.
    pub budget_bytes: u64,
    /// Share of it kept free, in percent.
    pub reserve_percent: u32,
    /// Whose heaps.
    pub runtime: Runtime,
    /// Most workers wanted; 0 where the tool starts none.
    pub workers_max: u32,
    /// What the rest of the tree was measured to use, in bytes; 0 where nothing is known.
    pub rest_bytes: u64,
    /// Whether only the least a process can have outside its heap is left for it: where nothing fits otherwise.
    pub tight: bool,
    /// The main heap.
    pub main: Want,
    /// Each worker's heap.
    pub worker: Want,
}

impl Needs {
    /// The budget less the reserve, in bytes.
    pub fn usable_bytes(&self) -> u64 {
        self.budget_bytes / 100 * u64::from(100 - self.reserve_percent.min(100))
    }
}

/// What is known of one heap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Want {
    /// It died with less than this, in bytes.
    pub least_bytes: Option<u64>,
    /// It would do well with this, in bytes; workers are given up for it.
    pub wish_bytes: Option<u64>,
    /// It was seen to want no more than this, in bytes, so what is left goes to the other side.
    pub enough_bytes: Option<u64>,
}

/// A split that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Cap of the main heap in bytes.
    pub heap_bytes: u64,
    /// Cap of each worker's heap in bytes; `None` without workers.
    pub worker_heap_bytes: Option<u64>,
    /// Workers, at least one where any are wanted.
    pub workers: u32,
}

impl Share {
    /// What the tree may use with it, in bytes.
    pub fn tree_bytes(&self, runtime: Runtime) -> u64 {
        let worker_bytes = self.worker_heap_bytes.map_or(0, |heap| process_bytes(runtime, heap));
        process_bytes(runtime, self.heap_bytes) + worker_bytes * u64::from(self.workers)
    }
}

/// The most workers that leave every heap what it wishes, else one worker; `None` when not even then each heap
/// has more than it died with and than a process needs to start.
pub fn solve(needs: &Needs) -> Option<Share> {
    let usable = needs.usable_bytes().checked_sub(needs.rest_bytes)?;
    let main_unknown = MAIN_WISH_BYTES.max(needs.budget_bytes / 3);
    let main_wish = wish(needs.main, main_unknown).max(MAIN_FLOOR_BYTES);
    let worker_wish = wish(needs.worker, WORKER_WISH_BYTES).max(WORKER_FLOOR_BYTES);
    let heaps = |workers: u32| {
        let processes = u64::from(workers) + 1;
        let overhead = match needs.runtime {
            Runtime::Jvm if needs.tight => JVM_TIGHT_OVERHEAD,
            runtime => overhead(runtime),
        };
        let heaps = usable.checked_sub(processes.checked_mul(overhead.fixed_bytes)?)?;
        Some(heaps / (100 + overhead.percent) * 100)
    };
    let wished = |workers: u32| main_wish.saturating_add(worker_wish.saturating_mul(u64::from(workers)));
    let workers = match needs.workers_max {
        0 => 0,
        most => (2..=most).rev().find(|workers| heaps(*workers) >= Some(wished(*workers))).unwrap_or(1),
    };
    let (main, worker) = divide(heaps(workers)?, workers, needs, main_wish, worker_wish)?;
    Some(Share { heap_bytes: main, worker_heap_bytes: (workers > 0).then_some(worker), workers })
}

/// In the proportion of the wishes, unless one side has enough; where that leaves one side less than it died
/// with, the other gives way.
fn divide(heaps: u64, workers: u32, needs: &Needs, main_wish: u64, worker_wish: u64) -> Option<(u64, u64)> {
    let main_least = needs.main.least_bytes.unwrap_or(0).max(MAIN_FLOOR_BYTES);
    if workers == 0 {
        return (heaps >= main_least).then_some((heaps, 0));
    }
    let count = u64::from(workers);
    let workers_least = needs.worker.least_bytes.unwrap_or(0).max(WORKER_FLOOR_BYTES).checked_mul(count)?;
    let main_most = heaps.checked_sub(workers_least)?;
    let weight = u128::from(main_wish) + u128::from(worker_wish) * u128::from(count);
    let proportional = (u128::from(heaps) * u128::from(main_wish) / weight) as u64;
    let given = match (needs.main.enough_bytes, needs.worker.enough_bytes) {
        (Some(enough), None) => proportional.min(enough),
        (None, Some(enough)) => proportional.max(heaps.saturating_sub(enough.saturating_mul(count))),
        _ => proportional,
    };
    let main = given.max(main_least).min(main_most);
    (main >= main_least).then_some((main, (heaps - main) / count))
}

fn wish(want: Want, unknown_bytes: u64) -> u64 {
    want.wish_bytes.max(want.least_bytes).unwrap_or(unknown_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::GIB;
    use proptest::prelude::*;

    fn needs(runtime: Runtime, budget_mib: u64, workers_max: u32) -> Needs {
        Needs {
            budget_bytes: budget_mib * MIB,
            reserve_percent: 5,
            runtime,
            workers_max,
            rest_bytes: 0,
            tight: false,
            main: Want::default(),
            worker: Want::default(),
        }
    }

    #[test]
    fn splits_in_mib() {
        let check = |needs: Needs, expect: Option<(u64, Option<u64>, u32)>| {
            let share = solve(&needs).map(|share| {
                (share.heap_bytes / MIB, share.worker_heap_bytes.map(|bytes| bytes / MIB), share.workers)
            });
            assert_eq!(share, expect, "{needs:?}");
        };
        // tsc: 90 % of 2 GiB, which is what passes.
        check(needs(Runtime::Node, 2048, 0), Some((1852, None, 0)));
        check(needs(Runtime::Node, 4096, 0), Some((3759, None, 0)));
        // webpack and terser: 64 % and 24 %.
        check(needs(Runtime::Node, 2048, 1), Some((1307, Some(490), 1)));
        check(needs(Runtime::Node, 2048, 7), Some((1307, Some(490), 1)));
        check(needs(Runtime::Node, 4096, 7), Some((1448, Some(407), 5)));
        check(needs(Runtime::Jvm, 2048, 0), Some((1608, None, 0)));
        check(needs(Runtime::Jvm, 1024, 0), Some((762, None, 0)));
        check(needs(Runtime::Node, 150, 0), None);
        check(needs(Runtime::Jvm, 400, 1), None);
        check(Needs { tight: true, ..needs(Runtime::Jvm, 464, 1) }, Some((238, Some(89), 1)));
        // The main heap died with 1.5 GiB: the worker gives way, and there is an end to that.
        let died = |mib| Want { least_bytes: Some(mib * MIB), ..Want::default() };
        let enough = |mib| Want { enough_bytes: Some(mib * MIB), ..Want::default() };
        check(Needs { main: died(1500), ..needs(Runtime::Node, 2048, 4) }, Some((1500, Some(297), 1)));
        check(Needs { main: died(1740), ..needs(Runtime::Node, 2048, 4) }, None);
        check(Needs { main: enough(500), ..needs(Runtime::Node, 2048, 1) }, Some((500, Some(1297), 1)));
        check(Needs { worker: enough(300), ..needs(Runtime::Node, 2048, 1) }, Some((1497, Some(300), 1)));
        check(Needs { rest_bytes: GIB, ..needs(Runtime::Node, 2048, 0) }, Some((848, None, 0)));
        check(Needs { rest_bytes: 3 * GIB, ..needs(Runtime::Node, 2048, 0) }, None);
    }

    fn any_needs() -> impl Strategy<Value = Needs> {
        let want = || {
            let size = || prop::option::of((0u64..4096).prop_map(|mib| mib * MIB));
            (size(), size(), size()).prop_map(|(least_bytes, wish_bytes, enough_bytes)| Want {
                least_bytes,
                wish_bytes,
                enough_bytes,
            })
        };
        let runtime = prop::sample::select(vec![Runtime::Node, Runtime::Jvm]);
        (0u64..40_000, 0u32..50, runtime, 0u32..70, 0u64..4096, want(), want()).prop_map(
            |(budget_mib, reserve_percent, runtime, workers_max, rest_mib, main, worker)| Needs {
                budget_bytes: budget_mib * MIB,
                reserve_percent,
                runtime,
                workers_max,
                rest_bytes: rest_mib * MIB,
                tight: false,
                main,
                worker,
            },
        )
    }

    proptest! {
        #[test]
        fn a_share_fits_and_is_usable(needs in any_needs()) {
            if let Some(share) = solve(&needs) {
                prop_assert!(share.tree_bytes(needs.runtime) + needs.rest_bytes <= needs.budget_bytes);
                prop_assert!(share.heap_bytes >= MAIN_FLOOR_BYTES.max(needs.main.least_bytes.unwrap_or(0)));
                prop_assert_eq!(share.workers > 0, needs.workers_max > 0);
                prop_assert!(share.workers <= needs.workers_max);
                if let Some(worker) = share.worker_heap_bytes {
                    prop_assert!(worker >= WORKER_FLOOR_BYTES.max(needs.worker.least_bytes.unwrap_or(0)));
                }
            }
        }

        #[test]
        fn more_budget_never_gives_less(needs in any_needs(), more_mib in 0u64..4096) {
            let roomier = Needs { budget_bytes: needs.budget_bytes + more_mib * MIB, ..needs.clone() };
            if let Some(share) = solve(&needs) {
                let more = solve(&roomier).expect("what fits in less fits in more");
                prop_assert!(more.workers >= share.workers);
                prop_assert!(more.tree_bytes(needs.runtime) + 1024 >= share.tree_bytes(needs.runtime));
                if more.workers == share.workers {
                    prop_assert!(more.heap_bytes + 1024 >= share.heap_bytes);
                }
            }
        }

        #[test]
        fn heap_and_process_are_inverse(heap_mib in 1u64..30_000) {
            for runtime in [Runtime::Node, Runtime::Jvm] {
                let back = heap_within(runtime, process_bytes(runtime, heap_mib * MIB));
                prop_assert!(back.abs_diff(heap_mib * MIB) < 1024, "{} {}", back, heap_mib * MIB);
            }
        }
    }
}
