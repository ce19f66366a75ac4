//! Reports of a small cluster and some jobs.

mod change;
mod grew;
mod killed;

use super::fixtures::{attempt, job, judged, kill, run, seen, whose};
use super::seen::Cluster;
use super::{Report, Section, Severity, report};
use crate::outcome::Outcome;
use crate::profile::Profile;

const TOP: usize = 10;

/// Severity, subject and what, of each finding.
fn lines(section: &Section) -> Vec<String> {
    let line = |one: &super::Finding| format!("{} {}: {}", one.severity.name(), one.subject, one.what);
    section.findings.iter().map(line).collect()
}

fn of_cluster(cluster: Cluster) -> Report {
    report(&seen(Some(cluster), None), TOP)
}

fn of_builds(builds: Vec<Profile>) -> Report {
    report(&seen(None, Some(builds)), TOP)
}

#[test]
fn what_was_not_asked_is_said_and_never_nothing() {
    let found = of_builds(Vec::new());
    assert_eq!(found.money, None);
    for section in [&found.grew, &found.wasted, &found.killed, &found.change] {
        assert_eq!(
            (section.findings.len(), &section.unknown),
            (0, &vec!["cluster: not asked; --source URL".to_string()])
        );
    }
    let found = of_cluster(Cluster::default());
    assert_eq!(found.killed.unknown, ["builds: not asked; --store DIR"]);
    let money = found.money.expect("a cluster was asked");
    assert_eq!((money.mean_per_month, money.before_per_month, money.saved_per_month), (None, None, None));
}

#[test]
fn the_rest_is_counted_and_dangers_are_all_shown() {
    let names: Vec<String> = (0..15).map(|number| format!("w{number:02}")).collect();
    let kills = names.iter().map(|name| kill(name, 8)).collect();
    let judged = names.iter().map(|name| judged(name, [Some(100), Some(100)], [100, 200])).collect();
    let found = of_cluster(Cluster { judged, kills, ..Cluster::default() });
    assert_eq!((found.killed.findings.len(), found.killed.more), (10, 5));
    assert_eq!((found.change.findings.len(), found.change.more), (15, 0));
    assert_eq!((found.counts.warning, found.counts.at_least(Severity::Critical)), (30, 0));
    assert_eq!(found.counts.at_least(Severity::Info), 30);
}

#[test]
fn next_commands_are_whole() {
    let found = of_cluster(Cluster { kills: vec![kill("web", 8)], ..Cluster::default() });
    assert_eq!(
        found.killed.findings[0].next,
        "plimsoll rightsize --source http://prometheus:9090 -n shop -o wide"
    );
    let died = run(8, vec![attempt(1000, 1024, Outcome::OutOfMemory)]);
    let found = of_builds(vec![job("npx tsc; rm", vec![died])]);
    assert_eq!(found.killed.findings[0].next, "plimsoll diagnose 'npx tsc; rm' --store /store");
    assert_eq!(whose("web"), kill("web", 1).whose);
}
