//! What holds for whatever people hand in: no panic, places within their files, the same answer twice, fixes that end.

use plimsoll_lint::check;
use plimsoll_lint::fix::mended;
use plimsoll_lint::project::NoFiles;
use plimsoll_lint::rules::RULES;
use plimsoll_lint::source::Source;
use proptest::prelude::*;

const NAMES: [&str; 10] = [
    ".gitlab-ci.yml",
    "config.toml",
    "values.yaml",
    "web.yaml",
    "Dockerfile",
    "package.json",
    "jvm.config",
    "build.sh",
    "buildkitd.toml",
    "gradle.properties",
];

/// What makes texts strange.
const PIECES: [&str; 24] = [
    "\n",
    "  ",
    "- ",
    ": ",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "#",
    "&a ",
    "*a",
    "<<: ",
    "|\n",
    "!reference [build, script]",
    "$X",
    "${",
    "$(",
    "\\\n",
    "ä",
    "\u{feff}",
    "\r\n",
    "\t",
];

/// The examples of all pages, whole fences.
fn examples() -> Vec<String> {
    let fences = |page: &'static str| page.split("\n```").skip(1).step_by(2);
    let content = |fence: &str| fence.split_once('\n').map(|(_, text)| text.to_string());
    RULES.iter().flat_map(|rule| fences(rule.page).filter_map(content)).collect()
}

/// An example with pieces of it gone, doubled, or others put in.
fn bent() -> impl Strategy<Value = String> {
    let changes =
        prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, 0..PIECES.len(), 0..12_usize), 0..6);
    (prop::sample::select(examples()), changes).prop_map(|(mut text, changes)| {
        for (at, what, piece, len) in changes {
            let boundary = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = boundary(at.index(text.len() + 1));
            let end = boundary((start + len).min(text.len()));
            let put = match what {
                0 => PIECES[piece].to_string(),
                1 => String::new(),
                _ => text[start..end].repeat(2),
            };
            let end = if what == 0 { start } else { end };
            text.replace_range(start..end, &put);
        }
        text
    })
}

fn project() -> impl Strategy<Value = Vec<Source>> {
    let text = prop_oneof![8 => bent(), 1 => "[ -~\n]{0,80}", 1 => any::<String>()];
    let file = (prop::sample::select(NAMES.to_vec()), text)
        .prop_map(|(name, text)| Source { name: name.into(), text });
    prop::collection::vec(file, 1..4).prop_map(|mut files| {
        files.sort_by(|one, other| one.name.cmp(&other.name));
        files.dedup_by(|one, other| one.name == other.name);
        files
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn places_are_in_their_files(given in project()) {
        let report = check(given.clone(), &NoFiles);
        for finding in &report.findings {
            let text = &report.project.sources[finding.span.file].text;
            prop_assert!(text.get(finding.span.start..finding.span.end).is_some(), "{finding:?}");
            for edit in &finding.fix.edits {
                let text = &report.project.sources[edit.span.file].text;
                prop_assert!(text.get(edit.span.start..edit.span.end).is_some(), "{edit:?}");
            }
        }
        prop_assert_eq!(report.findings, check(given, &NoFiles).findings);
    }

    #[test]
    fn what_is_mended_stays_mended(given in project()) {
        let before = check(given.clone(), &NoFiles);
        let changed = mended(given.clone(), &NoFiles, &|_| true);
        let of = |source: Source| changed.iter().find(|other| other.name == source.name).cloned().unwrap_or(source);
        let all: Vec<Source> = given.into_iter().map(of).collect();
        prop_assert!(mended(all.clone(), &NoFiles, &|_| true).is_empty());
        let after = check(all, &NoFiles);
        let left = after.findings.iter().find(|finding| !finding.fix.edits.is_empty());
        prop_assert!(left.is_none(), "{left:?}");
        let syntax = |findings: &[plimsoll_lint::finding::Finding]| {
            findings.iter().filter(|finding| finding.rule == "syntax").count()
        };
        prop_assert!(syntax(&after.findings) <= syntax(&before.findings), "{changed:?}");
    }
}
