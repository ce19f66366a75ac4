//! Autoscalers that go by memory, judged by core's law of where they come to rest.

use crate::document::text::Text;
use crate::finding::{Findings, Severity, advice};
use crate::kubernetes::autoscaler::Autoscaler;
use crate::kubernetes::{Container, Workload};
use crate::project::Project;
use crate::runs::jvm;
use plimsoll_core::inventory::autoscaler::{Amount, Rest};
use plimsoll_core::size::{human, parse_size};

/// A comment by which people say what a container uses without load.
const BASE: &str = "plimsoll: base ";

pub fn below_base(project: &Project, findings: &mut Findings) {
    for (autoscaler, workload) in pairs(project) {
        let counted = counted(autoscaler, workload);
        let base: u64 = counted.iter().filter_map(|container| base(project, workload, container)).sum();
        let Some(ratio) =
            amount(autoscaler).and_then(|amount| amount.ratio(base, requests(&counted).unwrap_or(0)))
        else {
            continue;
        };
        if base == 0 {
            continue;
        }
        let (of, whose) = (&autoscaler.of, workload.shown());
        let (severity, comes_to) = match of.rest(ratio) {
            Rest::AtMost => (
                Severity::Error,
                format!("it goes to {} pods and stays there, whatever the load", of.max_replicas),
            ),
            Rest::WhereItIs => (Severity::Warning, "it never takes a pod away".to_string()),
            Rest::At(pods) if pods > of.min_replicas => {
                (Severity::Info, format!("without load it keeps {pods} pods, not {}", of.min_replicas))
            }
            Rest::At(_) => continue,
        };
        let percent = (ratio * 100.0).round();
        let message = format!(
            "{} of {whose}: a pod uses {} without load, {percent} % of the target: {comes_to}",
            of.name,
            human(base)
        );
        let fix = match of.least_target_bytes(base) {
            Some(least) => format!(
                "a target of {} or more, or scale by what load changes: requests, a queue",
                human(least)
            ),
            None => "scale by what load changes: requests, a queue".to_string(),
        };
        findings.push_as(severity, autoscaler.span, message, advice(fix));
    }
}

pub fn without_effect(project: &Project, findings: &mut Findings) {
    for (autoscaler, workload) in pairs(project) {
        let counted = counted(autoscaler, workload);
        let (of, whose) = (&autoscaler.of, workload.shown());
        let Some(amount) = amount(autoscaler).filter(|_| !counted.is_empty()) else { continue };
        let Some(request) = requests(&counted) else {
            if matches!(amount, Amount::Percent(_)) {
                let message = format!(
                    "{} of {whose}: the target is a share of a request, and a container has none: the autoscaler does nothing by it",
                    of.name
                );
                findings.push(
                    autoscaler.span,
                    message,
                    advice("give every container a request, or the target as averageValue"),
                );
            }
            continue;
        };
        let limits: Option<Vec<u64>> = counted.iter().map(|container| container.bytes("limits")).collect();
        let Some(limit) = limits.map(|limits| limits.iter().sum::<u64>()) else { continue };
        let target = amount.bytes(request);
        // It wants more only above the target and its tolerance.
        if target as f64 * (1.0 + of.tolerance_up) >= limit as f64 {
            let message = format!(
                "{} of {whose}: pods die at their limit of {} before they use more than the target of {} and its tolerance of 10 %",
                of.name,
                human(limit),
                human(target)
            );
            let fix = format!("a target of {} or less, three quarters of the limit", human(limit / 4 * 3));
            findings.push_as(Severity::Warning, autoscaler.span, message, advice(fix));
        }
    }
}

fn pairs(project: &Project) -> impl Iterator<Item = (&Autoscaler, &Workload)> {
    project.autoscalers.iter().filter_map(|autoscaler| {
        let (kind, name) = &autoscaler.target;
        let of = |workload: &&Workload| workload.kind == *kind && workload.name == *name;
        Some((autoscaler, project.workloads.iter().find(of)?))
    })
}

fn amount(autoscaler: &Autoscaler) -> Option<Amount> {
    autoscaler.of.targets.first().map(|target| target.amount)
}

fn counted<'a>(autoscaler: &Autoscaler, workload: &'a Workload) -> Vec<&'a Container> {
    let counts = |container: &&Container| {
        !container.is_init && autoscaler.of.targets.iter().any(|target| target.counts(&container.name))
    };
    workload.containers.iter().filter(counts).collect()
}

/// Requests in all; one that is not given is the limit. `None` where a container has neither.
fn requests(counted: &[&Container]) -> Option<u64> {
    counted.iter().map(|container| container.bytes("requests").or_else(|| container.bytes("limits"))).sum()
}

/// What a container uses without load, in bytes: what a comment says, or the heap that a JVM begins with.
fn base(project: &Project, workload: &Workload, container: &Container) -> Option<u64> {
    let raw = project.raw(container.node.span);
    let said = raw.lines().find_map(|line| line.split_once('#')?.1.split_once(BASE));
    if let Some((_, size)) = said {
        return parse_size(size.split_whitespace().next()?).ok();
    }
    let what = format!("container {} of {}", container.name, workload.shown());
    let run = project.runs.iter().find(|run| run.what == what)?;
    let settings = run.settings.iter().filter(|setting| jvm::OPTIONS.contains(&setting.name.as_str()));
    let words = run.steps.iter().flat_map(|step| &step.command.words);
    settings
        .map(|setting| &setting.value)
        .chain(words)
        .filter_map(|text: &Text| jvm::first_heap(text.as_str()))
        .max()
}
