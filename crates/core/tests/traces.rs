//! What our rule has to get right that others get wrong, each on a trace that shows it.

use plimsoll_core::backtest::fleet::fleet;
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::backtest::replay::replay;
use plimsoll_core::backtest::score::Score;
use plimsoll_core::backtest::{Decision, Schedule, Series};
use plimsoll_core::size::MIB;
use plimsoll_core::sizing::krr::Krr;
use plimsoll_core::sizing::plimsoll::fleet::Risk;
use plimsoll_core::sizing::vpa::Vpa;
use plimsoll_core::sizing::{DAY_MS, HOUR_MS, Sample};

const DAILY: Schedule = Schedule { train_ms: 14 * DAY_MS, horizon_ms: DAY_MS, closed_loop: false };

/// Hourly use in MiB by day and hour.
fn series(days: i64, mib: impl Fn(i64, i64) -> f64) -> Series {
    let sample =
        |hour: i64| Sample { at_ms: hour * HOUR_MS, bytes: (mib(hour / 24, hour % 24) * MIB as f64) as u64 };
    Series {
        id: "trace".into(),
        samples: (0..days * 24).map(sample).collect(),
        oom_kills: Vec::new(),
        limit_bytes: None,
    }
}

/// Noise of so many parts in a thousand, the same each time.
fn noise(seed: i64, per_mille: f64) -> f64 {
    let mixed = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    1.0 + ((mixed >> 40) as f64 / (1u64 << 24) as f64 - 0.5) * per_mille / 500.0
}

/// A usual fleet of forty, flat and daily ones, with the trace among them: what is decided for the trace.
fn ours(trace: &Series, schedule: &Schedule) -> Vec<Decision> {
    let days = trace.samples.len() as i64 / 24;
    let mut all: Vec<Series> = (0..40)
        .map(|number: i64| {
            let mib = 80.0 + 30.0 * number as f64;
            let swing = if number % 2 == 0 { 0.0 } else { 0.4 };
            series(days, |day, hour| {
                let daily = 1.0 + swing * ((hour as f64 - 14.0) / 6.0).powi(2).mul_add(-0.5, 0.0).exp();
                mib * daily * noise(number * 7_777_777 + day * 24 + hour, 20.0)
            })
        })
        .collect();
    all.push(trace.clone());
    let all: Vec<Packed> = all.iter().map(Packed::of).collect();
    fleet(&all, schedule, Risk::AsUsual).decisions.remove(40)
}

fn vpa(trace: &Series, schedule: &Schedule) -> Vec<Decision> {
    replay(trace, schedule, &mut Vpa::new(0))
}

fn krr(trace: &Series, schedule: &Schedule) -> Vec<Decision> {
    replay(trace, schedule, &mut Krr::new(0))
}

fn exceeded(trace: &Series, decisions: &[Decision]) -> u64 {
    Score::of(trace, decisions).windows_exceeded
}

#[test]
fn a_weekly_peak_is_not_forgotten() {
    let trace =
        series(
            56,
            |day, hour| if day % 7 == 4 && hour == 2 { 2000.0 } else { 500.0 * noise(day * 24 + hour, 20.0) },
        );
    // The Vertical Pod Autoscaler forgets in three days: every Monday is passed.
    assert_eq!(exceeded(&trace, &vpa(&trace, &DAILY)), 6);
    assert_eq!(exceeded(&trace, &ours(&trace, &DAILY)), 0);
}

#[test]
fn a_monthly_peak_is_not_forgotten() {
    let weekly = Schedule { horizon_ms: 7 * DAY_MS, ..DAILY };
    let trace =
        series(
            180,
            |day, hour| {
                if day % 30 == 12 && hour == 2 { 2000.0 } else { 500.0 * noise(day * 24 + hour, 20.0) }
            },
        );
    let (ours, krr, vpa) = (ours(&trace, &weekly), krr(&trace, &weekly), vpa(&trace, &weekly));
    // KRR forgets after 14 days, so every month is passed. Ours may be passed the first time or two.
    assert!(exceeded(&trace, &krr) >= 5 && exceeded(&trace, &vpa) >= 5);
    assert!(exceeded(&trace, &ours) <= 2, "{}", exceeded(&trace, &ours));
}

#[test]
fn small_ones_that_are_steady_are_not_over_sized() {
    let trace = series(42, |day, hour| 11.0 * noise(day * 24 + hour, 4.0));
    let mean = |decisions: &[Decision]| {
        decisions.iter().map(|one| one.limit_bytes as f64).sum::<f64>() / decisions.len() as f64 / MIB as f64
    };
    let (ours, vpa) = (mean(&ours(&trace, &DAILY)), mean(&vpa(&trace, &DAILY)));
    assert!(vpa > 21.0 && ours < 12.7, "{vpa} {ours}");
}

fn mib(decisions: &[Decision], day: i64) -> u64 {
    let at = decisions.iter().find(|decision| decision.from_ms >= day * DAY_MS);
    at.map_or(0, |decision| decision.limit_bytes / MIB)
}

#[test]
fn one_outlier_does_not_pin_the_size_for_ever() {
    // Once, on day 20, five times as much for an hour.
    let trace =
        series(
            75,
            |day, hour| {
                if (day, hour) == (20, 3) { 2500.0 } else { 500.0 * noise(day * 24 + hour, 20.0) }
            },
        );
    let (ours, krr) = (ours(&trace, &DAILY), krr(&trace, &DAILY));
    // It may be a peak that comes each month: for as long as that it is remembered, at little more than it was.
    assert!((500..530).contains(&mib(&ours, 20)), "{}", mib(&ours, 20));
    assert!((2500..2600).contains(&mib(&ours, 34)), "{}", mib(&ours, 34));
    assert!(mib(&ours, 60) < 600, "{}", mib(&ours, 60));
    assert!(mib(&krr, 33) > 2800 && mib(&krr, 35) < 600);
}

#[test]
fn a_level_step_is_followed() {
    // Up by half on day 25, down to less than a third on day 40.
    let level = |day: i64| {
        if day < 25 {
            400.0
        } else if day < 40 {
            600.0
        } else {
            160.0
        }
    };
    let trace = series(60, |day, hour| level(day) * noise(day * 24 + hour, 20.0));
    let (ours, krr) = (ours(&trace, &DAILY), krr(&trace, &DAILY));
    assert!(exceeded(&trace, &ours) <= 1);
    assert!((600..=920).contains(&mib(&ours, 27)), "{}", mib(&ours, 27));
    // KRR reserves for the old level for 14 days; ours two days later has room for one more such step, and no more.
    assert!(mib(&ours, 42) <= 260 && mib(&krr, 42) > 680, "{} {}", mib(&ours, 42), mib(&krr, 42));
}
