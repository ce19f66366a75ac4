//! The run as one self-contained page: inline CSS and SVG, no script, light and dark.

use super::report::RunReport;
use super::words;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::size::human;
use std::fmt::Write;

/// Size of the drawing; it scales with the page.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 260.0;

/// How our pages look.
pub const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2530;--soft:#68758a;--paper:#fff;--line:#dfe4ea;--sea:#2b7bba;--bad:#c8374a;--good:#23825a}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#93a1b5;--paper:#12181f;--line:#2b3541;--sea:#5aa9e6;--bad:#f0707f;--good:#5cc79a}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin-top:2rem}.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}
code,pre{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}svg{width:100%;height:auto;margin-top:1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:500}.band{fill:var(--line);opacity:.45}.area{fill:var(--sea);opacity:.18}
.curve{fill:none;stroke:var(--sea);stroke-width:2}.budget{stroke:var(--bad);stroke-dasharray:6 4}.mark{fill:var(--bad)}text{fill:var(--soft);font-size:13px}";

/// The page.
pub fn page(report: &RunReport) -> String {
    let body = [
        header(report),
        drawing(report),
        attempts(report),
        knobs(report),
        recommendation(report),
        notes(report),
    ];
    document(&report.job, STYLE, &body.concat())
}

/// A page with this title, style and content; the title may hold anything, the rest is taken as it is.
pub fn document(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{} - Plimsoll</title>\n<style>\n{style}\n</style></head><body>\n{body}</body></html>\n",
        escape(title)
    )
}

fn header(report: &RunReport) -> String {
    let class = if report.outcome == Outcome::Succeeded { "good" } else { "bad" };
    let amount = |bytes: Option<u64>| bytes.map_or("unknown".to_string(), human);
    let binding =
        report.budget.binding.as_deref().map(|name| format!(" ({})", escape(name))).unwrap_or_default();
    format!(
        "<h1>{} <span class=\"{class}\">{}</span></h1>\n<p><code>{}</code></p>\n\
         <p class=\"soft\">{}, {}; peak {} of {}{binding}. {}</p>\n",
        escape(&report.job),
        words::outcome(report.outcome),
        escape(&report.command.join(" ")),
        words::duration(report.wall_ms),
        words::count(report.attempts.len() as u64, "attempt", "attempts"),
        amount(words::peak_bytes(report)),
        amount(report.budget.bytes),
        escape(&report.reason),
    )
}

/// The curve under the budget's line, over a band for every second attempt; a mark where memory ended one.
fn drawing(report: &RunReport) -> String {
    let Some(highest) = report.curve.iter().map(|point| point.1).max() else { return String::new() };
    let top = highest.max(report.budget.bytes.unwrap_or(0)).max(1) as f64 * 1.08;
    let end_ms =
        report.curve.iter().map(|point| point.0).max().unwrap_or(0).max(report.wall_ms).max(1) as f64;
    let x = |ms: u64| ms as f64 / end_ms * WIDTH;
    let y = |bytes: u64| HEIGHT - bytes as f64 / top * HEIGHT;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"memory over time\">\n",
        HEIGHT + 22.0
    );
    for (index, attempt) in report.attempts.iter().enumerate() {
        let (left, ended) = (x(attempt.started_ms), attempt.started_ms + attempt.wall_ms);
        if index % 2 == 1 {
            let width = x(ended) - left;
            let _ = writeln!(
                svg,
                "<rect class=\"band\" x=\"{left:.1}\" y=\"0\" width=\"{width:.1}\" height=\"{HEIGHT}\"/>"
            );
        }
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"14\">{}</text>", left + 4.0, attempt.mode.name());
        if attempt.outcome == Outcome::OutOfMemory {
            let (at, cause) = (x(ended), attempt.cause.map_or("out of memory", words::cause));
            let _ = writeln!(
                svg,
                "<circle class=\"mark\" cx=\"{at:.1}\" cy=\"{HEIGHT}\" r=\"5\"><title>{cause}</title></circle>"
            );
        }
    }
    let points: String =
        report.curve.iter().map(|(ms, bytes)| format!("{:.1},{:.1} ", x(*ms), y(*bytes))).collect();
    let (first, last) =
        (report.curve.first().map_or(0, |point| point.0), report.curve.last().map_or(0, |point| point.0));
    let _ = writeln!(
        svg,
        "<polygon class=\"area\" points=\"{:.1},{HEIGHT} {points}{:.1},{HEIGHT}\"/>",
        x(first),
        x(last)
    );
    let _ = writeln!(svg, "<polyline class=\"curve\" points=\"{}\"/>", points.trim_end());
    if let Some(budget) = report.budget.bytes {
        let at = y(budget);
        let _ =
            writeln!(svg, "<line class=\"budget\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">budget {}</text>",
            at + 16.0,
            human(budget)
        );
    }
    let foot = HEIGHT + 18.0;
    let _ = writeln!(
        svg,
        "<text x=\"0\" y=\"{foot}\">0</text><text x=\"{WIDTH}\" y=\"{foot}\" text-anchor=\"end\">{}</text>",
        words::duration(end_ms as u64)
    );
    svg + "</svg>\n"
}

fn attempts(report: &RunReport) -> String {
    let rows: String = report
        .attempts
        .iter()
        .enumerate()
        .map(|(index, attempt)| {
            let mut seen: Vec<String> =
                attempt.cause.map(|cause| words::cause(cause).to_string()).into_iter().collect();
            seen.extend(words::events(attempt));
            seen.extend(attempt.evidence.iter().map(|line| format!("<code>{}</code>", escape(line))));
            format!(
                "<tr><td>{}</td><td>{}, {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                index + 1,
                attempt.mode.name(),
                words::setting(attempt),
                words::outcome(attempt.outcome),
                seen.join("<br>"),
                attempt.peak_bytes.map(human).unwrap_or_default(),
                words::duration(attempt.wall_ms),
            )
        })
        .collect();
    format!(
        "<h2>Attempts</h2>\n<table><tr><th></th><th>mode</th><th>outcome</th><th>seen</th><th>peak</th><th>time</th></tr>\n{rows}</table>\n"
    )
}

/// What the last attempt was given.
fn knobs(report: &RunReport) -> String {
    let Some(last) = report.attempts.last().filter(|last| !last.knobs.is_empty()) else {
        return String::new();
    };
    let row = |(name, value): (&String, &String)| {
        format!("<tr><td><code>{}</code></td><td><code>{}</code></td></tr>\n", escape(name), escape(value))
    };
    format!(
        "<h2>Set in the last attempt</h2>\n<table>{}</table>\n",
        last.knobs.iter().map(row).collect::<String>()
    )
}

fn recommendation(report: &RunReport) -> String {
    let Some(recommend) = &report.recommend else { return String::new() };
    let [request, limit] = words::gitlab(recommend);
    let reason = escape(&recommend.reason);
    format!(
        "<h2>What this job needs</h2>\n<pre>{}: {}\n{}: {}</pre>\n<p class=\"soft\">{reason}</p>\n",
        request.0, request.1, limit.0, limit.1
    )
}

fn notes(report: &RunReport) -> String {
    if report.notes.is_empty() {
        return String::new();
    }
    let items: String = report.notes.iter().map(|note| format!("<li>{}</li>\n", escape(note))).collect();
    format!("<h2>Notes</h2>\n<ul>{items}</ul>\n")
}

/// Text as it has to be written in HTML.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn shows_curve_attempts_and_recommendation() {
        let page = page(&sample::rescued());
        for part in [
            "class=\"curve\"",
            "budget 2.0 GiB",
            "killed by the kernel",
            "KUBERNETES_MEMORY_LIMIT: 2048Mi",
            "<code>NODE_OPTIONS</code>",
            "<code>Killed</code>",
            "no PSI here",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        assert_eq!(page.matches("class=\"mark\"").count(), 1);
        assert!(!page.contains("<script") && !page.contains("http"), "self-contained");
    }

    #[test]
    fn the_unknown_draws_nothing() {
        let page = page(&sample::unknown());
        assert!(!page.contains("<svg") && page.contains("peak unknown of unknown") && !page.contains("NaN"));
    }

    proptest! {
        /// Whatever a build prints, the page has the same tags.
        #[test]
        fn nothing_of_the_report_becomes_markup(text in "[<>&\"'a-z/! ]{0,20}") {
            let fill = |text: &str| {
                let mut report = sample::rescued();
                report.job = text.into();
                report.command = vec![text.into()];
                report.reason = text.into();
                report.notes = vec![text.into()];
                report.budget.binding = Some(text.into());
                report.attempts[1].evidence = vec![text.into()];
                report.attempts[1].knobs = BTreeMap::from([(text.into(), text.into())]);
                report.recommend.as_mut().unwrap().reason = text.into();
                let page = page(&report);
                (page.matches('<').count(), page.matches('>').count(), page.matches('"').count())
            };
            prop_assert_eq!(fill(&text), fill("x"));
        }
    }
}
