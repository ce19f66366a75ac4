//! Runs of jobs, and of what runners set for all of them.

use super::limit;
use super::walk::Walk;
use super::{Run, node};
use crate::document::text::Text;
use crate::document::{Node, shell};
use crate::gitlab::job::{Job, Variable};
use crate::gitlab::runner::{Part, Runner};
use crate::source::Source;

/// The runs of a job, one for each set of variables.
pub fn of_job(sources: &[Source], job: &Job, runners: &[Runner], folder: &str) -> Vec<Run> {
    job.variants.iter().map(|variables| variant(sources, job, variables, runners, folder)).collect()
}

fn variant(sources: &[Source], job: &Job, variables: &[Variable], runners: &[Runner], folder: &str) -> Run {
    let mut walk = Walk::new(sources, format!("job {}", job.name), folder.to_string());
    for (name, value) in runners.iter().flat_map(|runner| environment(sources, runner)) {
        walk.set(&name, &value, true);
    }
    for variable in variables {
        if let Some(value) = variable.value.located(sources) {
            walk.set(&variable.name, &value, variable.is_inherited);
        }
    }
    let name = Part::Build.variable(true);
    let asked = variables.iter().find(|variable| variable.name == name).map(|variable| &variable.value);
    let text = walk.value(&name).map(|text| text.as_str().to_string());
    walk.run.limit = limit::of_job(asked.zip(text.as_deref()), runners);
    let image = job.node.get("image").and_then(|image| image.text().or_else(|| image.text_at(&["name"])));
    walk.run.node_major = image.and_then(node::major_of_image);
    for key in ["before_script", "script"] {
        for line in job.node.get(key).map(lines).unwrap_or_default() {
            if let Some(text) = line.located(sources) {
                walk.commands(shell::commands(&text));
            }
        }
    }
    walk.done()
}

/// The lines of a script; lists in it belong to it.
fn lines(node: &Node) -> Vec<&Node> {
    match node.elements() {
        [] => node.one_or_more(),
        elements => elements.iter().flat_map(lines).collect(),
    }
}

/// What a runner sets in all of its jobs.
pub fn of_runner(sources: &[Source], runner: &Runner) -> Run {
    let mut walk = Walk::new(sources, format!("runner {}", runner.name), String::new());
    walk.run.limit = limit::of_runners(std::slice::from_ref(runner));
    for (name, value) in environment(sources, runner) {
        walk.set(&name, &value, false);
    }
    walk.done()
}

fn environment(sources: &[Source], runner: &Runner) -> Vec<(String, Text)> {
    let all = runner.node.get("environment").map(Node::elements).unwrap_or_default();
    let one = |node: &Node| {
        let text = node.located(sources)?;
        let (name, _) = text.as_str().split_once('=')?;
        Some((name.to_string(), text.slice(name.len() + 1..text.as_str().len())))
    };
    all.iter().filter_map(one).collect()
}
