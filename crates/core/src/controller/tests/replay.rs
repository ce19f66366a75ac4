//! The controller decides what `backtest --resize-every` says it would.

use super::*;
use crate::backtest::fleet::fleet;
use crate::backtest::packed::Packed;
use crate::backtest::{Schedule, Series};
use crate::controller::sizing::Sizing;
use crate::sizing::Sample;

/// A fleet of flat, daily, rising, stepping and restless containers, a sample a minute, by a fixed generator.
fn traces(count: usize, minutes: usize) -> Vec<Series> {
    let trace = |number: usize| {
        let mut noise = number as u64 * 7919 + 1;
        let samples = (0..minutes).map(|minute| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let chance = (noise >> 33) as f64 / f64::from(1u32 << 31);
            let base = 100.0 + number as f64;
            let used = match number % 5 {
                0 => base,
                1 => base * (1.5 + (minute as f64 / 1440.0 * std::f64::consts::TAU).sin() / 2.0),
                2 => base + minute as f64 / 20.0,
                3 => base * (1.0 + (minute / 700) as f64 / 3.0),
                _ => base * (1.0 + chance * chance),
            };
            Sample {
                at_ms: minute as i64 * MINUTE_MS,
                bytes: (used * (1.0 + chance / 50.0) * MIB as f64) as u64,
            }
        });
        Series { id: format!("c{number:03}"), samples: samples.collect(), ..Series::default() }
    };
    (0..count).map(trace).collect()
}

fn check(risk: Risk) {
    let series = traces(25, 2 * 1440);
    let packed: Vec<Packed> = series.iter().map(Packed::of).collect();
    let schedule = Schedule { train_ms: 60 * MINUTE_MS, horizon_ms: EVERY_MS, closed_loop: true };
    let expected = fleet(&packed, &schedule, risk);
    let ids: Vec<ContainerId> = series.iter().map(|series| container_id(&series.id)).collect();
    let policy = policy(Mode::Auto);
    let mut sizing = Sizing::new(EVERY_MS, schedule.train_ms);
    let mut decided: Vec<Vec<u64>> = vec![Vec::new(); series.len()];
    for minute in 0..2 * 1440 {
        let at_ms = minute as i64 * MINUTE_MS;
        if at_ms >= schedule.train_ms && at_ms % EVERY_MS == 0 {
            let wanted = sizing.decide(at_ms, ids.iter().map(|id| (id, &policy)));
            for (decided, id) in decided.iter_mut().zip(&ids) {
                decided.extend(wanted.get(id).map(|wanted| wanted.rule_bytes));
            }
        }
        let used =
            series.iter().zip(&ids).map(|(series, id)| (id.clone(), series.samples[minute].bytes, risk));
        sizing.observe(at_ms, used);
        // A restart in between changes nothing.
        if minute % 997 == 0 {
            let (whole, parts) = sizing.into_parts();
            let text = serde_json::to_string(&(whole, parts)).expect("a text");
            let (whole, parts): (Sizing, Vec<_>) = serde_json::from_str(&text).expect("what it was");
            sizing = whole;
            sizing.add(parts);
        }
    }
    for ((series, decided), expected) in series.iter().zip(&decided).zip(&expected.decisions) {
        let expected: Vec<u64> = expected.iter().map(|decision| decision.limit_bytes).collect();
        assert!(expected.len() > 500, "{}", expected.len());
        assert_eq!(decided, &expected, "{}", series.id);
    }
}

#[test]
fn decisions_are_those_of_a_backtest() {
    check(Risk::LeastForSlack);
}

#[test]
fn at_another_risk_too() {
    check(Risk::Share(0.001));
}
