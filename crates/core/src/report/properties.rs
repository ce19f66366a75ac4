//! What holds whatever was seen.

use super::fixtures::{attempt, held, id, job, judged, kill, price, run, seen};
use super::seen::{Cluster, Kills, Seen};
use super::steady::grown;
use super::{Finding, Report, Section, report};
use crate::capacity::booking::price::Money;
use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::size::MIB;
use crate::sizing::{DAY_MS, HOUR_MS, Sample};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn clusters() -> impl Strategy<Value = Cluster> {
    let size = || prop::option::of(1u64..4096);
    let container = (
        size(),
        size(),
        1u64..4096,
        1u64..4096,
        1u64..4096,
        1u64..4096,
        prop::collection::vec((-2i64..16, 1u64..5, any::<bool>()), 0..4),
    );
    let requested = prop::collection::vec((0i64..14 * DAY_MS, 0u64..1 << 40), 0..20);
    (prop::collection::vec(container, 0..30), requested).prop_map(|(containers, mut requested)| {
        requested.sort_unstable();
        let mut cluster = Cluster { requested, price: price(), ..Cluster::default() };
        for (index, (request, limit, to_request, to_limit, before, now, kills)) in
            containers.into_iter().enumerate()
        {
            let name = format!("w{index}");
            cluster.judged.push(judged(&name, [request, limit], [to_request, to_limit]));
            cluster.held.push((id(&name), held(before, now)));
            let of = |(day, count, is_counted)| Kills { count, is_counted, ..kill(&name, day) };
            cluster.kills.extend(kills.into_iter().map(of));
        }
        cluster
    })
}

fn jobs() -> impl Strategy<Value = Vec<Profile>> {
    let outcome = prop_oneof![Just(Outcome::Succeeded), Just(Outcome::OutOfMemory), Just(Outcome::Failed)];
    let runs =
        prop::collection::vec((0u64..15, 1u64..4096, prop_oneof![Just(1024u64), Just(4096)], outcome), 0..12);
    prop::collection::vec(runs, 0..6).prop_map(|jobs| {
        let of = |(day, peak, budget, outcome)| run(day, vec![attempt(peak, budget, outcome)]);
        let job =
            |(index, runs): (usize, Vec<_>)| job(&format!("j{index}"), runs.into_iter().map(of).collect());
        jobs.into_iter().enumerate().map(job).collect()
    })
}

fn all() -> impl Strategy<Value = Seen> {
    (prop::option::of(clusters()), prop::option::of(jobs()))
        .prop_map(|(cluster, builds)| seen(cluster, builds))
}

fn sections(of: &Report) -> [&Section; 4] {
    [&of.grew, &of.wasted, &of.killed, &of.change]
}

proptest! {
    #[test]
    fn money_adds_up(seen in all()) {
        let found = report(&seen, usize::MAX);
        prop_assert_eq!(found.money.is_some(), seen.cluster.read().is_some());
        if let Some(money) = &found.money {
            prop_assert!(money.possible_per_month <= money.per_month, "{:?}", money);
            let sum = found.wasted.findings.iter().filter_map(|one| one.per_month).fold(Money::ZERO, Money::plus);
            // Each is rounded by itself, to 10^-9.
            prop_assert!((sum.nanos() - money.possible_per_month.nanos()).abs() <= 30, "{:?} {:?}", sum, money);
            if let (Some(saved), Some(before), Some(now)) = (money.saved_per_month, money.before_per_month, money.mean_per_month) {
                prop_assert_eq!(before, now.plus(saved));
            }
        }
    }

    #[test]
    fn nothing_is_both_in_danger_and_wasted(seen in all()) {
        let found = report(&seen, usize::MAX);
        let subjects = |section: &Section, is: fn(&Finding) -> bool| -> BTreeSet<String> {
            section.findings.iter().filter(|one| is(one)).map(|one| one.subject.clone()).collect()
        };
        let dangers = subjects(&found.change, |one| one.severity > super::Severity::Info);
        prop_assert!(dangers.is_disjoint(&subjects(&found.wasted, |_| true)), "{:?}", found);
        prop_assert!(dangers.is_disjoint(&subjects(&found.change, |one| one.severity == super::Severity::Info)), "{:?}", found);
    }

    #[test]
    fn the_worst_first_and_all_counted(seen in all(), top in 1usize..20) {
        let (found, whole) = (report(&seen, top), report(&seen, usize::MAX));
        prop_assert_eq!(found.counts, whole.counts);
        let mut count = 0;
        for (section, whole) in sections(&found).into_iter().zip(sections(&whole)) {
            prop_assert!(section.findings.is_sorted_by_key(|one| std::cmp::Reverse(one.severity)), "{:?}", section);
            prop_assert_eq!(section.findings.len() + section.more, whole.findings.len());
            prop_assert_eq!(&section.findings[..], &whole.findings[..section.findings.len()]);
            count += whole.findings.len();
        }
        prop_assert_eq!(whole.counts.at_least(super::Severity::Info), count);
        prop_assert_eq!(report(&seen, top), found, "the same again");
    }

    #[test]
    fn each_finding_has_evidence_and_a_next_command(seen in all()) {
        for finding in sections(&report(&seen, usize::MAX)).into_iter().flat_map(|section| &section.findings) {
            prop_assert!(!finding.evidence.is_empty() && !finding.next.is_empty() && !finding.what.is_empty(), "{:?}", finding);
        }
    }

    /// Whoever is killed in this period is told of, and whoever was not is not said to be.
    #[test]
    fn kills_are_never_lost(cluster in clusters()) {
        let expect: BTreeSet<String> = cluster
            .kills
            .iter()
            .filter(|kill| (7 * DAY_MS..14 * DAY_MS).contains(&kill.at_ms))
            .map(|kill| super::words::whose(&kill.whose))
            .collect();
        let found = report(&seen(Some(cluster), None), usize::MAX);
        let told: BTreeSet<String> = found.killed.findings.iter().map(|one| one.subject.clone()).collect();
        prop_assert_eq!(told, expect);
    }
}

/// Numbers that look random, the same each time.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Of this many of 10,000 series of two weeks it is said that they have grown; `rise` is in the second week, as a share.
fn told_of(rise: f64) -> usize {
    const SERIES: u64 = 10_000;
    let told = |seed: &u64| {
        let mut next = noise(*seed + 1);
        let samples: Vec<Sample> = (0..14 * 24)
            .scan(0.0, |day_level, hour| {
                // Days differ by up to 15 % each way, hours of a day by as much again, and by the time of day.
                if hour % 24 == 0 {
                    *day_level = 0.3 * (next() - 0.5);
                }
                let daily = 0.2 * (hour as f64 / 24.0 * std::f64::consts::TAU).sin();
                let level = 1.0 + *day_level + daily + 0.3 * (next() - 0.5);
                let grown = if hour >= 7 * 24 { 1.0 + rise } else { 1.0 };
                Some(Sample { at_ms: hour * HOUR_MS, bytes: (level * grown * 600.0) as u64 * MIB })
            })
            .collect();
        grown(samples.into_iter(), super::fixtures::WEEK).is_some()
    };
    (0..SERIES).filter(told).count()
}

/// Measured: 1.1 % of what only varies is said to have grown, 56 % of what has grown by a fifth, 99 % of what has by half.
#[test]
fn noise_is_hardly_ever_growth() {
    let (level, grown) = (told_of(0.0), told_of(0.5));
    println!("of 10,000: {level} that only vary, {} by a fifth, {grown} by half", told_of(0.2));
    assert!(level <= 150, "{level}");
    assert!(grown >= 9_500, "{grown}");
}
