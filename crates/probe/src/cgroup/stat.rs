//! `memory.stat`: what a cgroup's memory is made of, and how much of it can never be let go.

use super::file::value_of;
use super::layout::Version;

/// The parts of a cgroup's memory, hierarchical (its descendants included), in bytes unless said otherwise.
/// A field the kernel does not tell is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryStat {
    /// Anonymous memory: heaps and stacks.
    pub anon: Option<u64>,
    /// Shared memory and tmpfs files.
    pub shmem: Option<u64>,
    /// Page cache, `shmem` included.
    pub file: Option<u64>,
    /// Anonymous and shared pages on the evictable lists.
    pub evictable_anon: Option<u64>,
    /// Page cache used more than once.
    pub active_file: Option<u64>,
    /// Page cache that goes first.
    pub inactive_file: Option<u64>,
    /// Locked memory of any kind.
    pub unevictable: Option<u64>,
    /// Kernel memory that reclaim cannot free; an upper estimate on v1, which does not tell its slab apart.
    pub kernel_unreclaimable: Option<u64>,
    /// Swap in use.
    pub swap: Option<u64>,
    /// Page cache read back after it was evicted, in pages since the cgroup was made.
    pub refaults_file: Option<u64>,
    /// Anonymous pages swapped back in after eviction, in pages since the cgroup was made.
    pub refaults_anon: Option<u64>,
    /// Faults that had to read a disk, a count since the cgroup was made.
    pub major_faults: Option<u64>,
}

impl MemoryStat {
    /// Parses `memory.stat`. On v1 kernel memory has a file of its own: the caller fills
    /// [`MemoryStat::kernel_unreclaimable`] in.
    pub fn parse(version: Version, text: &str) -> MemoryStat {
        match version {
            Version::V1 => parse_v1(text),
            Version::V2 => parse_v2(text),
        }
    }

    /// Memory no reclaim can free (swap apart): anonymous, shared, locked and unreclaimable kernel memory.
    /// `None` without the anonymous part; the smaller parts count as far as the kernel tells them.
    ///
    /// Locked anonymous and shared pages are in `anon` and `shmem` already: they are what of these two is
    /// missing on the evictable lists. Only the rest of `unevictable`, locked page cache, is added.
    pub fn non_reclaimable_bytes(&self) -> Option<u64> {
        let swappable = self.anon?.saturating_add(self.shmem.unwrap_or(0));
        let locked = self.unevictable.unwrap_or(0);
        let locked_swappable = self.evictable_anon.map_or(0, |evictable| swappable.saturating_sub(evictable));
        Some(
            swappable
                .saturating_add(locked.saturating_sub(locked_swappable))
                .saturating_add(self.kernel_unreclaimable.unwrap_or(0)),
        )
    }

    /// Of this use what is not page cache that goes first, as kubelets reckon it, in bytes.
    pub fn working_set_bytes(&self, usage_bytes: u64) -> Option<u64> {
        Some(usage_bytes.saturating_sub(self.inactive_file?))
    }
}

fn sum(first: Option<u64>, second: Option<u64>) -> Option<u64> {
    Some(first?.saturating_add(second?))
}

/// v1 keeps two sets of fields; `total_*` are the hierarchical ones.
fn parse_v1(text: &str) -> MemoryStat {
    let total = |key: &str| value_of(text, &format!("total_{key}"));
    MemoryStat {
        anon: total("rss"),
        shmem: total("shmem"),
        file: total("cache"),
        evictable_anon: sum(total("active_anon"), total("inactive_anon")),
        active_file: total("active_file"),
        inactive_file: total("inactive_file"),
        unevictable: total("unevictable"),
        kernel_unreclaimable: None,
        swap: total("swap"),
        // Before Linux 5.9 there was one counter for both kinds.
        refaults_file: total("workingset_refault_file").or_else(|| total("workingset_refault")),
        refaults_anon: total("workingset_refault_anon"),
        major_faults: total("pgmajfault"),
    }
}

fn parse_v2(text: &str) -> MemoryStat {
    let get = |key: &str| value_of(text, key);
    MemoryStat {
        anon: get("anon"),
        shmem: get("shmem"),
        file: get("file"),
        evictable_anon: sum(get("active_anon"), get("inactive_anon")),
        active_file: get("active_file"),
        inactive_file: get("inactive_file"),
        unevictable: get("unevictable"),
        kernel_unreclaimable: kernel_unreclaimable_v2(text),
        // In a file of its own (`memory.swap.current`) on v2.
        swap: None,
        refaults_file: get("workingset_refault_file").or_else(|| get("workingset_refault")),
        refaults_anon: get("workingset_refault_anon"),
        major_faults: get("pgmajfault"),
    }
}

/// `kernel` (since Linux 5.18) less the slab that can be freed, else the parts that cannot; and the socket
/// buffers, which `kernel` leaves out.
fn kernel_unreclaimable_v2(text: &str) -> Option<u64> {
    let get = |key: &str| value_of(text, key);
    let kernel = match get("kernel") {
        Some(kernel) => Some(kernel.saturating_sub(get("slab_reclaimable").unwrap_or(0))),
        None => ["slab_unreclaimable", "kernel_stack", "pagetables", "percpu"]
            .into_iter()
            .filter_map(get)
            .reduce(u64::saturating_add),
    };
    [kernel, get("sock")].into_iter().flatten().reduce(u64::saturating_add)
}
