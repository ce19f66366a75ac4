use super::super::compare::compare;
use super::super::learn::learn;
use super::super::observation::Observation;
use super::super::plain::Formula;
use super::super::profile::Profile;
use super::super::project::Ask;
use super::super::retained::Stay;
use super::super::terms::Refusal;
use super::super::truth::{Change, Mix, Truth};
use crate::capacity::roles::{Counts, Role};
use crate::sizing::{DAY_MS, HOUR_MS};

const ROLES: [Role; 3] = [Role::PARTICIPANT_VIDEO, Role::PARTICIPANT_NO_VIDEO, Role::EXPERIMENTER];

fn learned(truth: &Truth, seed: u64) -> Vec<Profile> {
    learn(&truth.observations(seed), None, &Formula::backend())
}

fn is_near(found: f64, expect: f64, share: f64) -> bool {
    (found - expect).abs() <= share * expect
}

fn until(observations: &[Observation], ms: i64) -> &[Observation] {
    let end_ms = observations[0].at_ms + ms;
    &observations[..observations.partition_point(|seen| seen.at_ms < end_ms)]
}

#[test]
fn a_clean_truth_is_found() {
    let check = |base_mb: f64, roles_mb: [f64; 3], tau_minutes: f64| {
        let mut truth = Truth { stay: Stay { tau_minutes, share: 1.0 }, days: 14, ..Truth::clean() };
        truth.formula.base_mb = base_mb;
        truth.formula.roles_mb = ROLES.into_iter().zip(roles_mb).collect();
        let profile = learned(&truth, 7).pop().unwrap();
        assert!(is_near(profile.base.mb, base_mb, 0.02), "{profile:?}");
        for (role, expect) in ROLES.iter().zip(roles_mb) {
            let coefficient = &profile.roles[role];
            assert!(
                is_near(coefficient.mb, expect, 0.02) && coefficient.refused.is_none(),
                "{role} {coefficient:?}"
            );
        }
        assert!(
            (profile.stay.tau_minutes - tau_minutes).abs() <= 0.15 * tau_minutes,
            "{}",
            profile.stay.tau_minutes
        );
        assert!(profile.drifts.is_empty() && profile.hour_mb == 0.0 && !profile.growth.unwrap().is_leak);
    };
    check(100.0, [15.0, 8.0, 25.0], 25.0);
    check(106.0, [18.0, 6.0, 40.0], 33.0);
    check(230.0, [3.0, 30.0, 11.0], 0.0);
    check(60.0, [9.0, 9.0, 9.0], 130.0);
}

#[test]
fn better_than_the_plain_formula() {
    let check = |truth: Truth, seed: u64| {
        let seen = truth.observations(seed);
        let results = compare(&seen, seen[0].at_ms + 21 * DAY_MS, &Formula::backend());
        let [plain, _, counted, ours] = &results[..] else { panic!("{results:?}") };
        assert!(plain.error_share > 0.2 && plain.covered_busy_share < 0.02, "{plain:?}");
        assert!(counted.error_share > 0.1, "{counted:?}");
        assert!(ours.error_share < 0.04, "{ours:?}");
        assert!((0.93..=0.97).contains(&ours.covered_share), "{ours:?}");
        assert!((0.9..=0.98).contains(&ours.covered_busy_share), "{ours:?}");
    };
    for seed in 1..=2 {
        check(Truth::usual(), seed);
    }
    check(Truth { mix: Mix::Apart, ..Truth::usual() }, 4);
    check(Truth { mix: Mix::Locked, ..Truth::usual() }, 5);
    check(Truth { pods: 2, stay: Stay { tau_minutes: 34.0, share: 1.0 }, ..Truth::usual() }, 6);
    check(Truth { missed_per_mille: 600, ..Truth::usual() }, 7);
    check(Truth { stay: Stay { tau_minutes: 120.0, share: 0.3 }, ..Truth::usual() }, 8);
    let change = |day: u64, version: Option<&str>, factor: f64| Change {
        day,
        version: version.map(str::to_string),
        factor,
    };
    check(Truth { changes: vec![change(10, Some("2"), 1.3)], ..Truth::usual() }, 9);
    // Long ago, lately, and another in a version of its own.
    check(Truth { changes: vec![change(2, None, 1.25)], ..Truth::usual() }, 10);
    check(Truth { changes: vec![change(14, None, 1.2)], ..Truth::usual() }, 11);
    check(Truth { changes: vec![change(6, None, 0.85), change(14, Some("2"), 1.3)], ..Truth::usual() }, 12);
}

#[test]
fn what_wanders_does_not_drift() {
    for seed in 1..=2 {
        let truth = Truth { wander_share: 0.03, ..Truth::usual() };
        let seen = truth.observations(seed);
        let profile = learn(&seen, None, &Formula::backend()).pop().unwrap();
        assert_eq!(profile.drifts, []);
        let results = compare(&seen, seen[0].at_ms + 21 * DAY_MS, &Formula::backend());
        let ours = results.last().unwrap();
        assert!(ours.error_share < 0.045 && (0.92..=0.98).contains(&ours.covered_share), "{ours:?}");
    }
}

#[test]
fn roles_that_move_together_are_refused_by_name() {
    let truth = Truth { mix: Mix::Locked, days: 14, ..Truth::usual() };
    let profile = learned(&truth, 3).pop().unwrap();
    let refused: Vec<(String, String)> =
        profile.refused().map(|(role, refusal)| (role.to_string(), refusal.to_string())).collect();
    let check = |role: Role, reason: &str| {
        let found = refused.iter().find(|(name, _)| *name == role.as_str());
        assert!(found.is_some_and(|(_, text)| text.starts_with(reason)), "{role}: {found:?}");
        assert_eq!(profile.roles[&role].interval_mb, None);
    };
    check(Role::PARTICIPANT_VIDEO, "moves together with experimenter: variance inflation");
    check(Role::EXPERIMENTER, "moves together with participant_video: variance inflation");
    check(Role::PARTICIPANT_NO_VIDEO, "never seen");
    check(Role::ADMIN, "never seen");
    assert_eq!(profile.roles[&Role::ADMIN].mb, 30.0);
    // Each is what was published times one factor, which the saw makes a little more than 1.
    let factor = profile.joined[0].factor;
    assert!((1.0..1.1).contains(&factor), "{factor}");
    assert!((profile.roles[&Role::EXPERIMENTER].mb - 25.0 * factor).abs() < 1e-6);
    // Another mix than was seen is less certain than the same.
    let width = |video: u64, experimenters: u64| {
        let counts =
            Counts::new([(Role::PARTICIPANT_VIDEO, video), (Role::EXPERIMENTER, experimenters)].into())
                .unwrap();
        let projection = profile.project(&Ask { counts, pods: 1, connections: 0, uptime_hours: None });
        (projection.p95_bytes - projection.p50_bytes) as f64 / projection.p50_bytes as f64
    };
    assert!(width(0, 5) > 1.5 * width(10, 2), "{} {}", width(0, 5), width(10, 2));
}

#[test]
fn a_leak_is_told_from_none() {
    let check = |hour_mb: f64, restart_days: u64, is_leak: bool| {
        let mut truth = Truth { restart_days, days: 14, ..Truth::usual() };
        truth.formula.hour_mb = hour_mb;
        let profile = learned(&truth, 11).pop().unwrap();
        let growth = profile.growth.unwrap();
        assert_eq!(growth.is_leak, is_leak, "{growth:?}");
        assert_eq!(profile.hour_mb > 0.0, is_leak);
        // The saw adds its middle to the leak too; all of it within the interval, or half a MB beside it.
        let (low, high) = (growth.low_mb_per_day - 0.5, growth.high_mb_per_day + 0.5);
        assert!(low <= 24.0 * 1.06 * hour_mb && 24.0 * hour_mb <= high, "{growth:?}");
        assert!(profile.drifts.is_empty(), "{:?}", profile.drifts);
    };
    check(1.2, 2, true);
    check(0.3, 0, true);
    check(0.0, 2, false);
    check(0.0, 0, false);
}

#[test]
fn a_drift_is_found_within_a_day_and_fitted_anew() {
    let check = |factor: f64, seed: u64| {
        let change = Change { day: 10, version: None, factor };
        let truth = Truth { changes: vec![change], ..Truth::usual() };
        let seen = truth.observations(seed);
        let change_ms = seen[0].at_ms + 10 * DAY_MS;
        let profile = learn(until(&seen, 11 * DAY_MS), None, &Formula::backend()).pop().unwrap();
        let [drift] = profile.drifts[..] else { panic!("{:?}", profile.drifts) };
        assert!((drift.since_ms - change_ms).abs() <= 2 * HOUR_MS, "{drift:?}");
        assert!(drift.found_ms > change_ms && drift.found_ms <= change_ms + DAY_MS, "{drift:?}");
        assert!((drift.share - (factor - 1.0)).abs() < 0.05, "{drift:?}");
        assert_eq!((profile.history.len(), profile.since_ms), (1, drift.since_ms));
        assert!(is_near(profile.history[0].formula.base_mb, 106.0, 0.03), "{:?}", profile.history);
        assert!(is_near(profile.base.mb, 106.0 * factor, 0.06), "{:?}", profile.base);
        // A week later, told what was known: no more drifts, and all of it is found.
        let later = learn(until(&seen, 20 * DAY_MS), Some(&profile), &Formula::backend()).pop().unwrap();
        assert_eq!((later.drifts.len(), later.history.len()), (1, 1));
        assert!(is_near(later.roles[&Role::EXPERIMENTER].mb, 26.5 * factor, 0.05), "{later:?}");
    };
    check(1.2, 1);
    check(0.8, 2);
    check(1.1, 3);
}

#[test]
fn a_new_version_begins_with_what_was_known() {
    let deploy = Change { day: 10, version: Some("2".to_string()), factor: 1.3 };
    let truth = Truth { changes: vec![deploy], days: 14, ..Truth::usual() };
    let seen = truth.observations(5);
    let profiles = learn(&seen, None, &Formula::backend());
    let [one, two] = &profiles[..] else { panic!("{profiles:?}") };
    assert_eq!((one.app_version.as_str(), two.app_version.as_str()), ("1", "2"));
    assert!(one.drifts.is_empty() && two.drifts.is_empty(), "{:?} {:?}", one.drifts, two.drifts);
    assert!(is_near(two.base.mb, 1.3 * one.base.mb, 0.02), "{:?} {:?}", one.base, two.base);
    assert_eq!(two.history, [one.past()]);
    // Ten minutes after the deploy nothing else is known, and it says so.
    let fresh = learn(until(&seen, 10 * DAY_MS + 600_000), None, &Formula::backend()).pop().unwrap();
    assert_eq!((fresh.app_version.as_str(), fresh.is_assumed()), ("2", true));
    assert_eq!(fresh.formula(), one_at(&seen, 10 * DAY_MS).formula());
    // The same when only the version's own observations are there, and the profile before it.
    let own: Vec<Observation> = seen.iter().filter(|seen| seen.version == "2").cloned().collect();
    assert_eq!(learn(&own, Some(one), &Formula::backend()).last(), Some(two));
    assert_eq!(learn(&own, Some(two), &Formula::backend()).last(), Some(two));
}

#[test]
fn an_old_version_does_not_follow_from_a_new_one() {
    let deploy = Change { day: 3, version: Some("2".to_string()), factor: 1.3 };
    let seen = Truth { changes: vec![deploy], days: 6, ..Truth::usual() }.observations(5);
    let profiles = learn(&seen, None, &Formula::backend());
    assert_eq!(learn(&seen, profiles.last(), &Formula::backend()), profiles);
}

#[test]
fn a_router_is_fitted_by_its_connections() {
    let seen: Vec<Observation> = Truth { days: 3, ..Truth::clean() }
        .observations(1)
        .into_iter()
        .map(|seen| {
            let connections = 3 * seen.counts.total();
            let memory_bytes = (connections > 0).then_some(40_000_000 + connections * 2_000_000);
            Observation { connections: Some(connections), counts: Counts::default(), memory_bytes, ..seen }
        })
        .collect();
    let profile = learn(&seen, None, &Formula::router()).pop().unwrap();
    assert!(is_near(profile.base.mb, 40.0, 0.02), "{:?}", profile.base);
    assert!(is_near(profile.connection.as_ref().unwrap().mb, 2.0, 0.02), "{:?}", profile.connection);
    let ask = Ask { counts: Counts::default(), pods: 2, connections: 100, uptime_hours: None };
    assert!(is_near(profile.project(&ask).formula_mb, 280.0, 0.02));
}

fn one_at(seen: &[Observation], ms: i64) -> Profile {
    learn(until(seen, ms), None, &Formula::backend()).pop().unwrap()
}

#[test]
fn of_five_observations_nothing_is_learned() {
    let seen = Truth::usual().observations(1);
    let profile = learn(&seen[600..605], None, &Formula::backend()).pop().unwrap();
    assert_eq!(profile.formula(), Formula::backend());
    assert_eq!((profile.observations, profile.is_assumed(), profile.band.floor(0.95)), (5, true, None));
    assert!(profile.refused().all(|(_, refusal)| *refusal == Refusal::TooFewObservations));
    let counts = Counts::new([(Role::PARTICIPANT_VIDEO, 20), (Role::EXPERIMENTER, 3)].into()).unwrap();
    let projection = profile.project(&Ask { counts, pods: 1, connections: 0, uptime_hours: None });
    assert_eq!(
        (projection.formula_mb, projection.p50_bytes, projection.is_assumed),
        (475.0, 475_000_000, true)
    );
    assert!(projection.p95_bytes > 650_000_000 && projection.p99_bytes > 700_000_000, "{projection:?}");
    assert_eq!(learn(&[], None, &Formula::backend()), []);
}

#[test]
fn pods_and_roles_beyond_what_was_seen() {
    let profile = learned(&Truth { days: 14, ..Truth::usual() }, 2).pop().unwrap();
    let project = |role: Role, count: u64, pods: u32| {
        let counts = Counts::new([(role, count)].into()).unwrap();
        profile.project(&Ask { counts, pods, connections: 0, uptime_hours: Some(0.0) })
    };
    let [one, two] = [1, 2].map(|pods| project(Role::PARTICIPANT_VIDEO, 10, pods));
    let base_bytes = (profile.base.mb * 1e6) as u64;
    assert!((two.expected_bytes - one.expected_bytes).abs_diff(base_bytes) <= 2);
    assert!(two.p95_bytes - two.expected_bytes < 2 * (one.p95_bytes - one.expected_bytes));
    assert!(one.beyond.is_empty());
    let admins = project(Role::ADMIN, 4, 1);
    assert_eq!(admins.beyond, [Role::ADMIN]);
    assert!(admins.p95_bytes - admins.expected_bytes > 40_000_000, "{admins:?}");
    // A sum of loads is what is projected, and no less uncertain up to the highest use that was seen.
    let sum = profile.base_load(0.0) + profile.load(&Role::PARTICIPANT_VIDEO).times(10);
    assert!((sum.mean_bytes - one.expected_bytes as f64).abs() < 2.0);
    let line = sum.mean_bytes + profile.reach(0.95) * sum.variance_bytes2.sqrt();
    assert!(line >= one.p95_bytes as f64 - 1.0, "{line} {one:?}");
}
