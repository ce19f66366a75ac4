//! A heap at or above the limit: the kernel kills before the runtime collects.

use crate::document::text::Text;
use crate::finding::{Findings, Severity, advice};
use crate::project::Project;
use crate::runs::jvm::{self, Heap};
use crate::runs::{Run, node};
use crate::source::Span;
use plimsoll_core::program::Runtime;
use plimsoll_core::size::{MIB, human};
use plimsoll_core::solver::process_bytes;

pub fn check(project: &Project, findings: &mut Findings) {
    for run in &project.runs {
        let limit_bytes = run.limit.as_ref().map(|limit| limit.bytes);
        for setting in run.effective(&["NODE_OPTIONS"], Runtime::Node) {
            node_heap(run, &setting.value, limit_bytes, findings);
        }
        for setting in run.effective(&jvm::OPTIONS, Runtime::Jvm) {
            jvm_heap(run, &setting.value, findings);
        }
        for step in run.steps.iter().filter(|step| !step.command.is_conditional) {
            for word in step.command.words.iter().skip(1) {
                match step.shape.runtime {
                    Some(Runtime::Node) => node_heap(run, word, limit_bytes, findings),
                    Some(Runtime::Jvm) => jvm_heap(run, word, findings),
                    _ => {}
                }
            }
        }
    }
}

fn node_heap(run: &Run, text: &Text, limit_bytes: Option<u64>, findings: &mut Findings) {
    if let Some((bytes, range)) = node::heap(text, limit_bytes) {
        judge(run, Runtime::Node, bytes, text.span(range), findings);
    }
}

fn jvm_heap(run: &Run, text: &Text, findings: &mut Findings) {
    let Some((heap, range)) = jvm::heap(text) else { return };
    match (&run.limit, &heap) {
        (Some(limit), _) => judge(run, Runtime::Jvm, heap.bytes(limit.bytes), text.span(range), findings),
        (None, Heap::Percent(percent)) if *percent >= 100.0 => {
            let message = "the heap may take all of the limit, and a JVM needs more than its heap";
            findings.push(text.span(range), message, advice("-XX:MaxRAMPercentage=75"));
        }
        _ => {}
    }
}

fn judge(run: &Run, runtime: Runtime, bytes: u64, span: Span, findings: &mut Findings) {
    let Some(limit) = &run.limit else { return };
    let (what, shown) = (&run.what, &limit.shown);
    let heap = human(bytes);
    let fits = limit.heap_bytes(runtime) / MIB;
    let fix = match runtime {
        Runtime::Node => advice(format!(
            "--max-old-space-size={fits} for one process alone, less where it has workers, or raise the limit"
        )),
        _ => advice(format!("-Xmx{fits}m or -XX:MaxRAMPercentage=75, or raise the limit")),
    };
    if bytes >= limit.bytes {
        let message = format!(
            "{what}: a heap of {heap} in a limit of {shown}: the kernel kills before the heap is full, with 137"
        );
        findings.push(span, message, fix);
    } else if process_bytes(runtime, bytes) > limit.bytes {
        let left = human(limit.bytes - bytes);
        let message =
            format!("{what}: a heap of {heap} leaves {left} of {shown} for all that is outside of it");
        findings.push_as(Severity::Warning, span, message, fix);
    }
}
