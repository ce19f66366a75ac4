//! Builds: whether they come through, how long they take, what they hold, and what Plimsoll spared them.

use crate::dashboards::model::{Colour, Dashboard, Look, Panel, Row, Unit, Variable};
use crate::dashboards::scope::{JOB, PROJECT, Scope};
use crate::names;

const NO_BUILDS: &str = "the store of plimsoll serve remembers no build";
const NONE_RUNS: &str = "no build of a CI runs where an agent watches";

/// The board.
pub fn board(scope: &Scope) -> Dashboard {
    let mut variables = scope.variables("plimsoll_build_attempts");
    variables.push(scope.namespaces(names::NONRECLAIMABLE));
    let runs = scope.asked("plimsoll_build_attempts");
    variables.push(Variable::label("project", "Project", runs.clone(), PROJECT));
    variables.push(Variable::label("ci_job", "CI job", runs, JOB));
    Dashboard {
        uid: "plimsoll-builds",
        title: "Builds",
        description: "Whether builds come through, how long they take, what they hold, and what Plimsoll spared them. Of each job the last runs are remembered, twenty at most: numbers are of those, whatever the time that is shown.",
        range: "7d",
        variables,
        marks: Vec::new(),
        rows: vec![
            Row::new("At a glance", glance(scope)),
            Row::new("Outcomes and time", outcomes(scope)),
            Row::new("Memory", memory(scope)),
            Row::new("Builds that run now", running(scope)),
        ],
    }
}

fn glance(scope: &Scope) -> Vec<Panel> {
    let sum = |metric: &str| format!("sum({})", scope.build(metric, "", ""));
    let runs = scope.build("plimsoll_build_runs", "outcome", "");
    let succeeded = scope.build("plimsoll_build_runs", "outcome", "outcome=\"succeeded\"");
    vec![
        Panel::dial("Success rate")
            .says("Runs that succeeded, of all that are remembered.", NO_BUILDS)
            .begins(Colour::Bad, &[(0.8, Colour::Act), (0.9, Colour::Look), (0.97, Colour::Good)])
            .asks("succeeded", format!("(sum({succeeded}) or 0 * sum({runs})) / sum({runs})")),
        Panel::number("Runs", Unit::Count).says("All that are remembered.", NO_BUILDS).asks("runs", format!("sum({runs})")),
        Panel::number("Kills that cost no build", Unit::Count)
            .says("Runs that succeeded after an attempt had died of memory: without another attempt, in a lower mode, each would have failed.", NO_BUILDS)
            .begins(Colour::Good, &[])
            .asks("rescued", sum("plimsoll_build_rescued_runs")),
        Panel::number("Kills avoided by waiting", Unit::Count)
            .says("Times a branch of a build was made to wait, because going on would have passed the limit.", NO_BUILDS)
            .begins(Colour::Good, &[])
            .asks("waits", sum("plimsoll_build_freezes")),
        Panel::number("Kills by the kernel", Unit::Count)
            .says("Processes of builds that were killed for want of memory all the same.", NO_BUILDS)
            .turns(&[(1.0, Colour::Bad)])
            .asks("kills", sum("plimsoll_build_kernel_kills")),
        Panel::number("Attempts a run", Unit::Count)
            .says("1 is best: each more is time lost to an attempt that died.", NO_BUILDS)
            .digits(2)
            .turns(&[(1.1, Colour::Look), (1.5, Colour::Act)])
            .asks("attempts", format!("{} / sum({runs})", sum("plimsoll_build_attempts"))),
    ]
}

fn outcomes(scope: &Scope) -> Vec<Panel> {
    let by = |metric: &str, label: &str| format!("sum by ({label}) ({})", scope.build(metric, label, ""));
    vec![
        Panel::lines("How runs ended", Unit::Count, Look::Stacked)
            .says("Remembered runs by outcome.", NO_BUILDS)
            .asks("{{outcome}}", by("plimsoll_build_runs", "outcome")),
        Panel::lines("How long the last run took", Unit::Seconds, Look::Lines)
            .says("Wall time of all its attempts.", NO_BUILDS)
            .asks(job_shown(), by_job(scope, "plimsoll_build_last_duration_seconds")),
        Panel::lines("Modes", Unit::Count, Look::Stacked)
            .says("Jobs by the mode their last run ended in: optimized from 6 GiB, safe from 4, critical from 2, minimal below.", NO_BUILDS)
            .asks("{{mode}}", by("plimsoll_build_mode", "mode")),
        Panel::lines("Kills, waits and rescues", Unit::Count, Look::Lines)
            .says("Of the runs that are remembered.", NO_BUILDS)
            .asks("killed by the kernel", format!("sum({})", scope.build("plimsoll_build_kernel_kills", "", "")))
            .asks("made to wait", format!("sum({})", scope.build("plimsoll_build_freezes", "", "")))
            .asks("rescued runs", format!("sum({})", scope.build("plimsoll_build_rescued_runs", "", ""))),
    ]
}

/// How a job is named in a legend.
fn job_shown() -> String {
    format!("{{{{{PROJECT}}}}} {{{{{JOB}}}}}")
}

fn by_job(scope: &Scope, metric: &str) -> String {
    format!("max by ({PROJECT}, {JOB}) ({})", scope.build(metric, "", ""))
}

fn memory(scope: &Scope) -> Vec<Panel> {
    let on = format!("{PROJECT}, {JOB}");
    let (peak, budget) =
        (by_job(scope, "plimsoll_build_peak_bytes"), by_job(scope, "plimsoll_build_budget_bytes"));
    vec![
        Panel::lines("Peak of the budget", Unit::Share, Look::Lines)
            .says("What the last run held at most and could not be reclaimed, of what it had.", NO_BUILDS)
            .turns(&Scope::tiers(&scope.settings.builds))
            .asks(job_shown(), format!("{peak} / on ({on}) ({budget} > 0)")),
        Panel::lines("Peaks", Unit::Bytes, Look::Lines)
            .says("What the last run of each job held at most and could not be reclaimed.", NO_BUILDS)
            .asks(job_shown(), peak.clone()),
        Panel::table("Jobs", &[(PROJECT, "Project"), (JOB, "Job")])
            .says("Each job's last run, and what it should be limited to.", NO_BUILDS)
            .column("Took", Unit::Seconds, by_job(scope, "plimsoll_build_last_duration_seconds"))
            .column("Peak", Unit::Bytes, peak)
            .column("Had", Unit::Bytes, budget)
            .column("Recommended limit", Unit::Bytes, by_job(scope, "plimsoll_build_recommended_limit_bytes"))
            .column("Attempts", Unit::Count, by_job(scope, "plimsoll_build_attempts"))
            .column("Rescued runs", Unit::Count, by_job(scope, "plimsoll_build_rescued_runs"))
            .column("Kernel kills", Unit::Count, by_job(scope, "plimsoll_build_kernel_kills")),
    ]
}

fn running(scope: &Scope) -> Vec<Panel> {
    let all = &scope.keys.all;
    let owner = scope.named_where(names::OWNER, "ci_job!=\"\"");
    // Labels of a build are those of its container's owner.
    let of_build = |expr: &str| {
        format!(
            "max by (ci_project, ci_job) (\n  ({expr})\n  * on ({all}) group_left (ci_project, ci_job) {owner}\n)"
        )
    };
    let usage = scope.gauge("plimsoll_container_memory_usage_bytes");
    let nonreclaimable = scope.gauge("plimsoll_container_memory_nonreclaimable_bytes");
    let shown = "{{ci_project}} {{ci_job}}";
    vec![
        Panel::lines("Memory of running builds", Unit::Bytes, Look::Lines)
            .says("What cannot be reclaimed of the containers of builds, and their limits.", NONE_RUNS)
            .asks(shown, of_build(&scope.named(names::NONRECLAIMABLE)))
            .asks(format!("limit of {shown}"), of_build(&scope.named(names::LIMIT))),
        Panel::lines("Cleanup efficiency", Unit::Share, Look::Lines)
            .says("What a reclaim would free of all that a build's container is charged for: page cache, mostly. Where it is low, only less work or a lower mode helps.", NONE_RUNS)
            .asks(shown, of_build(&format!("({usage} - on ({all}) {nonreclaimable}) / on ({all}) {usage}"))),
    ]
}
