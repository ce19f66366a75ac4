//! Classes of service that are not what they look like, and containers without limits.

use crate::document::Node;
use crate::finding::{Findings, Severity, advice};
use crate::gitlab::runner::Runner;
use crate::kubernetes::{Container, Workload};
use crate::project::Project;
use plimsoll_core::inventory::qos::{Class, class};
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{self, Sizes};

pub fn surprise(project: &Project, findings: &mut Findings) {
    for workload in &project.workloads {
        let all: Vec<inventory::Container> = workload.containers.iter().map(of).collect();
        let whole = class(all.iter().map(|container| (container, &container.sizes)));
        let alone = |container: &inventory::Container| class([(container, &container.sizes)].into_iter());
        if whole == Class::Burstable
            && let Some(looks) = all.iter().find(|container| alone(container) == Class::Guaranteed)
            && let Some(at) = all.iter().position(|container| alone(container) != Class::Guaranteed)
        {
            spoiled(workload, &looks.name, &workload.containers[at], findings);
        }
    }
    project.runners.iter().for_each(|runner| of_runner(runner, findings));
}

fn spoiled(workload: &Workload, looks: &str, by: &Container, findings: &mut Findings) {
    let place = by.node.get("resources").or(by.node.get("name")).unwrap_or(&by.node).span;
    let message = format!(
        "{} is Burstable, not Guaranteed as container {looks} looks: {} has no CPU and memory limits that equal its requests",
        workload.shown(),
        by.name
    );
    let fix = format!("give {} limits for CPU and memory, and requests that are the same or none", by.name);
    findings.push(place, message, advice(fix));
}

/// What core knows a container by.
fn of(container: &Container) -> inventory::Container {
    let text = |which: &str, of: &str| container.size(which, of).and_then(Node::text).map(String::from);
    let memory = |which: &str| text(which, "memory").and_then(|text| Quantity::try_from(text).ok());
    // Kubernetes sets a request that is missing to the limit.
    let sizes = Sizes { request: memory("requests").or(memory("limits")), limit: memory("limits") };
    let cpu = |which: &str| text(which, "cpu").map(|text| cores(&text));
    inventory::Container {
        name: container.name.clone(),
        sizes,
        cpu: (cpu("requests"), cpu("limits")),
        restarts_on_resize: false,
        fixed_bounds: Vec::new(),
    }
}

/// `1` and `1000m` are the same.
fn cores(text: &str) -> String {
    let thousandths = match text.strip_suffix('m') {
        Some(number) => number.parse::<f64>().ok(),
        None => text.parse::<f64>().ok().map(|cores| cores * 1000.0),
    };
    thousandths.map_or(text.to_string(), |number| number.to_string())
}

/// A build container that looks Guaranteed, in a pod whose helper is not.
fn of_runner(runner: &Runner, findings: &mut Findings) {
    let is_guaranteed = |prefix: &str| {
        ["memory", "cpu"].iter().all(|what| {
            let value = |which| runner.setting(&format!("{prefix}{what}_{which}")).and_then(Node::text);
            value("limit").is_some() && value("limit") == value("request")
        })
    };
    if let Some(limit) =
        runner.setting("memory_limit").filter(|_| is_guaranteed("") && !is_guaranteed("helper_"))
    {
        let message = format!(
            "jobs of runner {} are Burstable, not Guaranteed: their helper container has no limits that equal its requests",
            runner.name
        );
        let fix = "helper_memory_limit = helper_memory_request, helper_cpu_limit = helper_cpu_request, and the same for services";
        findings.push_as(Severity::Warning, limit.span, message, advice(fix));
    }
}

pub fn without_limit(project: &Project, findings: &mut Findings) {
    if project.gives_limits {
        return;
    }
    for workload in &project.workloads {
        for container in workload.containers.iter().filter(|container| !container.is_init) {
            if container.size("limits", "memory").is_none() {
                let place =
                    container.node.get("resources").or(container.node.get("name")).unwrap_or(&container.node);
                let message = format!(
                    "container {} of {} may use all that the node has: what dies then is not always what has used it",
                    container.name,
                    workload.shown()
                );
                findings.push(place.span, message, advice("a memory limit; `plimsoll rightsize` says which"));
            }
        }
    }
}
