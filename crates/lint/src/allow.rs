//! `# plimsoll: allow RULE reason`: on a line, or on the lines of comments above it.

use crate::finding::{Finding, Severity, advice};
use crate::rules::rule;
use crate::source::{Source, Span};

const MARK: &str = "plimsoll: allow ";

/// The findings that nobody has allowed, and those about rules that there are not.
pub fn filtered(sources: &[Source], findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> =
        findings.into_iter().filter(|finding| !is_allowed(sources, finding)).collect();
    for (file, source) in sources.iter().enumerate() {
        let unknown = allowed(source).into_iter().filter(|(_, name)| rule(name).is_none());
        kept.extend(unknown.map(|(start, name)| Finding {
            rule: "allow-unknown",
            severity: Severity::Warning,
            span: Span { file, start, end: start + name.len() },
            message: format!("there is no rule {name}"),
            fix: advice("plimsoll check --list shows what there is"),
        }));
    }
    kept
}

/// Every rule that a comment names, and where.
fn allowed(source: &Source) -> Vec<(usize, &str)> {
    let named = |(at, _): (usize, &str)| {
        let line_start = source.text[..at].rfind('\n').map_or(0, |at| at + 1);
        let is_comment = source.text[line_start..at].contains(['#', '/']);
        let start = at + MARK.len();
        let name =
            source.text[start..].split(|letter: char| letter.is_whitespace() || letter == ':').next()?;
        (is_comment && !name.is_empty()).then_some((start, name))
    };
    source.text.match_indices(MARK).filter_map(named).collect()
}

fn is_allowed(sources: &[Source], finding: &Finding) -> bool {
    let Some(source) = sources.get(finding.span.file) else { return false };
    let start = source.boundary(finding.span.start);
    let names = |line: &str| {
        let words = line
            .split_once(MARK)
            .map(|(_, rest)| rest.split(|letter: char| letter.is_whitespace() || letter == ':'));
        words.is_some_and(|mut words| words.next() == Some(finding.rule))
    };
    if names(source.line_at(start)) {
        return true;
    }
    let line_start = source.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let above = source.text[..line_start].lines().rev();
    above.take_while(|line| line.trim_start().starts_with(['#', '/'])).any(names)
}

#[cfg(test)]
mod tests {
    use crate::check;
    use crate::project::NoFiles;
    use crate::source::Source;

    #[test]
    fn on_the_line_or_above() {
        let check = |name: &str, text: &str, expect: &[&str]| {
            let report = check(vec![Source { name: name.into(), text: text.into() }], &NoFiles);
            let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
            assert_eq!(rules, expect, "{text}");
        };
        let wrong = "ENV NODE_OPTIONS=--gc-interval=100\n";
        check("Dockerfile", wrong, &["node-options-refused"]);
        check("Dockerfile", &format!("# plimsoll: allow node-options-refused: old\n{wrong}"), &[]);
        check("Dockerfile", &format!("# plimsoll: allow node-options-refused\n# more\n{wrong}"), &[]);
        check(
            "Dockerfile",
            &format!("# plimsoll: allow node-options-refused\n\n{wrong}"),
            &["node-options-refused"],
        );
        check(
            "Dockerfile",
            &format!("# plimsoll: allow go-memory-limit\n{wrong}"),
            &["node-options-refused"],
        );
        check("buildkitd.toml", "[worker.oci] # plimsoll: allow buildkit-parallelism large\n", &[]);
        check("Dockerfile", "# plimsoll: allow no-rule\n", &["allow-unknown"]);
        check("Dockerfile", "RUN echo plimsoll: allow no-rule\n", &[]);
    }
}
