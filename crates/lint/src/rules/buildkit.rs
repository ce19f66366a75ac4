//! BuildKit runs every step whose input is there, unless it is told how many at once.

use crate::document::Node;
use crate::finding::{Findings, Severity, advice};
use crate::project::Project;
use crate::runs::Step;

const FIX: &str = "max-parallelism = 2 under [worker.oci]: one for each 2 GiB that the daemon has";

pub fn check(project: &Project, findings: &mut Findings) {
    for tree in &project.buildkits {
        let sections =
            ["oci", "containerd"].map(|name| tree.get("worker").and_then(|worker| worker.entry(name)));
        let is_off = |section: &Node| section.text_at(&["enabled"]) == Some("false");
        let on: Vec<&(Node, Node)> =
            sections.into_iter().flatten().filter(|(_, section)| !is_off(section)).collect();
        let place = on.first().map_or(tree.span, |(key, _)| key.span);
        if !on.iter().any(|(_, section)| section.get("max-parallelism").is_some()) {
            let message = "no max-parallelism: BuildKit runs as many steps at once as are ready, and limits the memory of none";
            findings.push(
                crate::source::Span { end: place.end.min(place.start + 1).max(place.start), ..place },
                message,
                advice(FIX),
            );
        }
    }
    for run in &project.runs {
        for step in run.steps.iter().filter(|step| step.program() == "buildctl-daemonless.sh") {
            if let (Some(span), false) = (step.span(), is_told(step)) {
                let severity = if run.limit.is_some() { Severity::Warning } else { Severity::Info };
                let message = format!(
                    "{}: BuildKit runs as many steps at once as are ready, in the memory of this container",
                    run.what
                );
                findings.push_as(
                    severity,
                    span,
                    message,
                    advice("BUILDKITD_FLAGS=--oci-worker-... --oci-max-parallelism=2"),
                );
            }
        }
    }
}

fn is_told(step: &Step) -> bool {
    let flags = step.value("BUILDKITD_FLAGS").map(|text| text.as_str().to_string()).unwrap_or_default();
    ["max-parallelism", "--config", "$"].iter().any(|part| flags.contains(part))
}
