//! The report as one self-contained page: inline CSS, no script, light and dark.

use super::forms::{change, component, cost, pair, totals};
use super::report::{ContainerReport, RightsizeReport};
use crate::render::html::{STYLE, document, escape};
use std::fmt::Write;

const OWN_STYLE: &str = "body{max-width:76rem}td.n,th.n{text-align:right;white-space:nowrap}.bar{display:block;height:.5rem;min-width:10rem;\
background:var(--line);position:relative;margin:.5rem 0}.bar span{position:absolute;left:0;top:0;bottom:0;background:var(--sea)}\
.bar i{position:absolute;top:-.2rem;bottom:-.2rem;width:2px;background:var(--bad)}.why{color:var(--soft);font-size:.85em}";

pub(super) fn page(report: &RightsizeReport) -> String {
    document(
        "Sizes",
        &format!("{STYLE}\n{OWN_STYLE}"),
        &[head(report), sizes(report), skipped(report)].concat(),
    )
}

fn head(report: &RightsizeReport) -> String {
    let mut html = format!(
        "<h1>Sizes</h1>\n<p><code>{}</code>, as of {}</p>\n",
        escape(&report.source),
        escape(&report.as_of)
    );
    for line in totals(&report.totals) {
        let _ = writeln!(html, "<p>{}</p>", escape(&line));
    }
    for line in report.remarks.iter().cloned().chain(cost(report)) {
        let _ = writeln!(html, "<p class=\"soft\">{}</p>", escape(&line));
    }
    html
}

fn sizes(report: &RightsizeReport) -> String {
    let mut html = String::from(
        "<table><tr><th>component</th><th class=\"n\">pods</th><th class=\"n\">request / limit</th><th class=\"n\">recommended</th>\
         <th class=\"n\">request</th><th class=\"n\">limit</th><th>confidence</th></tr>\n",
    );
    for one in &report.containers {
        let _ = writeln!(
            html,
            "<tr><td>{}{}{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td class=\"n\">{}</td><td>{}</td></tr>",
            escape(&component(one)),
            bar(one),
            why(one),
            one.pods,
            pair(one.request_bytes, one.limit_bytes),
            pair(Some(one.recommended_request_bytes), Some(one.recommended_limit_bytes)),
            change(one.request_change_ratio),
            change(one.limit_change_ratio),
            one.confidence
        );
    }
    html + "</table>\n"
}

/// The highest use, and a mark where the new limit is, of whichever is largest.
fn bar(one: &ContainerReport) -> String {
    let (peak, limit) = (one.peak_bytes.unwrap_or(0), one.recommended_limit_bytes);
    let whole = peak.max(limit).max(one.limit_bytes.unwrap_or(0)).max(1) as f64;
    let percent = |bytes: u64| bytes as f64 / whole * 100.0;
    format!(
        "<span class=\"bar\" role=\"img\" aria-label=\"highest use, and the new limit\"><span style=\"width:{:.1}%\"></span>\
         <i style=\"left:calc({:.1}% - 2px)\"></i></span>",
        percent(peak),
        percent(limit)
    )
}

fn why(one: &ContainerReport) -> String {
    let mut html = String::new();
    for line in [&one.limit_reason, &one.request_reason] {
        let _ = write!(html, "<div class=\"why\">{}</div>", escape(line));
    }
    for warning in &one.warnings {
        let _ = write!(html, "<div class=\"bad\">{}</div>", escape(warning));
    }
    html
}

fn skipped(report: &RightsizeReport) -> String {
    if report.skipped.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<h2>Skipped: {}</h2>\n<table><tr><th>container</th><th>why</th></tr>\n",
        report.skipped.len()
    );
    for one in &report.skipped {
        let name = format!("{}/{}/{}", one.namespace, one.workload, one.container);
        let _ = writeln!(html, "<tr><td>{}</td><td>{}</td></tr>", escape(&name), escape(&one.reason));
    }
    html + "</table>\n"
}
