//! The report as Markdown: headings, lists and fences only, which GitLab, GitHub and chats show alike. Names and numbers are
//! code, so that nobody is mentioned by a name that begins with `@`, and no name becomes a link or markup.

use super::pieces::{self, NOTHING, plain};
use plimsoll_core::report::{Finding, Report, Section, Severity};
use std::fmt::Write;

pub(super) fn text(report: &Report) -> String {
    let mut text = format!(
        "## Memory\n\n{}\n\n{}\n\n",
        escaped(&pieces::period(report)),
        escaped(&pieces::counts(&report.counts))
    );
    for source in &report.sources {
        let _ = writeln!(text, "- {}: {}", source.name, said(&pieces::source(source), source.asked));
        for remark in &source.remarks {
            let _ = writeln!(text, "  - {}", escaped(remark));
        }
    }
    for (title, section) in pieces::sections(report) {
        text += &of_section(title, section, report);
    }
    text += "\n### What it costs\n\n";
    match &report.money {
        Some(money) => pieces::money(money).iter().for_each(|(name, words)| {
            let _ = writeln!(text, "- {name}: {}", escaped(words));
        }),
        None => text += &format!("{}\n", escaped(&pieces::no_money(report))),
    }
    text
}

/// A place is code, advice is words.
fn said(words: &str, is_place: bool) -> String {
    if is_place { code(words) } else { escaped(words) }
}

fn of_section(title: &str, section: &Section, report: &Report) -> String {
    let mut text = format!("\n### {title}\n\n");
    if section.findings.is_empty() {
        let _ = writeln!(text, "- {NOTHING}");
    }
    section.findings.iter().for_each(|finding| text += &of_finding(finding, report));
    for line in pieces::more(section).iter().chain(&section.unknown) {
        let _ = writeln!(text, "- {}", escaped(line));
    }
    let next = pieces::next(section).into_iter().map(plain).collect::<Vec<_>>().join("\n");
    if !next.is_empty() {
        let fence = "`".repeat(longest_run(&next).max(2) + 1);
        let _ = write!(text, "\n{fence}sh\n{next}\n{fence}\n");
    }
    text
}

fn of_finding(finding: &Finding, report: &Report) -> String {
    let severity = match finding.severity {
        Severity::Info => finding.severity.name().to_string(),
        severity => format!("**{}**", severity.name()),
    };
    let price =
        pieces::price(finding, report).map_or(String::new(), |price| format!(", {}", escaped(&price)));
    let (subject, what) = (code(&finding.subject), escaped(&finding.what));
    let evidence = if finding.evidence.is_empty() {
        String::new()
    } else {
        format!("  - {}\n", escaped(&finding.evidence))
    };
    format!("- {severity} {subject}: {what}{price}\n{evidence}")
}

/// A code span, whatever is in it: its fence is longer than any run of backticks inside.
fn code(text: &str) -> String {
    let text = plain(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// Words in which nothing is markup. A zero-width joiner after an `@` keeps it from mentioning anybody.
fn escaped(text: &str) -> String {
    plain(text).chars().fold(String::with_capacity(text.len()), |mut escaped, letter| {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' => {
                escaped.extend(['\\', letter])
            }
            '@' => escaped.push_str("@\u{200d}"),
            _ => escaped.push(letter),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        let check = |text: &str, as_code: &str, as_words: &str| {
            assert_eq!((code(text).as_str(), escaped(text).as_str()), (as_code, as_words));
        };
        check("shop/web", "`shop/web`", "shop/web");
        check("a_b*c", "`a_b*c`", r"a\_b\*c");
        check("a`b", "``a`b``", r"a\`b");
        check("`a``", "``` `a`` ```", r"\`a\`\`");
        check("[x](http://y)\n# z", "`[x](http://y) # z`", r"\[x\](http://y) \# z");
        check("<b>@all", "`<b>@all`", "\\<b\\>@\u{200d}all");
    }
}
