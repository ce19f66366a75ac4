//! Each rule has a page, and the page is right: what it calls wrong is found, what it calls right is not.

use plimsoll_lint::check;
use plimsoll_lint::finding::Severity;
use plimsoll_lint::fix::mended;
use plimsoll_lint::project::NoFiles;
use plimsoll_lint::rules::RULES;
use plimsoll_lint::source::Source;

/// The files of a section: a name in backquotes on a line of its own, and the fence behind it.
fn files(page: &str, section: &str) -> Vec<Source> {
    let start = page.find(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}"));
    let text = &page[start + 4..];
    let text = &text[..text.find("\n## ").unwrap_or(text.len())];
    let mut files = Vec::new();
    let (mut name, mut open): (Option<&str>, Option<String>) = (None, None);
    for line in text.lines() {
        match &mut open {
            Some(_) if line.starts_with("```") => {
                let name = name.take().expect("a name before each fence").to_string();
                files.push(Source { name, text: open.take().unwrap_or_default() });
            }
            Some(text) => *text += &format!("{line}\n"),
            None if line.starts_with("```") => open = Some(String::new()),
            None => name = line.strip_prefix('`').and_then(|line| line.strip_suffix('`')).or(name),
        }
    }
    files
}

#[test]
fn each_page_is_right() {
    for rule in RULES {
        assert!(rule.page.starts_with(&format!("# {}\n", rule.id)), "{}: no page of its own", rule.id);
        for section in ["Why", "How to fix", "When to allow"] {
            assert!(rule.page.contains(&format!("\n## {section}\n")), "{}: no {section}", rule.id);
        }
        let wrong = check(files(rule.page, "Wrong"), &NoFiles);
        let found: Vec<_> = wrong.findings.iter().filter(|finding| finding.rule == rule.id).collect();
        assert!(!found.is_empty(), "{}: not found in what is wrong: {:#?}", rule.id, wrong.findings);
        let right = check(files(rule.page, "Right"), &NoFiles);
        let left: Vec<_> = right
            .findings
            .iter()
            .filter(|finding| finding.rule == rule.id || finding.severity > Severity::Info)
            .collect();
        assert!(left.is_empty(), "{}: found in what is right: {left:#?}", rule.id);
    }
}

#[test]
fn what_is_said_to_be_mended_is() {
    for rule in RULES.iter().filter(|rule| rule.is_fixable) {
        let given = files(rule.page, "Wrong");
        let changed = mended(given.clone(), &NoFiles, &|_| true);
        assert!(!changed.is_empty(), "{}: nothing to mend", rule.id);
        let of = |source: Source| {
            changed.iter().find(|other| other.name == source.name).cloned().unwrap_or(source)
        };
        let all: Vec<Source> = given.into_iter().map(of).collect();
        assert!(mended(all.clone(), &NoFiles, &|_| true).is_empty(), "{}: mended twice", rule.id);
        let again = check(all, &NoFiles);
        let left: Vec<_> = again.findings.iter().filter(|finding| finding.rule == rule.id).collect();
        assert!(left.is_empty(), "{}: {left:#?}", rule.id);
    }
}

#[test]
fn rules_are_in_order_and_named_once() {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    let pages =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/check")).expect("a folder");
    let mut pages: Vec<String> = pages
        .map(|page| page.expect("a page").file_name().to_string_lossy().trim_end_matches(".md").to_string())
        .collect();
    pages.sort_unstable();
    assert_eq!(names, pages);
}
