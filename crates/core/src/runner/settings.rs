//! What a runner's `[runners.kubernetes]` has to say for its jobs to get what they ask for.
//!
//! The runner's own limit is for jobs that ask for nothing, most of which nobody has measured: it is raised to what the largest
//! measured job takes, and never lowered. What jobs may ask for is only ever raised, as a job that asks for more fails before it starts
//! (`evaluateMaxResourceOverwrite` in GitLab Runner 19.4).

use super::JobSize;
use crate::size::{GIB, MIB, human};

/// Bounds of a helper that nobody has measured. GitLab's documentation says 250 MiB and more where there are caches or
/// artifacts (<https://docs.gitlab.com/runner/executors/kubernetes/>).
const HELPER_REQUEST_BYTES: u64 = 256 * MIB;
const HELPER_LIMIT_BYTES: u64 = 512 * MIB;

/// A key under `[runners.kubernetes]` that is set here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// What a build container reserves whose job asks for nothing.
    MemoryRequest,
    /// What bounds it.
    MemoryLimit,
    /// The most that a job may reserve.
    MemoryRequestMax,
    /// The highest bound that a job may ask for.
    MemoryLimitMax,
    /// What a helper reserves.
    HelperMemoryRequest,
    /// What bounds it.
    HelperMemoryLimit,
}

impl Key {
    /// In the order in which they are written.
    pub const ALL: [Key; 6] = [
        Key::MemoryRequest,
        Key::MemoryLimit,
        Key::MemoryRequestMax,
        Key::MemoryLimitMax,
        Key::HelperMemoryRequest,
        Key::HelperMemoryLimit,
    ];

    /// As `config.toml` has it.
    pub fn name(self) -> &'static str {
        match self {
            Key::MemoryRequest => "memory_request",
            Key::MemoryLimit => "memory_limit",
            Key::MemoryRequestMax => "memory_request_overwrite_max_allowed",
            Key::MemoryLimitMax => "memory_limit_overwrite_max_allowed",
            Key::HelperMemoryRequest => "helper_memory_request",
            Key::HelperMemoryLimit => "helper_memory_limit",
        }
    }
}

/// What a runner says now, in bytes; `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// `memory_request`.
    pub request_bytes: Option<u64>,
    /// `memory_limit`.
    pub limit_bytes: Option<u64>,
    /// `memory_request_overwrite_max_allowed`.
    pub request_max_bytes: Option<u64>,
    /// `memory_limit_overwrite_max_allowed`.
    pub limit_max_bytes: Option<u64>,
    /// `helper_memory_request`.
    pub helper_request_bytes: Option<u64>,
    /// `helper_memory_limit`.
    pub helper_limit_bytes: Option<u64>,
    /// The pod is bounded as a whole, and its helper with it.
    pub bounds_pod: bool,
    /// It is a new runner: what it does not say nobody relies on.
    pub is_new: bool,
    /// The highest limit that jobs of the pipeline ask for already.
    pub asked_limit_bytes: Option<u64>,
    /// The highest request that they ask for.
    pub asked_request_bytes: Option<u64>,
}

/// A key and what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub key: Key,
    /// In bytes.
    pub bytes: u64,
    /// Why, in a sentence.
    pub reason: String,
}

/// What has to change, in the order of [`Key`]; nothing where no job has a size.
pub fn settings(jobs: &[JobSize], now: &Now) -> Vec<Setting> {
    let sized = || jobs.iter().filter_map(|job| Some((job, job.size.as_ref().ok()?)));
    let by_limit = sized().max_by_key(|(job, size)| (size.limit_bytes, std::cmp::Reverse(&job.job)));
    let by_request = sized().max_by_key(|(job, size)| (size.request_bytes, std::cmp::Reverse(&job.job)));
    let (Some((largest, limited)), Some((reserving, requested))) = (by_limit, by_request) else {
        return Vec::new();
    };
    let (limit_bytes, request_bytes) = (limited.limit_bytes, requested.request_bytes);
    let count = sized().count();
    let of_all = if count == 1 { String::new() } else { format!(", the most of {count} measured jobs") };
    let mut all = Vec::new();
    let mut push = |key, bytes, reason: String| all.push(Setting { key, bytes, reason });

    if now.is_new && now.request_bytes.is_none() {
        push(Key::MemoryRequest, request_bytes, format!("{} reserves that{of_all}", reserving.job));
    }
    // Where there is no limit, jobs that nobody has measured may rely on that.
    if now.limit_bytes.is_some_and(|now| now < limit_bytes) || (now.is_new && now.limit_bytes.is_none()) {
        let reason = format!("{} takes {} at its peak{of_all}", largest.job, human(limited.peak_bytes));
        push(Key::MemoryLimit, limit_bytes, reason);
    }
    for (key, now, needed, asked, whose) in [
        (
            Key::MemoryRequestMax,
            now.request_max_bytes,
            request_bytes,
            now.asked_request_bytes,
            &reserving.job,
        ),
        (Key::MemoryLimitMax, now.limit_max_bytes, limit_bytes, now.asked_limit_bytes, &largest.job),
    ] {
        let most = needed.max(asked.unwrap_or(0));
        if now.is_none_or(|now| now < most) {
            let whose = if most == needed { whose.as_str() } else { "the pipeline" };
            let reason = format!("{whose} asks for {}; without it what jobs ask for is ignored", human(most));
            push(key, most.next_multiple_of(GIB), reason);
        }
    }
    let is_bounded = now.limit_bytes.is_some() || now.is_new;
    if is_bounded && !now.bounds_pod && now.helper_limit_bytes.is_none() {
        let least = now.helper_request_bytes.unwrap_or(0);
        if now.helper_request_bytes.is_none() {
            let reason = "not measured: where there is none it is the limit".to_string();
            push(Key::HelperMemoryRequest, HELPER_REQUEST_BYTES, reason);
        }
        let reason =
            "not measured: 250 MiB and more with caches and artifacts; without it a quota refuses the pod";
        push(Key::HelperMemoryLimit, HELPER_LIMIT_BYTES.max(least), reason.to_string());
    }
    all
}
