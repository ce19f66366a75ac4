//! Reports: what grew, what was wasted, what was killed, what to change and what it costs, this period beside the one before.
//!
//! From what was [seen] to findings, each with a severity, evidence and the next command. A container that is in danger is
//! never told to save at the same time.

mod change;
mod grew;
mod killed;
mod money;
pub mod seen;
mod steady;
mod wasted;
mod words;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use money::MoneyPart;

use crate::capacity::booking::price::Money;
use jiff::Timestamp;
use schemars::JsonSchema;
use seen::{Period, Seen, Source};
use serde::Serialize;

/// Name and version of the form.
pub const SCHEMA: &str = "plimsoll.report/1";

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look before it gets worse.
    Warning,
    /// Somebody has to act: it has died and will again, or is about to.
    Critical,
}

impl Severity {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// One thing that somebody should know.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Whom it is about: `shop/web`, `job build of group/app`.
    pub subject: String,
    /// What happened, or is to be done.
    pub what: String,
    /// By what it is known.
    pub evidence: String,
    /// The next command.
    pub next: String,
    /// How much it is about, in bytes of all pods; none where it is not about an amount.
    pub bytes: Option<u64>,
    /// The same in money of a month, where it has a price.
    #[schemars(with = "Option<String>")]
    pub per_month: Option<Money>,
    /// How many kills it is about.
    pub kills: Option<u64>,
}

/// The findings of one kind, the worst first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
pub struct Section {
    /// As many as were asked for.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more: usize,
    /// What this says nothing of, and how to have it said.
    pub unknown: Vec<String>,
}

/// How many findings there are of each severity, shown or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Counts {
    /// That somebody has to act on.
    pub critical: usize,
    /// That somebody should look at.
    pub warning: usize,
    /// That are good to know.
    pub info: usize,
}

impl Counts {
    /// Those as bad as this, or worse.
    pub fn at_least(&self, severity: Severity) -> usize {
        match severity {
            Severity::Critical => self.critical,
            Severity::Warning => self.critical + self.warning,
            Severity::Info => self.critical + self.warning + self.info,
        }
    }
}

/// A source, for those who read the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourcePart {
    /// `cluster`, `builds`, `capacity`.
    pub name: &'static str,
    /// Whether it was asked.
    pub asked: bool,
    /// Where it is, or what to add to the command.
    pub from: String,
    /// What could not be known, and what that means.
    pub remarks: Vec<String>,
}

/// The period, RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PeriodPart {
    /// First.
    pub since: String,
    /// End.
    pub until: String,
    /// When the one before began, which this is beside.
    pub before_since: String,
    /// Its length, in seconds.
    pub seconds: i64,
}

/// The report of a period beside the one before. `null` means that it is not known or does not apply, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// Name and version of the form, `plimsoll.report/1`.
    pub schema: &'static str,
    /// When.
    pub period: PeriodPart,
    /// By what.
    pub sources: Vec<SourcePart>,
    /// How many findings there are in all.
    pub counts: Counts,
    /// What holds more memory than in the period before, or soon reaches its limit.
    pub grew: Section,
    /// What is requested and not needed.
    pub wasted: Section,
    /// What died for want of memory.
    pub killed: Section,
    /// Sizes to change: all that is in danger, and what saves most.
    pub change: Section,
    /// What it costs; null where no cluster was asked.
    pub money: Option<MoneyPart>,
}

/// The report of what was seen, with so many findings of each kind shown.
pub fn report(seen: &Seen, top: usize) -> Report {
    let kills = killed::by_whom(seen);
    let dangers = change::Dangers::of(seen, &kills);
    let sections = [
        grew::findings(seen),
        wasted::findings(seen, &dangers),
        killed::findings(seen, &kills),
        change::findings(seen, &dangers),
    ];
    let mut counts = Counts::default();
    for finding in sections.iter().flatten() {
        match finding.severity {
            Severity::Critical => counts.critical += 1,
            Severity::Warning => counts.warning += 1,
            Severity::Info => counts.info += 1,
        }
    }
    let unknown = unknown(seen);
    // A change that is in danger is always shown: it is few, and what the report is for.
    let all_dangers = sections[3].iter().filter(|one| one.severity > Severity::Info).count();
    let [grew, wasted, killed, change] = sections;
    Report {
        schema: SCHEMA,
        period: period(seen.period),
        sources: sources(seen),
        counts,
        grew: section(grew, top, &unknown),
        wasted: section(wasted, top, &unknown),
        killed: section(killed, top, &unknown),
        change: section(change, top.max(all_dangers.min(DANGERS_MAX)), &unknown),
        money: money::part(seen, &dangers),
    }
}

/// So many sizes in danger are shown, however few were asked for.
const DANGERS_MAX: usize = 100;

fn section(mut findings: Vec<Finding>, top: usize, unknown: &[String]) -> Section {
    findings
        .sort_by(|one, other| order(one).cmp(&order(other)).then_with(|| one.subject.cmp(&other.subject)));
    let more = findings.len().saturating_sub(top);
    findings.truncate(top);
    Section { findings, more, unknown: unknown.to_vec() }
}

/// The worst first, then the largest.
fn order(of: &Finding) -> impl Ord + use<> {
    std::cmp::Reverse((of.severity, of.kills, of.per_month, of.bytes))
}

/// What was not asked.
fn unknown(seen: &Seen) -> Vec<String> {
    let line = |one: SourcePart| (!one.asked).then(|| format!("{}: not asked; {}", one.name, one.from));
    // What people take is in a report where it is asked for; who has no such service misses nothing.
    sources(seen).into_iter().filter(|one| one.name != "capacity").filter_map(line).collect()
}

fn sources(seen: &Seen) -> Vec<SourcePart> {
    vec![source("cluster", &seen.cluster), source("builds", &seen.builds), source("capacity", &seen.capacity)]
}

fn source<T>(name: &'static str, of: &Source<T>) -> SourcePart {
    match of {
        Source::NotAsked(how) => SourcePart { name, asked: false, from: how.clone(), remarks: Vec::new() },
        Source::Asked { from, remarks, .. } => {
            SourcePart { name, asked: true, from: from.clone(), remarks: remarks.clone() }
        }
    }
}

fn period(of: Period) -> PeriodPart {
    let time =
        |ms: i64| Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| format!("{at:.0}"));
    PeriodPart {
        since: time(of.from_ms),
        until: time(of.to_ms),
        before_since: time(of.before().from_ms),
        seconds: of.length_ms() / 1000,
    }
}
