use super::super::learn::learn;
use super::super::observation::Observation;
use super::super::plain::Formula;
use super::super::profile::Profile;
use super::super::project::Ask;
use super::super::retained::Stay;
use super::super::truth::{Mix, Truth};
use crate::capacity::roles::{COUNT_MAX, Counts, Role};
use proptest::prelude::*;

fn roles() -> [Role; 5] {
    [
        Role::PARTICIPANT_VIDEO,
        Role::PARTICIPANT_NO_VIDEO,
        Role::EXPERIMENTER,
        Role::ADMIN,
        Role::new("observer").unwrap(),
    ]
}

/// Whatever a client may send that is not refused, and more.
fn any_observation() -> impl Strategy<Value = Observation> {
    let count = prop_oneof![0..20u64, 0..=COUNT_MAX];
    (
        prop_oneof![0..10_000_000_000i64, any::<i64>()],
        (0..3u8, 0..3u8),
        prop_oneof![
            Just(None),
            (1..2_000_000_000u64).prop_map(Some),
            (1..=1u64 << 50).prop_map(Some),
            any::<u64>().prop_map(Some)
        ],
        prop::collection::vec(count, 5),
        prop::option::of(prop_oneof![0..10_000_000_000u64, any::<u64>()]),
        prop::option::of(0..100_000u64),
    )
        .prop_map(|(at_ms, (pod, version), memory_bytes, counts, uptime_ms, connections)| Observation {
            at_ms,
            pod: format!("pod-{pod}"),
            version: version.to_string(),
            memory_bytes,
            counts: Counts::new(roles().into_iter().zip(counts).collect()).unwrap(),
            uptime_ms,
            connections,
        })
}

fn check(profile: &Profile) -> Result<(), TestCaseError> {
    let coefficients = [&profile.base].into_iter().chain(profile.roles.values()).chain(&profile.connection);
    for coefficient in coefficients {
        prop_assert!(coefficient.mb.is_finite() && coefficient.mb >= 0.0, "{coefficient:?}");
        if let Some((low, high)) = coefficient.interval_mb {
            prop_assert!(low.is_finite() && high.is_finite() && 0.0 <= low && low <= high);
        }
    }
    prop_assert!(profile.hour_mb.is_finite() && profile.hour_mb >= 0.0);
    prop_assert!(profile.band.scores.iter().all(|score| score.is_finite()));
    prop_assert!(profile.band.scores.is_sorted());
    for role in roles() {
        let load = profile.load(&role);
        prop_assert!(load.mean_bytes.is_finite() && load.mean_bytes >= 0.0);
        prop_assert!(load.variance_bytes2.is_finite() && load.variance_bytes2 >= 0.0, "{load:?}");
    }
    let text = serde_json::to_string(profile).unwrap();
    prop_assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile.clone());
    Ok(())
}

fn check_monotone(
    profile: &Profile,
    counts: &[u64],
    role: usize,
    more: u64,
    pods: u32,
) -> Result<(), TestCaseError> {
    let project = |counts: &[u64]| {
        let counts = Counts::new(roles().into_iter().zip(counts.iter().copied()).collect()).unwrap();
        profile.project(&Ask { counts, pods, connections: 10, uptime_hours: Some(5.0) })
    };
    let one = project(counts);
    let mut counts = counts.to_vec();
    counts[role] = (counts[role] + more).min(COUNT_MAX);
    let other = project(&counts);
    prop_assert!(one.p50_bytes <= one.p95_bytes && one.p95_bytes <= one.p99_bytes, "{one:?}");
    // What is rounded up may be a byte more, and of a large number more than that.
    let is_less = |one: u64, other: u64| one <= other + 1 + one / 1_000_000_000;
    prop_assert!(is_less(one.expected_bytes, other.expected_bytes), "{one:?} {other:?}");
    prop_assert!(is_less(one.p50_bytes, other.p50_bytes), "{one:?} {other:?}");
    prop_assert!(is_less(one.p95_bytes, other.p95_bytes), "{one:?} {other:?}");
    prop_assert!(is_less(one.p99_bytes, other.p99_bytes), "{one:?} {other:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_is_observed_breaks_it(
        observations in prop::collection::vec(any_observation(), 0..300),
        counts in prop::collection::vec(0..50u64, 5), role in 0..5usize, more in 0..50u64, pods in 0..5u32,
        is_router in any::<bool>(),
    ) {
        let published = if is_router { Formula::router() } else { Formula::backend() };
        for profile in learn(&observations, None, &published) {
            check(&profile)?;
            check_monotone(&profile, &counts, role, more, pods)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn more_days_of_one_truth_say_the_same_more_certainly(
        seed in any::<u64>(), mix in prop_oneof![Just(Mix::Apart), Just(Mix::Tracking), Just(Mix::Locked)],
        tau_minutes in 0f64..120.0, share in 0.2f64..1.0, base_mb in 50f64..400.0, scale in 0.3f64..3.0,
        counts in prop::collection::vec(0..50u64, 5), role in 0..5usize, more in 0..50u64,
    ) {
        let mut truth = Truth { mix, stay: Stay { tau_minutes, share }, days: 12, ..Truth::usual() };
        truth.formula.base_mb = base_mb;
        truth.formula.roles_mb.values_mut().for_each(|mb| *mb *= scale);
        let seen = truth.observations(seed);
        let few = learn(&seen[..seen.len() / 3], None, &Formula::backend()).pop().unwrap();
        let many = learn(&seen, None, &Formula::backend()).pop().unwrap();
        for profile in [&few, &many] {
            check(profile)?;
            check_monotone(profile, &counts, role, more, 2)?;
            prop_assert!(profile.drifts.is_empty(), "{:?}", profile.drifts);
        }
        for (role, late) in &many.roles {
            let early = few.roles.get(role).and_then(|early| early.interval_mb);
            if let (Some((early_low, early_high)), Some((low, high))) = (early, late.interval_mb) {
                // Twice as far out as the early interval, and 3 % for the saw's middle.
                let reach = (early_high - early_low) + 0.03 * early_high;
                prop_assert!(late.mb >= early_low - reach && late.mb <= early_high + reach, "{role} {early:?} {late:?}");
                prop_assert!(high - low <= 1.5 * (early_high - early_low) + 0.02 * late.mb, "{role} {early:?} {late:?}");
            }
        }
    }
}
