//! The budget: the memory a build may really use, and which limit binds it.
//!
//! The rim (`plimsoll-probe`) collects candidates; this module picks the least and says why.

use serde::Serialize;

/// Where a candidate for the budget comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A limit of a memory cgroup, ours or one above it.
    Cgroup,
    /// `MemAvailable` of the host.
    Host,
    /// `RLIMIT_AS` or `RLIMIT_DATA`.
    Rlimit,
    /// `--limit`.
    Flag,
}

/// One thing that could bind the budget, readable or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Kind of limit.
    pub source: Source,
    /// What it is called where it lives: a cgroup file, `MemAvailable`, `RLIMIT_AS`, `--limit`.
    pub name: String,
    /// The limit itself in bytes; `None` where there is none or it could not be read (`reason` says which).
    pub limit_bytes: Option<u64>,
    /// What others already use inside the same limit, in bytes of memory that cannot be reclaimed.
    pub others_bytes: u64,
    /// Why there is no number, or a remark on the number.
    pub reason: Option<String>,
}

impl Candidate {
    /// What this candidate leaves for the build, in bytes.
    pub fn available_bytes(&self) -> Option<u64> {
        self.limit_bytes.map(|limit| limit.saturating_sub(self.others_bytes))
    }
}

/// The decision: the least of the candidates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Memory the build may use in bytes; `None` when nothing was readable.
    pub bytes: Option<u64>,
    /// Name of the candidate that binds.
    pub binding: Option<String>,
    /// Everything that was looked at, in the order it was looked at.
    pub candidates: Vec<Candidate>,
}

/// Picks the candidate that leaves least; of equals the first wins, so list the nearest limit first.
pub fn decide(candidates: Vec<Candidate>) -> Budget {
    let binding = candidates
        .iter()
        .filter_map(|candidate| Some((candidate.available_bytes()?, candidate)))
        .min_by_key(|(bytes, _)| *bytes)
        .map(|(bytes, candidate)| (bytes, candidate.name.clone()));
    Budget {
        bytes: binding.as_ref().map(|(bytes, _)| *bytes),
        binding: binding.map(|(_, name)| name),
        candidates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::GIB;
    use proptest::prelude::*;

    fn candidate(source: Source, limit_bytes: Option<u64>, others_bytes: u64) -> Candidate {
        let name = format!("{source:?} {limit_bytes:?}");
        Candidate { source, name, limit_bytes, others_bytes, reason: None }
    }

    #[test]
    fn the_least_binds() {
        use Source::*;
        let check =
            |candidates: &[(Source, Option<u64>, u64)], bytes: Option<u64>, binding: Option<usize>| {
                let list: Vec<_> = candidates
                    .iter()
                    .map(|(source, limit, others)| candidate(*source, *limit, *others))
                    .collect();
                let name = binding.map(|index| list[index].name.clone());
                let budget = decide(list.clone());
                assert_eq!((budget.bytes, budget.binding), (bytes, name), "{candidates:?}");
                assert_eq!(budget.candidates, list);
            };
        check(&[], None, None);
        check(&[(Cgroup, None, 0), (Rlimit, None, 0)], None, None);
        check(&[(Cgroup, Some(2 * GIB), 0), (Host, Some(8 * GIB), 0)], Some(2 * GIB), Some(0));
        check(&[(Cgroup, Some(8 * GIB), 0), (Cgroup, Some(3 * GIB), 0)], Some(3 * GIB), Some(1));
        // Others inside the same limit count; a limit they have passed leaves nothing.
        check(&[(Cgroup, Some(4 * GIB), 3 * GIB), (Flag, Some(2 * GIB), 0)], Some(GIB), Some(0));
        check(&[(Cgroup, Some(GIB), 2 * GIB)], Some(0), Some(0));
        // Of equals the nearest, listed first.
        check(&[(Cgroup, Some(GIB), 0), (Flag, Some(GIB), 0)], Some(GIB), Some(0));
    }

    proptest! {
        #[test]
        fn no_candidate_leaves_less(limits in prop::collection::vec((prop::option::of(any::<u64>()), any::<u64>()), 0..8)) {
            let list: Vec<_> = limits.into_iter().map(|(limit, others)| candidate(Source::Cgroup, limit, others)).collect();
            let budget = decide(list.clone());
            prop_assert_eq!(budget.bytes, list.iter().filter_map(Candidate::available_bytes).min());
        }
    }
}
