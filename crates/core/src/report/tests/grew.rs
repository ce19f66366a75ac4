//! What grew: in a cluster, in builds, and by people.

use super::super::fixtures::{attempt, held, id, job, judged, run, seen};
use super::super::report;
use super::super::seen::{Cluster, People, Scored, Seen, Source};
use super::{TOP, lines, of_builds, of_cluster};
use crate::outcome::Outcome;
use crate::rightsize::ages::Rise;
use crate::rightsize::course::{Course, DaysToLimit};
use crate::sizing::DAY_MS;

#[test]
fn what_grew() {
    let check = |name: &str, before: u64, now: u64, limit: Option<u64>, expect: &[&str]| {
        let cluster = Cluster {
            judged: vec![judged("web", [Some(100), limit], [100, limit.unwrap_or(100)])],
            held: vec![(id("web"), held(before, now))],
            ..Cluster::default()
        };
        assert_eq!(lines(&of_cluster(cluster).grew), expect, "{name}");
    };
    let grown = "shop/web: holds 600 MiB, 500 MiB in the period before: +20 %";
    check("far from its limit", 500, 600, Some(4096), &[&format!("info {grown}")]);
    check("without a limit", 500, 600, None, &[&format!("info {grown}")]);
    check("within four weeks of it", 500, 600, Some(820), &[&format!("warning {grown}")]);
    check("at 85 %", 500, 600, Some(700), &[&format!("warning {grown}")]);
    check("at 95 %", 500, 600, Some(620), &[&format!("critical {grown}")]);
    check("level, at its limit", 600, 600, Some(620), &[]);
    check("less", 600, 500, Some(620), &[]);
}

#[test]
fn a_leak_is_told_where_restarts_hide_it() {
    let check = |days: f64, expect: &[&str]| {
        let (container, mut answer) = judged("web", [Some(100), Some(1000)], [100, 1000]);
        answer.course = Course::Leak(Rise { bytes_per_day: 12e6, band: (10e6, 14e6) });
        answer.to_limit = Some(DaysToLimit { days, earliest: days - 1.0, latest: None });
        let held = vec![(id("web"), held(500, 500))];
        let found = of_cluster(Cluster { judged: vec![(container, answer)], held, ..Cluster::default() });
        assert_eq!(lines(&found.grew), expect, "{days}");
        if let Some(finding) = found.grew.findings.first() {
            assert!(finding.evidence.contains("leaks 11 MiB a day"), "{finding:?}");
            assert_eq!(lines(&found.change).len(), 1, "{found:?}");
        }
    };
    check(3.0, &["critical shop/web: reaches its limit in 3.0 days as it rises"]);
    check(20.0, &["warning shop/web: reaches its limit in 20.0 days as it rises"]);
    check(90.0, &[]);
}

#[test]
fn peaks_of_builds() {
    let runs = |days: [u64; 3], peaks: [u64; 3], budget: u64| {
        days.into_iter()
            .zip(peaks)
            .map(move |(day, peak)| run(day, vec![attempt(peak, budget, Outcome::Succeeded)]))
    };
    let check = |name: &str, before: [u64; 3], now: [u64; 3], budgets: [u64; 2], expect: &[&str]| {
        let all = runs([1, 3, 5], before, budgets[0]).chain(runs([8, 10, 12], now, budgets[1])).collect();
        assert_eq!(lines(&of_builds(vec![job("build", all)]).grew), expect, "{name}");
    };
    let grown = "job build of group/app: peaks at 1.0 GiB, 800 MiB in the period before: +28 %";
    check("grown", [780, 800, 820], [1000, 1024, 1050], [4096; 2], &[&format!("info {grown}")]);
    check("near its budget", [780, 800, 820], [1000, 1024, 1050], [1100; 2], &[&format!("warning {grown}")]);
    check("one wild run", [780, 800, 820], [790, 800, 4000], [8192; 2], &[]);
    check("more room is no growth", [780, 800, 820], [1000, 1024, 1050], [2048, 4096], &[]);
    let two = vec![
        run(8, vec![attempt(2000, 4096, Outcome::Succeeded)]),
        run(1, vec![attempt(1, 4096, Outcome::Succeeded)]),
    ];
    assert_eq!(lines(&of_builds(vec![job("build", two)]).grew), [""; 0]);
}

#[test]
fn what_people_take() {
    let people = People {
        drifts: vec![(DAY_MS, 0.5), (9 * DAY_MS, 0.25), (10 * DAY_MS, -0.5), (11 * DAY_MS, 0.01)],
        scored: Some(Scored { projections: 200, error_share: 0.08, breach_share: 0.05 }),
        leak_mb_per_hour: 2.0,
    };
    let capacity = Source::Asked { from: "http://plimsoll:7676".into(), remarks: Vec::new(), read: people };
    let found = report(&Seen { capacity, ..seen(None, None) }, TOP);
    assert_eq!(
        lines(&found.grew),
        [
            "warning capacity: people take 25 % more than before",
            "warning capacity: each hour of running adds 2.0 MB",
            "warning capacity: 5.0 % of projections were passed where 1 % may be",
        ]
    );
}
