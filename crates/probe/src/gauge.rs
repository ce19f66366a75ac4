//! The gauge: everything that could bind the budget, collected, with a reason where there is no number.

use crate::cgroup::{Group, Layout, Refusal};
use crate::host;
use plimsoll_core::budget::{Budget, Candidate, Source, decide};
use std::path::Path;

/// Collects every candidate and decides. `root` is `/`, or a fake kernel; `flag_bytes` is `--limit`.
///
/// Run it before the build starts: all memory that is in use then belongs to others.
pub fn collect(root: &Path, layout: &Layout, flag_bytes: Option<u64>) -> Budget {
    let mut candidates: Vec<Candidate> = flag_bytes.map(flag).into_iter().collect();
    candidates.extend(cgroups(root, layout));
    candidates.push(host_memory(root));
    candidates.extend(rlimits(root));
    decide(candidates)
}

fn flag(limit_bytes: u64) -> Candidate {
    Candidate {
        source: Source::Flag,
        name: "--limit".to_string(),
        limit_bytes: Some(limit_bytes),
        others_bytes: 0,
        reason: None,
    }
}

fn cgroups(root: &Path, layout: &Layout) -> Vec<Candidate> {
    let groups = layout.memory_groups();
    if groups.is_empty() {
        let why = match &layout.memory {
            Err(refusal) => shown(root, refusal),
            Ok(place) => format!("{}: no memory limits are shown here", real_name(root, &place.dir)),
        };
        return vec![absent(Source::Cgroup, "cgroup".to_string(), why)];
    }
    let mut candidates: Vec<Candidate> = groups.iter().map(|group| cgroup(root, group)).collect();
    candidates.extend(groups.first().and_then(|group| hidden_cgroup(root, group, &candidates)));
    candidates
}

/// One cgroup's own limit, less what lives in it now.
fn cgroup(root: &Path, group: &Group) -> Candidate {
    let name = real_name(root, &group.limit_path());
    match group.limit_bytes() {
        Ok(Some(limit_bytes)) => {
            let others = group.non_reclaimable_bytes();
            Candidate {
                source: Source::Cgroup,
                name,
                limit_bytes: Some(limit_bytes),
                others_bytes: *others.as_ref().unwrap_or(&0),
                reason: others
                    .err()
                    .map(|refusal| format!("what others use is unknown: {}", shown(root, &refusal))),
            }
        }
        Ok(None) => absent(Source::Cgroup, name, "no limit set".to_string()),
        Err(refusal) => absent(Source::Cgroup, name, refusal.why),
    }
}

/// A limit above what a container shows: v1 tells its size, not who else lives under it.
fn hidden_cgroup(root: &Path, group: &Group, seen: &[Candidate]) -> Option<Candidate> {
    let limit_bytes = group.hierarchical_limit_bytes().ok()??;
    let least_seen = seen.iter().filter_map(|candidate| candidate.limit_bytes).min();
    if least_seen.is_some_and(|least| least <= limit_bytes) {
        return None;
    }
    Some(Candidate {
        source: Source::Cgroup,
        name: format!("{} hierarchical_memory_limit", real_name(root, &group.dir().join("memory.stat"))),
        limit_bytes: Some(limit_bytes),
        others_bytes: group.non_reclaimable_bytes().unwrap_or(0),
        reason: Some("set in a cgroup above that is not shown here; others may use memory in it".to_string()),
    })
}

fn host_memory(root: &Path) -> Candidate {
    let name = "MemAvailable".to_string();
    match host::memory(root) {
        Ok(memory) => match memory.available_bytes {
            Some(bytes) => Candidate {
                source: Source::Host,
                name,
                limit_bytes: Some(bytes),
                others_bytes: 0,
                reason: None,
            },
            None => absent(Source::Host, name, "/proc/meminfo does not tell".to_string()),
        },
        Err(refusal) => absent(Source::Host, name, shown(root, &refusal)),
    }
}

fn rlimits(root: &Path) -> [Candidate; 2] {
    let limits = host::rlimits(root);
    let one = |name: &str, bytes: fn(&host::MemoryRlimits) -> Option<u64>| match &limits {
        Ok(limits) => match bytes(limits) {
            Some(limit_bytes) => Candidate {
                source: Source::Rlimit,
                name: name.to_string(),
                limit_bytes: Some(limit_bytes),
                others_bytes: 0,
                reason: Some("holds for each process by itself".to_string()),
            },
            None => absent(Source::Rlimit, name.to_string(), "unlimited".to_string()),
        },
        Err(refusal) => absent(Source::Rlimit, name.to_string(), shown(root, refusal)),
    };
    [one("RLIMIT_AS", |limits| limits.address_space_bytes), one("RLIMIT_DATA", |limits| limits.data_bytes)]
}

fn absent(source: Source, name: String, reason: String) -> Candidate {
    Candidate { source, name, limit_bytes: None, others_bytes: 0, reason: Some(reason) }
}

fn shown(root: &Path, refusal: &Refusal) -> String {
    format!("{}: {}", real_name(root, &refusal.path), refusal.why)
}

/// The path as the kernel knows it: without the root of a fake one.
fn real_name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .map_or_else(|_| path.display().to_string(), |below| format!("/{}", below.display()))
}
