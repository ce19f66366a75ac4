//! Parts of the report, from what an attempt was and what is remembered.

use super::attempt::Ended;
use crate::render::report::{AttemptPart, RecommendPart};
use plimsoll_core::attempt::Attempt;
use plimsoll_core::budget::{Budget, Source};
use plimsoll_core::knobs::Knob;
use plimsoll_core::profile::Profile;
use plimsoll_core::recommend::{Grounds, Policy, recommend as decide};

/// An attempt as the report tells it.
pub fn attempt(
    attempt: &Attempt,
    ended: &Ended,
    reason: String,
    started_ms: u64,
    knobs: &[Knob],
) -> AttemptPart {
    AttemptPart {
        mode: attempt.setting.mode,
        reason,
        outcome: attempt.outcome,
        cause: attempt.cause,
        exit_code: attempt.exit_code,
        kernel_kills: attempt.kernel_kills,
        heap_errors: attempt.heap_errors,
        freezes: attempt.freezes,
        peak_bytes: attempt.census.peak_bytes,
        jobs: attempt.setting.jobs,
        heap_bytes: attempt.setting.heap_bytes,
        started_ms,
        wall_ms: attempt.wall_ms,
        cpu_ms: ended.cpu_ms,
        evidence: ended.evidence.sightings.iter().map(|sighting| sighting.line.clone()).collect(),
        knobs: knobs.iter().map(|knob| (knob.name.clone(), knob.value.clone())).collect(),
        cleanup: None,
        saved: None,
    }
}

/// The size this job needs, from its runs so far. A budget bound by the host alone is no limit of the job's.
pub fn recommend(profile: &Profile, budget: &Budget, need_bytes: Option<u64>) -> Option<RecommendPart> {
    let binding = budget.candidates.iter().find(|candidate| Some(&candidate.name) == budget.binding.as_ref());
    let limit_now_bytes = binding
        .filter(|candidate| candidate.source != Source::Host)
        .and_then(|candidate| candidate.limit_bytes);
    let grounds = Grounds { runs: &profile.runs, limit_now_bytes, need_bytes };
    let decided = decide(grounds, &Policy::default()).ok()?;
    Some(RecommendPart {
        request_bytes: decided.request_bytes,
        limit_bytes: decided.limit_bytes,
        reason: decided.reason,
    })
}
