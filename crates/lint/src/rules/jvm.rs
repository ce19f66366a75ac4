//! JVMs: a heap of a quarter of the limit where nobody says otherwise, and an end that looks like any failure.

use crate::document::text::Text;
use crate::finding::{Edit, Findings, Fix, advice};
use crate::project::Project;
use crate::runs::jvm::{self, EVERY_JVM};
use crate::runs::{Limit, Run, Step};
use plimsoll_core::program::Runtime;
use plimsoll_core::size::{MIB, human};

/// Below this a JVM takes half.
const QUARTER_FROM_BYTES: u64 = 512 * MIB;
/// Appended to options.
const EXIT: &str = "-XX:+ExitOnOutOfMemoryError";

pub fn default_heap(project: &Project, findings: &mut Findings) {
    for run in &project.runs {
        let Some(limit) = run.limit.as_ref().filter(|limit| limit.bytes >= QUARTER_FROM_BYTES) else {
            continue;
        };
        for step in run.steps.iter().filter(|step| !step.command.is_conditional) {
            if let Some(options) = options(project, step)
                && !jvm::names_heap(&options)
                && let Some(span) = step.span()
            {
                findings.push(span, quarter(run, step.program(), limit), share(limit));
            }
        }
        // The image starts a JVM: nothing else reads its options.
        let setting = run.settings.iter().find(|setting| setting.name == "JAVA_TOOL_OPTIONS");
        if let Some(setting) = setting.filter(|_| run.steps.is_empty())
            && !run.settings.iter().any(|setting| jvm::names_heap(setting.value.as_str()))
            && !setting.value.as_str().contains('$')
        {
            findings.push(setting.value.whole(), quarter(run, "the JVM", limit), share(limit));
        }
    }
}

fn quarter(run: &Run, program: &str, limit: &Limit) -> String {
    let heap = human(limit.bytes / 4);
    format!("{}: {program} has a heap of {heap}, a quarter of {}, as nothing sizes it", run.what, limit.shown)
}

fn share(limit: &Limit) -> Fix {
    let fits = limit.heap_bytes(Runtime::Jvm) / MIB;
    advice(format!("-XX:MaxRAMPercentage=75 in JAVA_TOOL_OPTIONS, or -Xmx{fits}m at most"))
}

/// The options of a program in a JVM; `None` where it is none, or has options we do not see.
fn options(project: &Project, step: &Step) -> Option<String> {
    if step.program() == "java" {
        return jvm::all_options(step).filter(|_| jvm::is_program(step));
    }
    let is_maven = matches!(step.program(), "mvn" | "mvnw");
    let in_file = project.sources.iter().filter(|source| source.name.ends_with("jvm.config"));
    let names = EVERY_JVM.iter().chain(&["MAVEN_OPTS"]);
    let of: Vec<String> =
        names.filter_map(|name| step.value(name)).map(|text| text.as_str().to_string()).collect();
    let all = of.into_iter().chain(in_file.map(|source| source.text.clone())).collect::<Vec<_>>().join(" ");
    is_maven.then_some(all)
}

pub fn full_heap_exit(project: &Project, findings: &mut Findings) {
    for run in &project.runs {
        let of_files = ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "jvm.config"];
        for setting in run.settings.iter().filter(|setting| of_files.contains(&setting.name.as_str())) {
            let text = setting.value.as_str();
            let elsewhere = run.settings.iter().any(|setting| jvm::names_exit(setting.value.as_str()));
            if !elsewhere && jvm::names_heap(text) && !text.contains('$') {
                findings.push(setting.value.whole(), message(&run.what), appended(project, &setting.value));
            }
        }
        for step in &run.steps {
            // What a variable says of the heap is found where that is set.
            let sizes = step.argv.iter().any(|word| jvm::names_heap(word));
            let options = jvm::all_options(step).filter(|options| sizes && !jvm::names_exit(options));
            if let (Some(_), Some(span)) = (options, step.span()) {
                let fix = Fix { text: format!("add {EXIT}"), edits: behind(project, step) };
                findings.push(span, message(&run.what), fix);
            }
        }
    }
}

fn message(what: &str) -> String {
    format!(
        "{what}: a JVM whose heap is full goes on, or exits with 1 like any failure; with a flag it exits with 3"
    )
}

/// Behind the options there are.
fn appended(project: &Project, value: &Text) -> Fix {
    let text = value.as_str();
    let last = text.trim_end();
    let word = last.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let span = value.span(word..last.len());
    let is_there = !last.is_empty() && project.raw(span) == &last[word..];
    // A file has an option on each line.
    let between = if last.contains('\n') { "\n" } else { " " };
    let edit =
        Edit { span: crate::source::Span { start: span.end, ..span }, text: format!("{between}{EXIT}") };
    Fix { text: format!("add {EXIT}"), edits: if is_there { vec![edit] } else { Vec::new() } }
}

/// Behind `java` on a command line.
fn behind(project: &Project, step: &Step) -> Vec<Edit> {
    let Some(span) = step.span().filter(|span| project.raw(*span) == step.argv[0]) else { return Vec::new() };
    let after = crate::source::Span { start: span.end, ..span };
    // In a list of words it would have to be a word of its own.
    let next = project.sources[span.file].text[span.end..].chars().next();
    let is_line = next.is_some_and(|letter| letter == ' ');
    if is_line { vec![Edit { span: after, text: format!(" {EXIT}") }] } else { Vec::new() }
}
