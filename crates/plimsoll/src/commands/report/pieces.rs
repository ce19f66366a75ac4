//! What all forms are made of: the sections in their order, and lines of words.

use plimsoll_core::capacity::booking::price::Money;
use plimsoll_core::report::{Counts, Finding, MoneyPart, Report, Section, SourcePart};
use plimsoll_core::rightsize::reason;
use plimsoll_core::size::human;

/// Commands of a section that are shown.
const NEXT_SHOWN: usize = 5;

/// A section and what it is called.
pub(super) fn sections(report: &Report) -> [(&'static str, &Section); 4] {
    [
        ("What grew", &report.grew),
        ("What was wasted", &report.wasted),
        ("What was killed", &report.killed),
        ("What to change", &report.change),
    ]
}

/// `2 critical, 1 warning, 5 info`, or that there is nothing.
pub(super) fn counts(of: &Counts) -> String {
    let parts = [(of.critical, "critical"), (of.warning, "warning"), (of.info, "info")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    if parts.is_empty() { "nothing found".to_string() } else { parts.join(", ") }
}

/// `2026-11-16T00:00:00Z to 2026-11-23T00:00:00Z, beside the 7 days before`.
pub(super) fn period(report: &Report) -> String {
    let length = reason::span(report.period.seconds * 1000);
    let length = if report.period.seconds == 86_400 { "day".to_string() } else { length };
    format!("{} to {}, beside the {length} before", report.period.since, report.period.until)
}

/// `http://localhost:9090`, or `not asked; --source URL`.
pub(super) fn source(of: &SourcePart) -> String {
    if of.asked { of.from.clone() } else { format!("not asked; {}", of.from) }
}

/// What a section without findings says; that something was not asked is said besides.
pub(super) const NOTHING: &str = "nothing, by what was asked";

/// `and 5 more; --top 15 shows them`.
pub(super) fn more(section: &Section) -> Option<String> {
    let all = section.findings.len() + section.more;
    (section.more > 0).then(|| format!("and {} more; --top {all} shows them", section.more))
}

/// The next commands, each once, in the order of the findings.
pub(super) fn next(section: &Section) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for finding in &section.findings {
        if !all.contains(&finding.next.as_str()) {
            all.push(&finding.next);
        }
    }
    all.truncate(NEXT_SHOWN);
    all
}

/// `12.34 a month`, where the finding has a price.
pub(super) fn price(finding: &Finding, report: &Report) -> Option<String> {
    let part = report.money.as_ref()?;
    Some(format!("{} a month", amount(finding.per_month?, part)))
}

/// `12.34 USD`.
fn amount(of: Money, part: &MoneyPart) -> String {
    format!("{} {}", of.rounded(2), part.currency).trim_end().to_string()
}

/// What it costs, in lines of a name and words.
pub(super) fn money(part: &MoneyPart) -> Vec<(&'static str, String)> {
    let of = |money: Money| amount(money, part);
    let mut lines =
        vec![("requested", format!("{}: {} a month", human(part.requested_bytes), of(part.per_month)))];
    lines.push((
        "since before",
        match (part.mean_per_month, part.before_per_month, part.saved_per_month) {
            (Some(mean), Some(before), Some(saved)) if saved >= Money::ZERO => {
                format!(
                    "{} less: {} a month on average, {} in the period before",
                    of(saved),
                    of(mean),
                    of(before)
                )
            }
            (Some(mean), Some(before), Some(saved)) => {
                let more = Money::ZERO.less(saved);
                format!(
                    "{} more: {} a month on average, {} in the period before",
                    of(more),
                    of(mean),
                    of(before)
                )
            }
            _ => "not known: no requests were read of one of the periods".to_string(),
        },
    ));
    lines.push(("possible", format!("{} a month less, once nodes go with it", of(part.possible_per_month))));
    if part.needed_per_month > Money::ZERO {
        lines.push((
            "needed",
            format!("{} a month more for what requests too little", of(part.needed_per_month)),
        ));
    }
    lines.push((
        "price",
        format!("{} {} for a GiB and hour: {}", part.gib_hour, part.currency, part.price_source),
    ));
    lines
}

/// Where no cluster was asked.
pub(super) fn no_money(report: &Report) -> String {
    let cluster = report.sources.iter().find(|one| one.name == "cluster");
    cluster.map_or_else(String::new, |cluster| format!("cluster: {}", source(cluster)))
}

/// What is shown on one line: control characters are blanks.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
