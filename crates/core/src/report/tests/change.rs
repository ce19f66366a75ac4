//! What was wasted, what to change, and what it costs.

use super::super::fixtures::{WEEK, attempt, held, id, job, judged, kill, price, run};
use super::super::seen::{Cluster, Kills};
use super::{lines, of_builds, of_cluster};
use crate::capacity::booking::price::Money;
use crate::outcome::Outcome;
use crate::size::{GIB, MIB};
use crate::sizing::DAY_MS;

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
