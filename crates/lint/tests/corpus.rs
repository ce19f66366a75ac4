//! A team's files before and after: what is found where.

use plimsoll_lint::check;
use plimsoll_lint::document::glob;
use plimsoll_lint::finding::Severity;
use plimsoll_lint::project::Files;
use plimsoll_lint::source::Source;
use std::path::{Path, PathBuf};

/// A folder of the corpus, asked for what pipelines include.
struct Folder(PathBuf);

impl Files for Folder {
    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(name)).ok()
    }

    fn names(&self, pattern: &str) -> Vec<String> {
        names(&self.0).into_iter().filter(|name| glob::matches(pattern, name)).collect()
    }
}

fn names(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => names.push(path.strip_prefix(root).expect("below").to_string_lossy().into_owned()),
            }
        }
    }
    names.sort();
    names
}

fn found(name: &str, only: Option<&str>) -> Vec<String> {
    let folder = Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name));
    let all = names(&folder.0).into_iter().filter(|name| only.is_none_or(|only| only == name));
    let read = |name: String| Source { text: folder.read(&name).expect("a text"), name };
    let report = check(all.map(read).collect(), &folder);
    let shown = |finding: &plimsoll_lint::finding::Finding| {
        let source = &report.project.sources[finding.span.file];
        let place = source.place(finding.span.start);
        format!(
            "{}:{}:{} {} {}",
            source.name,
            place.line,
            place.column,
            finding.severity.name(),
            finding.rule
        )
    };
    report.findings.iter().filter(|finding| finding.severity > Severity::Info).map(shown).collect()
}

#[test]
fn before_and_after() {
    let expect = [
        ".gitlab-ci.yml:8:18 error heap-above-limit",
        ".gitlab-ci.yml:8:44 error node-options-refused",
        ".gitlab-ci.yml:8:64 error node-options-refused",
        ".gitlab-ci.yml:14:5 warning retry-misses-oom",
        ".gitlab-ci.yml:40:19 warning jobs-by-nproc",
        ".gitlab-ci.yml:41:43 warning metrics-always-differ",
        ".gitlab-ci.yml:43:5 error retry-without-max",
        "Dockerfile:4:45 error node-options-refused",
        "ci/memory-ladder.sh:5:50 error node-options-refused",
        "ci/memory-ladder.sh:5:70 error node-options-refused",
        "ci/templates.yml:3:30 error limit-overwrite-ignored",
        "ci/templates.yml:4:32 warning limit-overwrite-ignored",
        "k8s/web.yaml:13:31 error heap-above-limit",
        "k8s/web.yaml:24:13 warning qos-surprise",
        "k8s/web.yaml:25:23 error memory-unit",
        "k8s/web.yaml:45:31 error hpa-target-below-base",
        "package.json:5:54 error node-options-refused",
        "runner/values.yaml:12:24 error quota-forgets-helper",
    ];
    assert_eq!(found("before", None), expect);
    assert_eq!(found("after", None), Vec::<String>::new());
}

/// Without the files beside it less is known, and less is said.
#[test]
fn alone_less_is_known() {
    let alone = found("before", Some(".gitlab-ci.yml"));
    assert!(alone.iter().any(|found| found.ends_with("node-options-refused")), "{alone:?}");
    assert!(!alone.iter().any(|found| found.contains("limit-overwrite")), "{alone:?}");
    assert_eq!(found("before", Some("runner/values.yaml")), Vec::<String>::new());
}
