//! What was killed: workloads, and jobs.

use super::super::fixtures::{attempt, job, kill, run, seen};
use super::super::report;
use super::super::seen::{Cluster, Kills, Whose};
use super::{TOP, lines, of_builds, of_cluster};
use crate::outcome::Outcome;
use crate::profile::{Intent, Profile};
use crate::sizing::DAY_MS;

#[test]
fn what_was_killed() {
    let check = |name: &str, kills: Vec<Kills>, expect: &[&str]| {
        assert_eq!(lines(&of_cluster(Cluster { kills, ..Cluster::default() }).killed), expect, "{name}");
    };
    let counted =
        |day: i64, count: u64| Kills { count, is_counted: true, container: "".into(), ..kill("web", day) };
    check("once", vec![kill("web", 8)], &["warning shop/web: 1 kill, 0 in the period before"]);
    check(
        "again",
        vec![kill("web", 2), kill("web", 8)],
        &["critical shop/web: 1 kill, 1 in the period before"],
    );
    check(
        "often",
        vec![kill("web", 8), kill("web", 9), kill("web", 13)],
        &["critical shop/web: 3 kills, 0 in the period before"],
    );
    check("only before", vec![kill("web", 2)], &[]);
    check("earlier, and after the end", vec![kill("web", -1), kill("web", 14)], &[]);
    check(
        "told twice is once",
        vec![kill("web", 8), counted(8, 2)],
        &["warning shop/web: 2 kills, 0 in the period before"],
    );
    let link = Whose::Job { project: "group/app".into(), job: "link".into() };
    check(
        "a CI job",
        vec![Kills { whose: link, ..kill("", 8) }],
        &["warning job link of group/app: 1 kill, 0 in the period before"],
    );
    check(
        "the worst first, then the most",
        vec![kill("a", 8), kill("b", 8), kill("b", 9), kill("c", 2), kill("c", 8)],
        &[
            "critical shop/c: 1 kill, 1 in the period before",
            "warning shop/b: 2 kills, 0 in the period before",
            "warning shop/a: 1 kill, 0 in the period before",
        ],
    );
}

#[test]
fn jobs_that_died() {
    let died = |day| run(day, vec![attempt(1000, 1024, Outcome::OutOfMemory)]);
    let passed = |day| run(day, vec![attempt(600, 1024, Outcome::Succeeded)]);
    let rescued = |day| {
        run(day, vec![attempt(1000, 1024, Outcome::OutOfMemory), attempt(600, 1024, Outcome::Succeeded)])
    };
    let check = |name: &str, profile: Profile, expect: &[&str]| {
        assert_eq!(lines(&of_builds(vec![profile]).killed), expect, "{name}");
    };
    check(
        "the last one died",
        job("build", vec![died(1), passed(8), died(9)]),
        &[
            "critical job build of group/app: 1 of 2 runs died of memory, the last one too, 1 died in the period before",
        ],
    );
    check(
        "it came through later",
        job("build", vec![died(8), passed(9)]),
        &["warning job build of group/app: 1 of 2 runs died of memory, 0 died in the period before"],
    );
    check(
        "it was rescued",
        job("build", vec![rescued(8)]),
        &["info job build of group/app: 1 run came through after kills, 0 died in the period before"],
    );
    check("only before", job("build", vec![died(1), passed(8)]), &[]);
    let failed = run(8, vec![attempt(600, 1024, Outcome::Failed)]);
    check("its own fault", job("build", vec![failed]), &[]);
    let mut lost = job("build", vec![passed(8)]);
    lost.intend(Intent {
        attempt: attempt(0, 1024, Outcome::Abandoned),
        started_unix_ms: 9 * DAY_MS as u64,
        pid: 1,
        pid_start_ticks: 1,
        boot_id: String::new(),
    });
    check(
        "with its container",
        lost,
        &[
            "warning job build of group/app: 1 attempt started and not seen to end, 0 died in the period before",
        ],
    );
    let busy = job(
        "build",
        (0..30)
            .map(|_| 8)
            .map(passed)
            .chain([died(13)])
            .enumerate()
            .map(|(at, mut run)| {
                run.ended_unix_ms += at as u64;
                run
            })
            .collect(),
    );
    let found = of_builds(vec![busy]);
    assert_eq!(
        lines(&found.killed),
        ["critical job build of group/app: 1 of 20 runs died of memory, the last one too"],
        "what is not remembered is not 0"
    );
    assert!(found.killed.findings[0].evidence.ends_with("only the last 20 runs are remembered"), "{found:?}");
}

#[test]
fn a_kill_that_both_agent_and_store_tell_of_is_one() {
    let link = Whose::Job { project: "group/app".into(), job: "build".into() };
    let kills = vec![Kills { whose: link, is_counted: true, ..kill("", 8) }];
    let died = run(8, vec![attempt(1000, 1024, Outcome::OutOfMemory)]);
    let found = report(
        &seen(Some(Cluster { kills, ..Cluster::default() }), Some(vec![job("build", vec![died])])),
        TOP,
    );
    assert_eq!(found.killed.findings.len(), 1);
    assert_eq!(found.killed.findings[0].kills, Some(1));
}
