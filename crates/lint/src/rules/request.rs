//! A request above its limit: the API server refuses the pod.

use crate::document::Node;
use crate::finding::{Findings, advice};
use crate::gitlab::runner::{Part, bytes};
use crate::project::Project;

pub fn check(project: &Project, findings: &mut Findings) {
    for workload in &project.workloads {
        for container in &workload.containers {
            let whose = format!("container {} of {}", container.name, workload.shown());
            judge(&whose, container.size("requests", "memory"), container.size("limits", "memory"), findings);
        }
    }
    for runner in &project.runners {
        for part in Part::ALL {
            let whose = format!("runner {}", runner.name);
            judge(&whose, runner.setting(&part.key(false)), runner.setting(&part.key(true)), findings);
        }
    }
    for job in &project.jobs {
        for (part, variables) in
            Part::ALL.into_iter().flat_map(|part| job.variants.iter().map(move |all| (part, all)))
        {
            let value = |is_limit| {
                let name = part.variable(is_limit);
                variables.iter().find(|variable| variable.name == name).map(|variable| &variable.value)
            };
            judge(&format!("job {}", job.name), value(false), value(true), findings);
        }
    }
}

fn judge(whose: &str, request: Option<&Node>, limit: Option<&Node>, findings: &mut Findings) {
    let (Some(request), Some(limit)) = (request, limit) else { return };
    if let (Some(requested), Some(limited)) = (bytes(request), bytes(limit))
        && requested > limited
    {
        let (request_text, limit_text) =
            (request.text().unwrap_or_default(), limit.text().unwrap_or_default());
        let message = format!(
            "{whose} requests {request_text} and may use {limit_text}: the API server refuses a request above its limit"
        );
        findings.push(
            request.span,
            message,
            advice(format!("request {limit_text} or less, or raise the limit")),
        );
    }
}
