//! Memory that jobs ask for by variables: the runner ignores it, or fails the job, where its configuration says so.

use crate::document::Node;
use crate::finding::{Findings, Severity, advice};
use crate::gitlab::job::{Job, Variable};
use crate::gitlab::runner::{Agreed, Part, agreed, bytes};
use crate::project::Project;

pub fn ignored(project: &Project, findings: &mut Findings) {
    each(project, |job, part, is_limit, variable, max| {
        if !matches!(max, Agreed::Absent) {
            return;
        }
        let (name, key) = (&variable.name, part.max_key(is_limit));
        let message = format!(
            "the runner ignores {name} of job {}, and says so nowhere: its config.toml has no {key}",
            job.name
        );
        let fix = advice(format!("{key} = \"...\" in [runners.kubernetes], or leave the variable out"));
        let severity = if is_limit { Severity::Error } else { Severity::Warning };
        findings.push_as(severity, variable.value.span, message, fix);
    });
}

pub fn refused(project: &Project, findings: &mut Findings) {
    each(project, |job, part, is_limit, variable, max| {
        let Agreed::Same(max) = max else { return };
        if let (Some(asked), Some(most)) = (bytes(&variable.value), bytes(max))
            && asked > most
        {
            let message = format!(
                "job {} fails before it starts: {} is {}, and the runner's {} is {}",
                job.name,
                variable.name,
                variable.value.text().unwrap_or_default(),
                part.max_key(is_limit),
                max.text().unwrap_or_default()
            );
            let fix =
                advice(format!("{} at most, or raise it in config.toml", max.text().unwrap_or_default()));
            findings.push(variable.value.span, message, fix);
        }
    });
}

/// Every variable of a job that asks for memory, and what the runners say of it.
fn each<'a>(project: &'a Project, mut of: impl FnMut(&Job, Part, bool, &Variable, Agreed<'a>)) {
    let kinds = || Part::ALL.into_iter().flat_map(|part| [(part, true), (part, false)]);
    for job in &project.jobs {
        for (part, is_limit) in kinds() {
            let name = part.variable(is_limit);
            let all = job.variants.iter().flatten().filter(|variable| variable.name == name);
            for variable in all.filter(|variable| is_known(&variable.value)) {
                of(job, part, is_limit, variable, agreed(&project.runners, &part.max_key(is_limit)));
            }
        }
    }
}

fn is_known(value: &Node) -> bool {
    value.text().is_some_and(|text| !text.is_empty())
}
