use super::fixtures::{WEEK, attempt, held, id, job, judged, kill, price, run, seen, whose};
use super::seen::{Cluster, Kills, People, Scored, Seen, Source, Whose};
use super::{Report, Section, Severity, report};
use crate::capacity::booking::price::Money;
use crate::outcome::Outcome;
use crate::profile::{Intent, Profile};
use crate::rightsize::ages::Rise;
use crate::rightsize::course::{Course, DaysToLimit};
use crate::size::{GIB, MIB};
use crate::sizing::DAY_MS;

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
fn what_was_wasted() {
    let check = |name: &str, now: Option<u64>, then: u64, expect: &[&str]| {
        let cluster = Cluster {
            judged: vec![judged("web", [now, Some(8192)], [then, 8192])],
            price: price(),
            ..Cluster::default()
        };
        let found = of_cluster(cluster);
        assert_eq!(lines(&found.wasted), expect, "{name}");
        let sum = found.wasted.findings.iter().filter_map(|one| one.per_month).fold(Money::ZERO, Money::plus);
        assert_eq!(found.money.map(|money| money.possible_per_month), Some(sum), "{name}");
    };
    check("half a GiB a pod", Some(1024), 512, &["warning shop/web: 1.0 GiB of 2.0 GiB that 2 pods request"]);
    check("a little", Some(512), 448, &["info shop/web: 128 MiB of 1.0 GiB that 2 pods request"]);
    check("too little to tell", Some(512), 480, &[]);
    check("none", Some(512), 512, &[]);
    check("too little is requested", Some(512), 700, &[]);
    check("nothing is requested", None, 512, &[]);
}

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

#[test]
fn what_to_change() {
    let check = |name: &str,
                 now: [Option<u64>; 2],
                 then: [u64; 2],
                 held_mib: u64,
                 kills: Vec<Kills>,
                 expect: &[&str]| {
        let judged = vec![judged("web", now, then)];
        let held = vec![(id("web"), held(held_mib, held_mib))];
        let found = of_cluster(Cluster { judged, held, kills, price: price(), ..Cluster::default() });
        assert_eq!(lines(&found.change), expect, "{name}");
        let is_saving = found.change.findings.iter().any(|one| one.per_month.is_some());
        assert_eq!(is_saving, !found.wasted.findings.is_empty(), "{name}");
    };
    let sizes = [Some(1024), Some(1024)];
    check(
        "a saving",
        sizes,
        [512, 700],
        400,
        vec![],
        &["info shop/web: request 1.0 GiB -> 512 MiB, limit 1.0 GiB -> 700 MiB, 2 pods"],
    );
    check(
        "killed: never a saving",
        sizes,
        [512, 2048],
        900,
        vec![kill("web", 8)],
        &["warning shop/web: request 1.0 GiB -> 512 MiB, limit 1.0 GiB -> 2.0 GiB, 2 pods"],
    );
    check(
        "killed again",
        sizes,
        [1024, 2048],
        900,
        vec![kill("web", 2), kill("web", 8)],
        &["critical shop/web: request 1.0 GiB -> 1.0 GiB, limit 1.0 GiB -> 2.0 GiB, 2 pods"],
    );
    check(
        "another container of it was killed",
        sizes,
        [512, 1024],
        100,
        vec![Kills { container: "sidecar".into(), ..kill("web", 8) }],
        &["info shop/web: request 1.0 GiB -> 512 MiB, limit 1.0 GiB -> 1.0 GiB, 2 pods"],
    );
    check(
        "at its limit",
        sizes,
        [1024, 1200],
        1000,
        vec![],
        &["critical shop/web: request 1.0 GiB -> 1.0 GiB, limit 1.0 GiB -> 1.2 GiB, 2 pods"],
    );
    check(
        "near its limit",
        sizes,
        [1024, 1200],
        900,
        vec![],
        &["warning shop/web: request 1.0 GiB -> 1.0 GiB, limit 1.0 GiB -> 1.2 GiB, 2 pods"],
    );
    check("page cache is near its limit", sizes, [1024, 1200], 300, vec![], &[]);
    check("well as it is", sizes, [1000, 1024], 800, vec![], &[]);
}

#[test]
fn sizes_of_jobs() {
    let check = |name: &str, runs: Vec<crate::profile::Run>, expect: &[&str]| {
        assert_eq!(lines(&of_builds(vec![job("build", runs)]).change), expect, "{name}");
    };
    let passed = |day, peak| run(day, vec![attempt(peak, 4096, Outcome::Succeeded)]);
    check(
        "too large",
        vec![passed(8, 2500), passed(9, 2500)],
        &["info job build of group/app: limit 4.0 GiB -> 3.4 GiB, request 2.5 GiB"],
    );
    check("not run in this period", vec![passed(1, 2500)], &[]);
    check("fits", vec![passed(8, 3900)], &[]);
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
fn what_it_costs() {
    let part = |requested: Vec<(i64, u64)>| {
        let judged = vec![
            judged("web", [Some(1024), Some(2048)], [512, 2048]),
            judged("api", [Some(100), None], [356, 512]),
        ];
        of_cluster(Cluster { judged, requested, price: price(), ..Cluster::default() }).money.expect("money")
    };
    let money = |text: &str| text.parse::<Money>().expect("money");
    // 4 GiB on average, then 3 GiB, at 0.004 for a GiB and hour: 2.92 a month for each.
    let found = part(vec![
        (DAY_MS, 3 * GIB),
        (2 * DAY_MS, 5 * GIB),
        (8 * DAY_MS, 3 * GIB),
        (WEEK.to_ms - 1, 3 * GIB),
    ]);
    assert_eq!((found.requested_bytes, found.per_month), (3 * GIB, money("8.76")));
    assert_eq!((found.before_per_month, found.mean_per_month), (Some(money("11.68")), Some(money("8.76"))));
    assert_eq!(found.saved_per_month, Some(money("2.92")));
    assert_eq!((found.possible_per_month, found.needed_per_month), (money("2.92"), money("1.46")));
    // Nothing was read of the period before: unknown, not 0. What was judged runs.
    let found = part(vec![(8 * DAY_MS, GIB)]);
    assert_eq!(
        (found.requested_bytes, found.before_per_month, found.saved_per_month),
        (2248 * MIB, None, None)
    );
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
