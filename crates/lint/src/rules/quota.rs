//! Quotas count every container of a job's pod: the build, the helper, and each service.

use crate::document::Node;
use crate::finding::{Findings, Severity, advice};
use crate::gitlab::runner::{Part, Runner};
use crate::kubernetes::quota::{Bound, Bounded};
use crate::project::Project;
use plimsoll_core::size::human;

pub fn check(project: &Project, findings: &mut Findings) {
    let services = services(project);
    for runner in &project.runners {
        let Some(kubernetes) = runner.kubernetes() else { continue };
        for bound in &project.bounds {
            judge(project, runner, kubernetes, bound, services, findings);
        }
        alone(project, runner, findings);
    }
}

/// The most services that a job has.
fn services(project: &Project) -> u64 {
    let of = |node: &Node| node.get("services").map_or(0, |services| services.elements().len() as u64);
    project.jobs.iter().map(|job| of(&job.node)).max().unwrap_or(0)
}

/// The parts of a job's pod and how often each is there.
fn parts(services: u64) -> [(Part, u64); 3] {
    [(Part::Build, 1), (Part::Helper, 1), (Part::Service, services)]
}

/// What a part may come to: what the runner gives, or the most that jobs may ask for.
fn most(runner: &Runner, part: Part, is_limit: bool) -> Option<u64> {
    let given = runner.bytes(&part.key(is_limit));
    given.max(runner.bytes(&part.max_key(is_limit)))
}

fn judge(
    project: &Project,
    runner: &Runner,
    kubernetes: &Node,
    bound: &Bound,
    services: u64,
    findings: &mut Findings,
) {
    let is_limit = bound.of != Bounded::Requests;
    let there: Vec<(Part, u64)> = parts(services).into_iter().filter(|(_, count)| *count > 0).collect();
    let missing = there.iter().find(|(part, _)| most(runner, *part, is_limit).is_none());
    let key = |part: Part| part.key(is_limit);
    // A request that is not given is the limit.
    let stands_for_it = |part: Part| is_limit || most(runner, part, true).is_none();
    if let Some((part, _)) = missing
        && bound.of != Bounded::Pod
        && !project.gives_limits
        && stands_for_it(*part)
    {
        let place = runner.setting(&key(Part::Build)).unwrap_or(kubernetes).span;
        let message = format!(
            "{} counts every container, and runner {} gives its {} container no {}: the API server refuses the pod",
            bound.shown,
            runner.name,
            name(*part),
            key(*part)
        );
        findings.push(place, message, advice(format!("{} = \"512Mi\" in [runners.kubernetes]", key(*part))));
        return;
    }
    let sum: u64 = there
        .iter()
        .map(|(part, count)| most(runner, *part, is_limit).unwrap_or(0).saturating_mul(*count))
        .sum();
    if sum > bound.bytes {
        let listed: Vec<String> = there
            .iter()
            .filter_map(|(part, count)| {
                let each = human(most(runner, *part, is_limit)?);
                Some(if *count > 1 {
                    format!("{count} x {each} {}", name(*part))
                } else {
                    format!("{each} {}", name(*part))
                })
            })
            .collect();
        let message = format!(
            "a job's pod of runner {} may come to {} ({}), and {} allows {}: such a job never starts",
            runner.name,
            human(sum),
            listed.join(" + "),
            bound.shown,
            bound.text
        );
        findings.push(
            bound.span,
            message,
            advice(format!("allow {} or more, or give the containers less", human(sum))),
        );
    }
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Build => "build",
        Part::Helper => "helper",
        Part::Service => "service",
        Part::Pod => "pod",
    }
}

/// Without a quota here: what is bounded is only a part of the pod.
fn alone(project: &Project, runner: &Runner, findings: &mut Findings) {
    let Some(limit) = runner.setting(&Part::Build.key(true)) else { return };
    let whole = runner.setting(&Part::Pod.key(true)).is_some();
    if project.bounds.is_empty()
        && !project.gives_limits
        && !whole
        && most(runner, Part::Helper, true).is_none()
    {
        let message = format!(
            "runner {} bounds the build container alone: helper and services may use all of the node, and a quota of the namespace would refuse their pod",
            runner.name
        );
        let fix = advice("helper_memory_limit = \"512Mi\" and service_memory_limit beside it");
        findings.push_as(Severity::Info, limit.span, message, fix);
    }
}
