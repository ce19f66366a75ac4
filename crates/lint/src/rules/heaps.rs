//! One heap times the processes that have it: a flag in the environment reaches every child.

use crate::document::text::Text;
use crate::finding::{Findings, advice};
use crate::project::Project;
use crate::runs::{Limit, Run, Step, jvm, node};
use crate::source::Span;
use plimsoll_core::program::{Runtime, workers_asked};
use plimsoll_core::size::human;
use plimsoll_core::solver::process_bytes;

pub fn check(project: &Project, findings: &mut Findings) {
    for run in &project.runs {
        let Some(limit) = &run.limit else { continue };
        for step in run.steps.iter().filter(|step| step.shape.workers && !step.command.is_conditional) {
            if let Some((runtime, bytes, span)) = heap(step, limit)
                && bytes < limit.bytes
            {
                judge(run, limit, step, (runtime, bytes, span), findings);
            }
        }
    }
}

/// The heap that each process of a step has.
fn heap(step: &Step, limit: &Limit) -> Option<(Runtime, u64, Span)> {
    match step.shape.runtime? {
        Runtime::Node => {
            let text = step.value("NODE_OPTIONS")?;
            let (bytes, range) = node::heap(text, Some(limit.bytes))?;
            Some((Runtime::Node, bytes, text.span(range)))
        }
        Runtime::Jvm => {
            let of = |text: &Text| {
                let (heap, range) = jvm::heap(text)?;
                Some((Runtime::Jvm, heap.bytes(limit.bytes), text.span(range)))
            };
            jvm::EVERY_JVM.iter().find_map(|name| of(step.value(name)?))
        }
        Runtime::Native => None,
    }
}

fn judge(run: &Run, limit: &Limit, step: &Step, heap: (Runtime, u64, Span), findings: &mut Findings) {
    let (runtime, bytes, span) = heap;
    let tool = step.shape.tool.unwrap_or("the command");
    let at = step.argv.iter().position(|word| word.rsplit('/').next() == step.shape.tool).unwrap_or(0);
    let asked = workers_asked(tool, &step.argv[at.min(step.argv.len())..]);
    // One worker is the least there is of a tool that has workers.
    let workers = asked.unwrap_or(1);
    let processes = u64::from(workers) + u64::from(!step.shape.light_main);
    let whole = process_bytes(runtime, bytes).saturating_mul(processes);
    if processes < 2 || whole <= limit.bytes {
        return;
    }
    let count = match asked {
        Some(workers) => format!("{workers} workers"),
        None => "a worker for each core".to_string(),
    };
    let message = format!(
        "{}: {tool} starts {count}, and each may have this heap of {}: {processes} come to {} in a limit of {}",
        run.what,
        human(bytes),
        human(whole),
        limit.shown
    );
    let share = limit.bytes / (processes + 1) / plimsoll_core::size::MIB;
    let fix = advice(format!(
        "no more than {share} MiB for each, fewer workers, or `plimsoll run`, which gives the main process and its workers heaps of their own"
    ));
    findings.push(span, message, fix);
}
