//! The quantile of a sum against exact enumeration, and what it must never do.

use super::*;
use proptest::prelude::*;

const MB: f64 = 1e6;

fn load(mean_mb: f64, deviation_mb: f64) -> Load {
    Load { mean_bytes: mean_mb * MB, variance_bytes2: (deviation_mb * MB).powi(2) }
}

fn risk(chance: f64) -> Risk {
    Risk::try_from(chance).expect("a risk")
}

/// A number of people, each with a probability to come, a mean and a deviation in MB.
type Group = (u64, f64, f64, f64);

fn need(groups: &[Group]) -> Need {
    let of = |&(count, p, mean, deviation): &Group| Need::of_one(load(mean, deviation), p).times(count);
    groups.iter().map(of).fold(Need::NONE, Need::plus)
}

/// How likely so many of `n` come.
fn binomial(n: u64, p: f64) -> Vec<f64> {
    let mut chances = vec![1.0];
    for _ in 0..n {
        let mut next = vec![0.0; chances.len() + 1];
        for (at, chance) in chances.iter().enumerate() {
            next[at] += chance * (1.0 - p);
            next[at + 1] += chance * p;
        }
        chances = next;
    }
    chances
}

/// Every number that may come of each group: how likely, and the mean and variance then.
fn outcomes(groups: &[Group]) -> Vec<(f64, f64, f64)> {
    groups.iter().fold(vec![(1.0, 0.0, 0.0)], |all, &(n, p, mean, deviation)| {
        let come = binomial(n, p);
        let with = |&(chance, m, v): &(f64, f64, f64)| {
            let one = move |(k, it): (usize, &f64)| {
                (chance * it, m + k as f64 * mean, v + k as f64 * deviation * deviation)
            };
            come.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        all.iter().flat_map(with).collect()
    })
}

/// The chance to be above, without any approximation.
fn exact_chance_above(groups: &[Group], mb: f64) -> f64 {
    let above = |&(chance, mean, variance): &(f64, f64, f64)| {
        let by = mb - mean;
        let tail = chance_above(by.abs(), variance.sqrt());
        let certain = variance == 0.0;
        chance
            * if by >= 0.0 {
                if certain { 0.0 } else { tail }
            } else if certain {
                1.0
            } else {
                1.0 - tail
            }
    };
    outcomes(groups).iter().map(above).sum()
}

fn exact_quantile_mb(groups: &[Group], risk: f64) -> f64 {
    let (mut low, mut high) = (0.0, 100_000.0);
    for _ in 0..60 {
        let mid = (low + high) / 2.0;
        if exact_chance_above(groups, mid) <= risk { high = mid } else { low = mid }
    }
    high
}

#[test]
fn when_everybody_comes_it_is_exact() {
    let check = |groups: &[Group], chance: f64| {
        let (ours, exact) =
            (need(groups).at_risk_bytes(risk(chance)), exact_quantile_mb(groups, chance) * MB);
        assert!((ours as f64 - exact).abs() < 100.0, "{groups:?} at {chance}: {ours}, not {exact}");
    };
    check(&[(5, 1.0, 8.0, 2.0), (1, 1.0, 25.0, 5.0)], 0.05);
    check(&[(20, 1.0, 15.0, 4.0), (3, 1.0, 25.0, 5.0)], 0.01);
    check(&[(1, 1.0, 15.0, 4.0)], 0.001);
    check(&[(1, 1.0, 15.0, 0.0)], 0.001);
}

/// Never less than exactly needed but by 1 in 100 of it, and never more than by so many of the largest role.
#[test]
fn when_some_do_not_come_it_is_close_and_on_the_safe_side() {
    let mut worst = (0.0f64, 0.0f64);
    for n in [1, 2, 3, 5, 10, 25, 60] {
        for p in [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99] {
            for deviation in [0.0, 1.0, 4.0] {
                for chance in [0.2, 0.1, 0.05, 0.01, 0.001] {
                    let groups = [(n, p, 15.0, deviation), (2, 0.8, 25.0, deviation)];
                    let exact = exact_quantile_mb(&groups, chance);
                    let ours = need(&groups).at_risk_bytes(risk(chance)) as f64 / MB;
                    let (short, over) = (exact - ours, ours - exact);
                    worst = (worst.0.max(short / exact.max(1.0)), worst.1.max(over));
                    assert!(short <= exact * 0.01 + 0.1, "{groups:?} at {chance}: {ours}, not {exact}");
                    assert!(over <= 2.0 * 25.0, "{groups:?} at {chance}: {ours}, not {exact}");
                }
            }
        }
    }
}

#[test]
fn sums_are_pooled() {
    let one = need(&[(10, 0.9, 15.0, 4.0)]);
    let check = |count: u64| {
        let (sum, alone) =
            (one.times(count).at_risk_bytes(risk(0.05)), one.at_risk_bytes(risk(0.05)) * count);
        assert!(sum < alone, "{count}: {sum} {alone}");
    };
    check(2);
    check(50);
}

#[test]
fn the_published_formula_in_megabytes() {
    let check = |no_video: u64, video: u64, experimenters: u64, mb: u64| {
        let need = need(&[
            (1, 1.0, 100.0, 0.0),
            (no_video, 1.0, 8.0, 0.0),
            (video, 1.0, 15.0, 0.0),
            (experimenters, 1.0, 25.0, 0.0),
        ]);
        assert_eq!(need.at_risk_bytes(risk(0.01)), mb * 1_000_000);
    };
    check(5, 0, 1, 165);
    check(0, 10, 2, 300);
    check(0, 20, 3, 475);
}

#[test]
fn risks_and_roles_that_are_none() {
    for wrong in [0.0, -1.0, 0.6, f64::NAN, 1e-9] {
        assert!(Risk::try_from(wrong).is_err(), "{wrong}");
    }
    let loads = Loads::default();
    let counts = |count| Counts::new(BTreeMap::from([(Role::ADMIN, count)])).expect("counts");
    assert_eq!(loads.need(&counts(0)), Ok(Need::NONE));
    let error = loads.need(&counts(1)).expect_err("not known").to_string();
    assert!(error.starts_with("role \"admin\" has no known memory\n"), "{error}");
    assert_eq!(Need::of_one(load(f64::NAN, f64::INFINITY), f64::NAN).mean_bytes(), 0);
}

fn groups() -> impl Strategy<Value = Vec<Group>> {
    proptest::collection::vec((0u64..40, 0.0..=1.0f64, 0.0..50.0f64, 0.0..10.0f64), 1..4)
}

proptest! {
    #[test]
    fn who_comes_never_makes_it_less(one in groups(), other in groups(), chance in 1e-6..0.5f64) {
        let (one, other, risk) = (need(&one), need(&other), risk(chance));
        prop_assert!(one.plus(other).at_risk_bytes(risk) >= one.at_risk_bytes(risk));
        prop_assert_eq!(one.plus(other), other.plus(one));
        prop_assert!(one.at_risk_bytes(risk) >= one.at_risk_bytes(self::risk(0.5)));
    }

    #[test]
    fn the_chance_is_that_of_the_quantile(groups in groups(), chance in 1e-5..0.45f64) {
        let need = need(&groups);
        let had = need.chance_above(need.at_risk_bytes(risk(chance)));
        prop_assert!(had <= chance * 1.001, "{} {}", had, chance);
        prop_assert!(need.chance_above(u64::MAX) <= 1e-6);
    }
}
