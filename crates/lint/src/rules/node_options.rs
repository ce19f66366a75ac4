//! `NODE_OPTIONS` with flags that Node refuses there: it exits with 9 before it has done anything.

use crate::document::text::Text;
use crate::finding::{Edit, Findings, Fix, Severity, advice};
use crate::project::Project;
use crate::runs::node::{Flag, Verdict, flags};
use crate::source::Span;

pub fn check(project: &Project, findings: &mut Findings) {
    for run in &project.runs {
        for setting in run.settings.iter().filter(|setting| setting.name == "NODE_OPTIONS") {
            one(project, &setting.value, run.node_major, findings);
        }
    }
}

fn one(project: &Project, value: &Text, major: Option<u32>, findings: &mut Findings) {
    let all = flags(value);
    for flag in &all {
        let span = value.span(flag.range.clone());
        let name = &flag.name;
        match flag.verdict(major) {
            Verdict::Taken => {}
            Verdict::Refused => {
                let whose = major.map_or(String::new(), |major| format!(" {major}"));
                let message =
                    format!("Node{whose} does not allow {name} in NODE_OPTIONS: it exits with 9 at once");
                findings.push(span, message, without(project, value, &all, flag));
            }
            Verdict::NoNumber => {
                let message = format!("{name} needs a whole number behind `=`: Node exits with 9 at once");
                findings.push(
                    span,
                    message,
                    advice("write the number of MiB, such as --max-old-space-size=4096"),
                );
            }
            Verdict::RefusedIn(majors) => {
                let list: Vec<String> = majors.iter().map(u32::to_string).collect();
                let message = format!(
                    "Node {} does not allow {name} in NODE_OPTIONS, and exits with 9",
                    list.join(", ")
                );
                findings.push_as(
                    Severity::Info,
                    span,
                    message,
                    advice("name the version in the image, such as node:24"),
                );
            }
            Verdict::Ignored => {
                let message = "Node ignores this: the quotes came with it, and it is no flag";
                findings.push_as(Severity::Warning, span, message, advice("leave the inner quotes out"));
            }
        }
    }
}

/// Without this flag, and the blanks before it, or after it where it is the first.
fn without(project: &Project, value: &Text, all: &[Flag], flag: &Flag) -> Fix {
    let text = format!("leave {} out; on node's own command line it would be allowed", flag.name);
    let at = all.iter().position(|other| other == flag).unwrap_or(0);
    let range = match (at.checked_sub(1).and_then(|before| all.get(before)), all.get(at + 1)) {
        (Some(before), _) => before.range.end..flag.range.end,
        (None, Some(next)) => flag.range.start..next.range.start,
        (None, None) => flag.range.clone(),
    };
    let span = value.span(range.clone());
    if project.raw(span) != &value.as_str()[range] {
        return advice(text);
    }
    let is_bare = |span: Span| {
        let source = &project.sources[span.file].text;
        let before = source[..span.start].chars().next_back();
        !before.is_some_and(|letter| matches!(letter, '"' | '\'')) && !source[..span.start].ends_with('=')
    };
    // Nothing at all would be null in YAML.
    let put = if all.len() == 1 && is_bare(span) { "\"\"" } else { "" };
    Fix { text, edits: vec![Edit { span, text: put.into() }] }
}
