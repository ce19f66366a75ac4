//! Answers for a small cluster in which one container is of a kind of its own.

use super::*;
use crate::rightsize::profile::Profile;
use crate::rightsize::reason;
use crate::sizing::krr::Krr;
use crate::sizing::plimsoll::fleet::Risk;
use crate::sizing::{HOUR_MS, OomKill};

const NOW_MS: i64 = 14 * DAY_MS;
const SETTINGS: Settings = Settings {
    terms: Terms { now_ms: NOW_MS, window_ms: NOW_MS, horizon_ms: 84 * HOUR_MS, risk: Risk::AsUsual },
    floor_bytes: 32 * MIB,
};

/// Hourly use in MiB from an hour on.
fn container(workload: &str, from_hour: i64, mib: impl Fn(i64) -> f64) -> Container {
    let mut profile = Profile::new(0, NOW_MS - 1);
    for hour in from_hour..14 * 24 {
        // The fleet's readings are never all the same.
        let noise = 1.0 + 0.01 * ((hour * 7919) % 13) as f64 / 13.0;
        profile.take(hour * HOUR_MS, None, mib(hour) * MIB as f64 * noise);
    }
    let id = Id {
        namespace: "shop".into(),
        kind: "Deployment".into(),
        workload: workload.into(),
        container: "app".into(),
    };
    Container { id, profile, pods: 2, request_bytes: Some(512 * MIB), limit_bytes: Some(1024 * MIB) }
}

/// The answer for a container in a cluster with thirty others.
fn answer(one: Container) -> Result<Answer, NotYet> {
    let mut all: Vec<Container> =
        (0..30).map(|number| container(&format!("w{number}"), 0, |_| 200.0 + f64::from(number))).collect();
    all.iter_mut().for_each(|other| other.id.container = "other".into());
    all.push(one);
    answers(&all, &SETTINGS).remove(30)
}

fn mib(bytes: u64) -> u64 {
    bytes / MIB
}

#[test]
fn a_flat_one_gets_little_more_than_it_uses() {
    let answer = answer(container("flat", 0, |_| 300.0)).unwrap();
    assert!((303..=349).contains(&mib(answer.limit_bytes)), "{answer:?}");
    assert!((303..=312).contains(&mib(answer.request_bytes)) && answer.request_bytes <= answer.limit_bytes);
    assert!(matches!(answer.limit_why, LimitWhy::Evidence { growth_bytes: 0, .. }), "{answer:?}");
    assert_eq!(answer.confidence, Confidence::High);
}

#[test]
fn a_kill_is_remembered_and_counts_as_more_than_was_seen() {
    let mut killed = container("killed", 0, |_| 300.0);
    let kill = OomKill { at_ms: 9 * DAY_MS, limit_bytes: 512 * MIB, request_bytes: 512 * MIB };
    killed.profile.oom_kills = vec![kill];
    let once = answer(killed.clone()).unwrap();
    assert!(mib(once.limit_bytes) > 512, "{once:?}");
    assert_eq!(once.limit_why, LimitWhy::Killed(512 * MIB, 9 * DAY_MS));
    assert!(reason::of_limit(&once, NOW_MS).starts_with("killed at 512 MiB 5 days ago"));
    // Killed again at what it got: more again. No fixed bump: as much more as those like it took.
    killed.profile.oom_kills.push(OomKill { at_ms: 12 * DAY_MS, limit_bytes: once.limit_bytes, ..kill });
    let twice = answer(killed.clone()).unwrap();
    assert!(twice.limit_bytes > once.limit_bytes, "{twice:?}");
    assert!(
        reason::warnings(&killed, &twice, NOW_MS)[0]
            .starts_with("killed for want of memory twice, the last time 2 days ago")
    );
}

#[test]
fn a_leak_is_said_and_not_fed() {
    let mut leaking = container("leak", 0, |hour| 300.0 + 3.0 * (hour % 72) as f64);
    (0..14 * 24).for_each(|hour: u64| {
        leaking.profile.ages.take(hour % 72, (300.0 + 3.0 * (hour % 72) as f64) * MIB as f64)
    });
    let answer = answer(leaking.clone()).unwrap();
    assert_eq!(answer.limit_why, LimitWhy::Leak);
    assert!((513 * 115 / 100..=520 * 116 / 100).contains(&mib(answer.limit_bytes)), "{answer:?}");
    let to_limit = answer.to_limit.unwrap();
    assert!((5.0..9.0).contains(&to_limit.days) && to_limit.earliest <= to_limit.days, "{to_limit:?}");
    let warning = &reason::warnings(&leaking, &answer, NOW_MS)[0];
    assert!(warning.starts_with("leaks 7") && warning.contains("reaches its limit in"), "{warning}");
}

#[test]
fn growth_gets_what_it_may_grow_by() {
    let growing = container("growing", 0, |hour| 300.0 + hour as f64);
    let answer = answer(growing).unwrap();
    let LimitWhy::Evidence { growth_bytes, .. } = answer.limit_why else { panic!("{answer:?}") };
    // 24 MiB a day for three and a half days.
    assert!((80..=100).contains(&mib(growth_bytes)), "{answer:?}");
    assert!(answer.limit_bytes > 636 * MIB + growth_bytes);
}

#[test]
fn a_new_one_starts_from_its_siblings() {
    let hour = 14 * 24 - 5;
    assert_eq!(answer(container("new", hour, |_| 100.0)), Err(NotYet::TooShort(5)));
    let mut all = vec![
        container("api", 0, |_| 400.0),
        container("web", 0, |_| 900.0),
        container("api", hour, |_| 100.0),
    ];
    all[2].id.namespace = "staging".into();
    let sized = answers(&all, &SETTINGS);
    let new = sized[2].as_ref().unwrap();
    // The same workload elsewhere goes before others with a container of that name.
    assert_eq!(new.limit_bytes, sized[0].as_ref().unwrap().limit_bytes);
    assert_eq!(reason::of_limit(new, NOW_MS), "new here: as shop/api/app");
    // It has outgrown them already.
    all[2] = Container { id: all[2].id.clone(), ..container("api", hour, |_| 1500.0) };
    assert!(mib(answers(&all, &SETTINGS)[2].as_ref().unwrap().limit_bytes) > 1500);
}

#[test]
fn never_below_what_could_not_be_reclaimed() {
    let mut held = container("held", 0, |hour| if hour == 20 { 900.0 } else { 300.0 });
    held.profile.non_reclaimable_bytes = Some(880 * MIB);
    assert!(mib(answer(held.clone()).unwrap().limit_bytes) >= 897);
    // Where most of a peak was page cache, that is said.
    held.profile.non_reclaimable_bytes = Some(290 * MIB);
    let answer = answer(held.clone()).unwrap();
    assert!(reason::warnings(&held, &answer, NOW_MS)[0].contains("page cache"), "{answer:?}");
}

#[test]
fn small_ones_get_the_floor_and_guaranteed_ones_stay_so() {
    let small = answer(container("small", 0, |_| 5.0)).unwrap();
    assert_eq!((mib(small.request_bytes), mib(small.limit_bytes)), (32, 32));
    assert_eq!((small.request_why, small.limit_why), (RequestWhy::Floor, LimitWhy::Floor));
    let mut guaranteed = container("guaranteed", 0, |hour| if hour % 100 == 7 { 600.0 } else { 300.0 });
    guaranteed.limit_bytes = guaranteed.request_bytes;
    let answer = answer(guaranteed).unwrap();
    assert_eq!((answer.request_bytes, answer.request_why), (answer.limit_bytes, RequestWhy::AsLimit));
}

#[test]
fn a_burst_is_in_the_limit_and_not_in_the_request() {
    let answer = answer(container("bursty", 0, |hour| if hour == 200 { 800.0 } else { 300.0 })).unwrap();
    assert!(mib(answer.request_bytes) < 320, "{answer:?}");
    assert!(answer.limit_bytes >= answer.request_bytes);
    assert_eq!(reason::of_request(&answer), "nine days of ten stay below 303 MiB");
}

#[test]
fn others_rules_are_asked_the_same() {
    let flat = container("flat", 0, |_| 300.0);
    let answer = answer_of(&flat, Box::new(Krr::new(0)), &SETTINGS).unwrap();
    assert_eq!((mib(answer.limit_bytes), answer.limit_why), (349, LimitWhy::Policy));
    let empty = Container { profile: Profile::new(0, NOW_MS), ..flat };
    assert_eq!(answer_of(&empty, Box::new(Krr::new(0)), &SETTINGS), Err(NotYet::NothingRead));
}
