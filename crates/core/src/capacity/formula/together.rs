//! Together: what all pods use at one moment, from the latest observation of each.

use super::super::roles::{Counts, Role};
use super::observation::Observation;
use std::collections::BTreeMap;

/// What was seen of a pod so long ago is not what it uses now.
pub const RECENT_MS: i64 = 300_000;
/// Pods that were seen within so long were seen at the same moment.
const SAME_MS: i64 = 90_000;

/// All pods that were seen lately.
#[derive(Debug, Clone, PartialEq)]
pub struct Together {
    /// When the last of them was seen, in milliseconds since 1970.
    pub at_ms: i64,
    /// What they use, in bytes; `None` where that of one of them could not be read.
    pub memory_bytes: Option<u64>,
    /// Who uses them.
    pub counts: Counts,
    /// How many they are.
    pub pods: u32,
    /// They were seen at the same moment. A pod that was not seen with the others is out of sight, or gone: until
    /// [`RECENT_MS`] have passed nobody knows, and what the others use is not the whole.
    pub is_whole: bool,
}

/// Of the latest observation of each pod, none older than [`RECENT_MS`]; `None` where there is none, or counts make no sense.
pub fn together(latest: &[Observation]) -> Option<Together> {
    let at_ms = latest.iter().map(|seen| seen.at_ms).max()?;
    let mut counts: BTreeMap<Role, u64> = BTreeMap::new();
    for (role, count) in latest.iter().flat_map(|seen| seen.counts.iter()) {
        *counts.entry(role.clone()).or_default() += count;
    }
    Some(Together {
        at_ms,
        memory_bytes: latest.iter().map(|seen| seen.memory_bytes).sum(),
        counts: Counts::new(counts).ok()?,
        pods: u32::try_from(latest.len()).unwrap_or(u32::MAX),
        is_whole: latest.iter().all(|seen| at_ms - seen.at_ms <= SAME_MS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_lacks_all_lack() {
        let seen = |pod: &str, at_ms: i64, memory_bytes: Option<u64>| Observation {
            at_ms,
            pod: pod.to_string(),
            version: "1".to_string(),
            memory_bytes,
            counts: Counts::new([(Role::ADMIN, 2)].into()).unwrap(),
            uptime_ms: None,
            connections: None,
        };
        let check = |latest: &[Observation], expect: Option<(Option<u64>, u64, bool)>| {
            let found = together(latest);
            assert_eq!(found.map(|it| (it.memory_bytes, it.counts.of(&Role::ADMIN), it.is_whole)), expect);
        };
        check(&[], None);
        check(&[seen("a", 9, Some(5))], Some((Some(5), 2, true)));
        check(&[seen("a", 0, Some(5)), seen("b", SAME_MS, Some(6))], Some((Some(11), 4, true)));
        check(&[seen("a", 0, Some(5)), seen("b", SAME_MS + 1, Some(6))], Some((Some(11), 4, false)));
        check(&[seen("a", 0, Some(5)), seen("b", 1, None)], Some((None, 4, true)));
    }
}
