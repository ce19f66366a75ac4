//! The report as one self-contained page: inline CSS, no script, nothing from elsewhere, light and dark.

use super::pieces::{self, NOTHING};
use crate::render::html::{STYLE, document, escape};
use plimsoll_core::report::{Finding, Report, Section, Severity};
use std::fmt::Write;

const OWN_STYLE: &str = "body{max-width:66rem}td.n{text-align:right;white-space:nowrap}td.s{white-space:nowrap}\
.warning{color:#a66300}@media(prefers-color-scheme:dark){.warning{color:#f0b35e}}.why{color:var(--soft);font-size:.9em}\
pre{background:var(--line);padding:.5rem .8rem;white-space:pre-wrap}";

pub(super) fn page(report: &Report) -> String {
    let mut body = head(report);
    for (title, section) in pieces::sections(report) {
        body += &of_section(title, section, report);
    }
    document("Memory", &format!("{STYLE}\n{OWN_STYLE}"), &(body + &money(report)))
}

fn head(report: &Report) -> String {
    let mut html = format!(
        "<h1>Memory</h1>\n<p>{}</p>\n<p><strong>{}</strong></p>\n<table>\n",
        escape(&pieces::period(report)),
        escape(&pieces::counts(&report.counts))
    );
    for source in &report.sources {
        let class = if source.asked { "" } else { " class=\"soft\"" };
        let _ = write!(html, "<tr><th>{}</th><td{class}>{}", source.name, escape(&pieces::source(source)));
        for remark in &source.remarks {
            let _ = write!(html, "<div class=\"why\">{}</div>", escape(remark));
        }
        html += "</td></tr>\n";
    }
    html + "</table>\n"
}

fn of_section(title: &str, section: &Section, report: &Report) -> String {
    let mut html = format!("<h2>{title}</h2>\n");
    if section.findings.is_empty() {
        let _ = writeln!(html, "<p>{NOTHING}</p>");
    } else {
        html += "<table>\n";
        section.findings.iter().for_each(|finding| html += &of_finding(finding, report));
        html += "</table>\n";
    }
    for line in pieces::more(section).iter().chain(&section.unknown) {
        let _ = writeln!(html, "<p class=\"soft\">{}</p>", escape(line));
    }
    let next: Vec<String> = pieces::next(section).into_iter().map(escape).collect();
    if !next.is_empty() {
        let _ = writeln!(html, "<pre>{}</pre>", next.join("\n"));
    }
    html
}

fn of_finding(finding: &Finding, report: &Report) -> String {
    let class = match finding.severity {
        Severity::Critical => "bad",
        Severity::Warning => "warning",
        Severity::Info => "soft",
    };
    format!(
        "<tr><td class=\"s {class}\">{}</td><td><code>{}</code></td><td>{}<div class=\"why\">{}</div></td>\
         <td class=\"n\">{}</td></tr>\n",
        finding.severity.name(),
        escape(&finding.subject),
        escape(&finding.what),
        escape(&finding.evidence),
        escape(&pieces::price(finding, report).unwrap_or_default())
    )
}

fn money(report: &Report) -> String {
    let mut html = String::from("<h2>What it costs</h2>\n");
    let Some(part) = &report.money else {
        return html + &format!("<p class=\"soft\">{}</p>\n", escape(&pieces::no_money(report)));
    };
    html += "<table>\n";
    for (name, words) in pieces::money(part) {
        let _ = writeln!(html, "<tr><th>{name}</th><td>{}</td></tr>", escape(&words));
    }
    html + "</table>\n"
}
