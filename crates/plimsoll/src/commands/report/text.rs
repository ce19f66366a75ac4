//! The report for a terminal: wrapped to its width, in colour where that is wanted.

use super::pieces::{self, NOTHING, plain};
use crate::render::summary::Style;
use plimsoll_core::report::{Finding, Report, Section, Severity};

/// Where words of a finding begin.
const INDENT: usize = 12;
/// Narrower terminals are wrapped as if they were so wide.
const WIDTH_MIN: usize = 40;

pub(super) fn text(report: &Report, style: Style) -> String {
    let mut page = Page { text: String::new(), style };
    page.text += &format!("{}\n", page.bold(&format!("Memory, {}", pieces::period(report))));
    page.line(0, &pieces::counts(&report.counts));
    page.text.push('\n');
    for source in &report.sources {
        page.named(source.name, &pieces::source(source));
        source.remarks.iter().for_each(|remark| page.line(INDENT + 2, remark));
    }
    for (title, section) in pieces::sections(report) {
        page.section(title, section, report);
    }
    page.title("What it costs");
    match &report.money {
        Some(money) => pieces::money(money).iter().for_each(|(name, words)| page.named(name, words)),
        None => page.line(2, &pieces::no_money(report)),
    }
    page.text
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn section(&mut self, title: &str, section: &Section, report: &Report) {
        self.title(title);
        if section.findings.is_empty() {
            self.line(2, NOTHING);
        }
        section.findings.iter().for_each(|finding| self.finding(finding, report));
        pieces::more(section).iter().for_each(|more| self.line(2, more));
        section.unknown.iter().for_each(|unknown| self.line(2, unknown));
        for next in pieces::next(section) {
            // A command is to be copied: it stays on one line.
            self.text += &format!("  next: {}\n", plain(next));
        }
    }

    fn finding(&mut self, finding: &Finding, report: &Report) {
        let price = pieces::price(finding, report).map_or(String::new(), |price| format!(", {price}"));
        let first = format!("{}: {}{price}", finding.subject, finding.what);
        let name = finding.severity.name();
        let wrapped = self.wrapped(INDENT, &first);
        let gap = " ".repeat(INDENT - 2 - name.len());
        self.text += &format!("  {}{gap}{}", self.coloured(finding.severity, name), wrapped.trim_start());
        self.line(INDENT, &finding.evidence);
    }

    fn title(&mut self, title: &str) {
        self.text += &format!("\n{}\n", self.bold(title));
    }

    fn named(&mut self, name: &str, words: &str) {
        let wrapped = self.wrapped(INDENT + 2, words);
        self.text += &format!("{name:<width$}{}", wrapped.trim_start(), width = INDENT + 2);
    }

    fn line(&mut self, indent: usize, words: &str) {
        self.text += &self.wrapped(indent, words);
    }

    /// Words in lines that fit, each indented; a longer word stands by itself.
    fn wrapped(&self, indent: usize, words: &str) -> String {
        let width = self.style.width.max(WIDTH_MIN);
        let (mut text, mut column) = (String::new(), 0);
        for word in plain(words).split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count();
            if column == 0 {
                text += &" ".repeat(indent);
                column = indent;
            } else if column.saturating_add(1 + length) > width {
                text += &format!("\n{}", " ".repeat(indent));
                column = indent;
            } else {
                text.push(' ');
                column += 1;
            }
            text += word;
            column += length;
        }
        text + "\n"
    }

    fn bold(&self, words: &str) -> String {
        if self.style.color { format!("\u{1b}[1m{}\u{1b}[0m", plain(words)) } else { plain(words) }
    }

    fn coloured(&self, severity: Severity, words: &str) -> String {
        let code = match severity {
            Severity::Critical => "1;31",
            Severity::Warning => "1;33",
            Severity::Info => "1;36",
        };
        if self.style.color { format!("\u{1b}[{code}m{words}\u{1b}[0m") } else { words.to_string() }
    }
}
