//! Node's own heap: half of the limit, and never more than 2 GiB below 16 GiB. A job that was given more does not use it.

use crate::finding::{Findings, Severity, advice};
use crate::project::Project;
use crate::runs::{Limit, Step, node};
use plimsoll_core::program::Runtime;
use plimsoll_core::size::{GIB, MIB, human};

/// Tools that keep a whole program in their heap; others seldom need more than they have.
const HUNGRY: [&str; 17] = [
    "astro",
    "docusaurus",
    "gatsby",
    "next",
    "ng",
    "nuxt",
    "parcel",
    "remix",
    "rollup",
    "rspack",
    "storybook",
    "svelte-check",
    "tsc",
    "typedoc",
    "vite",
    "vue-tsc",
    "webpack",
];
/// Below this the default of two processes is about what fits.
const WITH_WORKERS_FROM_BYTES: u64 = 6 * GIB;
/// Below this half of it is all that a tool needs, or more than half does not help.
const ALONE_FROM_BYTES: u64 = GIB;

pub fn check(project: &Project, findings: &mut Findings) {
    for run in &project.runs {
        let Some(limit) = &run.limit else { continue };
        let concerned = |step: &&Step| concern(step, limit).is_some() && !names_heap(step);
        if let Some(step) = run.steps.iter().find(concerned)
            && let (Some(severity), Some(span)) = (concern(step, limit), step.span())
        {
            let heap = human(node::default_heap_bytes(limit.bytes));
            let tool = step.shape.tool.unwrap_or("node");
            let message = format!(
                "{}: {tool} has Node's own heap, about {heap} of {}, and dies with 134 when that is full",
                run.what, limit.shown
            );
            let alone = limit.heap_bytes(Runtime::Node) / MIB;
            let fix = match step.shape.is_lone() {
                true => {
                    format!("NODE_OPTIONS=--max-old-space-size={alone}, or `plimsoll run`, which finds it")
                }
                false => format!(
                    "--max-old-space-size on the command line of the main process, so that its workers do not have it too ({} MiB leaves them half), or `plimsoll run`",
                    alone / 2
                ),
            };
            findings.push_as(severity, span, message, advice(fix));
        }
    }
}

fn concern(step: &Step, limit: &Limit) -> Option<Severity> {
    let is_hungry = step.shape.tool.is_some_and(|tool| HUNGRY.contains(&tool));
    if step.shape.runtime != Some(Runtime::Node) || limit.bytes >= 64 * GIB {
        return None;
    }
    match step.shape.is_lone() {
        true if is_hungry && limit.bytes >= ALONE_FROM_BYTES => Some(Severity::Warning),
        false if is_hungry && limit.bytes >= WITH_WORKERS_FROM_BYTES => Some(Severity::Warning),
        // A program of one's own may need more or not.
        false if step.shape.tool == Some("node") && is_script(step) && limit.bytes >= 2 * GIB => {
            Some(Severity::Info)
        }
        _ => None,
    }
}

/// `node server.js`, not `node --version`.
fn is_script(step: &Step) -> bool {
    step.argv
        .iter()
        .skip(1)
        .any(|word| [".js", ".mjs", ".cjs", ".ts"].iter().any(|ending| word.ends_with(ending)))
}

/// Also where it is in a variable that is not known.
fn names_heap(step: &Step) -> bool {
    let options = step.value("NODE_OPTIONS").map(|text| text.as_str().to_string()).unwrap_or_default();
    let is_open = options.contains('$');
    is_open || node::names_heap(&options) || step.argv.iter().any(|word| node::names_heap(word))
}
