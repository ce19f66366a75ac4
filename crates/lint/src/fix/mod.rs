//! Fixes carried out: bytes of files replaced, and all else left as it is.

pub mod diff;
pub mod toml;
pub mod yaml;

use crate::finding::{Edit, Finding};
use crate::project::Files;
use crate::source::Source;

/// Rounds of fixes at most: edits that touch one another are made one after the other.
const ROUNDS_MAX: usize = 20;

/// The files that fixes change, and their texts afterwards; findings of rules that `is_wanted` leaves out are left alone.
pub fn mended(given: Vec<Source>, files: &dyn Files, is_wanted: &dyn Fn(&Finding) -> bool) -> Vec<Source> {
    let mut report = crate::check(given, files);
    let before = report.project.sources.clone();
    for _ in 0..ROUNDS_MAX {
        let findings: Vec<Finding> =
            report.findings.into_iter().filter(|finding| is_wanted(finding)).collect();
        let sources = report.project.sources;
        let texts = apply(&sources, &findings);
        let is_done = texts.iter().all(Option::is_none);
        let changed = sources
            .into_iter()
            .zip(texts)
            .map(|(source, text)| Source { text: text.unwrap_or(source.text), ..source });
        let changed: Vec<Source> = changed.collect();
        if is_done {
            return changed
                .into_iter()
                .zip(before)
                .filter(|(new, old)| new != old)
                .map(|(new, _)| new)
                .collect();
        }
        report = crate::check(changed, files);
    }
    Vec::new()
}

/// The texts after all edits that can be made together; one that touches another waits for the next round.
pub fn apply(sources: &[Source], findings: &[Finding]) -> Vec<Option<String>> {
    let edits: Vec<&Finding> = findings.iter().filter(|finding| !finding.fix.edits.is_empty()).collect();
    let mut chosen: Vec<&Edit> = Vec::new();
    for finding in edits {
        let fits = |edit: &Edit| is_valid(sources, edit) && !chosen.iter().any(|other| touches(edit, other));
        if finding.fix.edits.iter().all(fits) {
            chosen.extend(&finding.fix.edits);
        }
    }
    chosen.sort_by_key(|edit| std::cmp::Reverse((edit.span.file, edit.span.start)));
    let mut texts: Vec<Option<String>> = vec![None; sources.len()];
    for edit in chosen {
        let text = texts[edit.span.file].get_or_insert_with(|| sources[edit.span.file].text.clone());
        text.replace_range(edit.span.start..edit.span.end, &edit.text);
    }
    texts
}

fn is_valid(sources: &[Source], edit: &Edit) -> bool {
    let text = sources.get(edit.span.file).map(|source| &source.text);
    text.is_some_and(|text| text.get(edit.span.start..edit.span.end).is_some())
}

fn touches(one: &Edit, other: &Edit) -> bool {
    one.span.file == other.span.file && one.span.start <= other.span.end && other.span.start <= one.span.end
}
