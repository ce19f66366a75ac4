//! Node processes of cgroups: the one nearest to its limit is what counts.

use plimsoll_probe::survey::heap::{Heap, Seen, of_process};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// Processes of one cgroup that are looked at.
pub const PROCESSES_MAX: usize = 128;
/// Processes of all cgroups that are remembered as no Node.
const REMEMBERED_MAX: usize = 50_000;
/// What was no Node is asked again after this: it may become one.
const OTHER_FOR: Duration = Duration::from_secs(30);

/// Of one cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupHeaps {
    /// Node processes that tell their heap; at least one.
    pub processes: u64,
    /// The heap nearest to its limit.
    pub nearest: Heap,
}

/// See the module.
#[derive(Debug)]
pub struct Heaps {
    root: PathBuf,
    /// Processes that were no Node, and when that was seen.
    others: HashMap<u32, Instant>,
    refused: u64,
    now: (Instant, SystemTime),
}

impl Heaps {
    /// Of the processes of `<root>/proc`.
    pub fn new(root: PathBuf) -> Heaps {
        Heaps { root, others: HashMap::new(), refused: 0, now: (Instant::now(), SystemTime::now()) }
    }

    /// Before all cgroups are gone through.
    pub fn begin(&mut self) {
        self.now = (Instant::now(), SystemTime::now());
        self.refused = 0;
    }

    /// Of these processes.
    pub fn of(&mut self, pids: &[u32]) -> Option<GroupHeaps> {
        let mut all: Option<GroupHeaps> = None;
        for pid in pids {
            let (now, clock) = self.now;
            if self.others.get(pid).is_some_and(|since| now - *since < OTHER_FOR) {
                continue;
            }
            match of_process(&self.root, *pid, clock) {
                Seen::Heap(heap) => {
                    let before = all.unwrap_or(GroupHeaps { processes: 0, nearest: heap });
                    let nearest = if is_nearer(&heap, &before.nearest) { heap } else { before.nearest };
                    all = Some(GroupHeaps { processes: before.processes + 1, nearest });
                }
                Seen::Refused => self.refused += 1,
                Seen::Other if self.others.len() < REMEMBERED_MAX => {
                    self.others.insert(*pid, now);
                }
                Seen::Other | Seen::Silent => {}
            }
        }
        all
    }

    /// After it.
    pub fn end(&mut self) {
        let now = self.now.0;
        self.others.retain(|_, since| now - *since < OTHER_FOR);
    }

    /// Why some cannot be seen.
    pub fn refused(&self) -> Option<String> {
        (self.refused > 0)
            .then(|| "processes of others may not be looked at; it takes CAP_SYS_PTRACE".to_string())
    }
}

fn is_nearer(one: &Heap, other: &Heap) -> bool {
    let (one_share, other_share) = (
        u128::from(one.used_bytes) * u128::from(other.limit_bytes),
        u128::from(other.used_bytes) * u128::from(one.limit_bytes),
    );
    one_share > other_share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_counts() {
        let check = |one: (u64, u64), other: (u64, u64), expect: bool| {
            let heap = |(used_bytes, limit_bytes)| Heap { used_bytes, limit_bytes };
            assert_eq!(is_nearer(&heap(one), &heap(other)), expect, "{one:?} {other:?}");
        };
        check((50, 100), (400, 1000), true);
        check((400, 1000), (50, 100), false);
        check((1, 2), (2, 4), false);
        check((1 << 50, 1 << 50), (1, 2), true);
    }
}
