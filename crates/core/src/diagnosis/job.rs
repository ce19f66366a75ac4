//! Of a job that Plimsoll remembers.

use super::{Death, Diagnosis};
use crate::attempt::Attempt;
use crate::outcome::{Cause, Outcome};
use crate::profile::Profile;
use crate::recommend::{Grounds, Policy, recommend};
use crate::size::human;

/// What happened in its last run; none where it has not run yet.
pub fn of_job(profile: &Profile) -> Option<Diagnosis> {
    let run = profile.runs.last()?;
    let attempt =
        run.attempts.iter().rev().find(|it| it.outcome == Outcome::OutOfMemory).or(run.attempts.last())?;
    let name = format!("job {} of {}", profile.job, profile.project);
    let evidence = evidence(attempt);
    if attempt.outcome != Outcome::OutOfMemory {
        let what = match attempt.outcome {
            Outcome::Succeeded => "came through".to_string(),
            _ => format!(
                "ended with exit code {}, not by memory",
                attempt.exit_code.map_or("none".to_string(), |it| it.to_string())
            ),
        };
        return Some(Diagnosis {
            what: format!("{name}: {what}"),
            why: "memory was not short in its last run".to_string(),
            evidence,
            advice: "nothing for memory's sake".to_string(),
            next: format!("plimsoll jobs show '{}'", profile.job),
        });
    }
    let death = death(attempt.cause);
    let rescued = if run.outcome == Outcome::Succeeded {
        "died of memory, and came through at the next attempt"
    } else {
        "died of memory"
    };
    let grounds = Grounds { runs: &profile.runs, limit_now_bytes: attempt.budget_bytes, need_bytes: None };
    let size = recommend(grounds, &Policy::default()).ok();
    let advice = size.map_or(death.advice().to_string(), |size| {
        format!(
            "{}: request {}, limit {}",
            death.advice(),
            human(size.request_bytes),
            human(size.limit_bytes)
        )
    });
    Some(Diagnosis {
        what: format!("{name}: {rescued}"),
        why: death.why().to_string(),
        evidence,
        advice,
        next: format!("plimsoll jobs show '{}'", profile.job),
    })
}

fn death(cause: Option<Cause>) -> Death {
    match cause {
        Some(Cause::HeapLimit) => Death::Heap,
        Some(Cause::HeapLimitAndKernelKill) => Death::HeapAtLimit,
        Some(Cause::GcThrash | Cause::Livelock) => Death::Stalled,
        Some(Cause::AllocationRefused) => Death::Refused,
        Some(Cause::KernelKill | Cause::LimitReached) | None => Death::Kill,
    }
}

fn evidence(attempt: &Attempt) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(kills) = attempt.kernel_kills.filter(|kills| *kills > 0) {
        all.push(format!("{kills} processes killed by the kernel in its cgroup"));
    }
    if attempt.heap_errors > 0 {
        all.push(format!("{} heap errors printed", attempt.heap_errors));
    }
    if let (Some(peak), Some(budget)) = (attempt.census.peak_bytes, attempt.budget_bytes) {
        all.push(format!("peak {} of {}", human(peak), human(budget)));
    }
    if let Some(heap) = attempt.setting.heap_bytes {
        all.push(format!(
            "heap {}, {} jobs, mode {}",
            human(heap),
            attempt.setting.jobs,
            attempt.setting.mode.name()
        ));
    }
    all
}
