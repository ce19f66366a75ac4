//! Replays histories through policies.

use super::{Decision, Schedule, Series, within};
use crate::sizing::plimsoll::LOOKS;
use crate::sizing::plimsoll::Looks;
use crate::sizing::plimsoll::evidence::{Own, Tracker, Window};
use crate::sizing::plimsoll::fleet::{Asked, Fleet, Given, Risk};
use crate::sizing::plimsoll::ledger::Choices;
use crate::sizing::{Policy, Sample};
use std::collections::HashMap;

/// Decisions of a policy that looks at one series at a time.
pub fn replay(series: &Series, schedule: &Schedule, policy: &mut dyn Policy) -> Vec<Decision> {
    let mut samples = series.samples.iter().peekable();
    let mut kills = series.oom_kills.iter().peekable();
    let mut decisions = Vec::new();
    for (from_ms, to_ms) in schedule.windows(&series.samples) {
        while let Some(sample) = samples.next_if(|sample| sample.at_ms < from_ms) {
            while let Some(kill) = kills.next_if(|kill| kill.at_ms <= sample.at_ms) {
                policy.oom(*kill);
            }
            policy.observe(*sample);
        }
        while let Some(kill) = kills.next_if(|kill| kill.at_ms < from_ms) {
            policy.oom(*kill);
        }
        if let Some(size) = policy.size(from_ms).filter(|size| size.limit_bytes > 0) {
            decisions.push(Decision { from_ms, to_ms, limit_bytes: size.limit_bytes });
        }
    }
    enforce(series, schedule, &mut decisions);
    decisions
}

/// In a closed loop a shrink below what is used is refused: the limit stays.
fn enforce(series: &Series, schedule: &Schedule, decisions: &mut [Decision]) {
    if !schedule.closed_loop {
        return;
    }
    let mut limit_now: Option<u64> = None;
    for decision in decisions {
        let before = series.samples.partition_point(|sample| sample.at_ms < decision.from_ms);
        let used = before.checked_sub(1).map_or(0, |last| series.samples[last].bytes);
        decision.limit_bytes = match limit_now {
            Some(now) if decision.limit_bytes < now && decision.limit_bytes < used => now,
            _ => decision.limit_bytes,
        };
        limit_now = Some(decision.limit_bytes);
    }
}

/// The highest of each window: no fixed limit for its length can leave less and not be passed.
pub fn oracle(series: &Series, schedule: &Schedule) -> Vec<Decision> {
    let of = |(from_ms, to_ms)| {
        let highest = within(&series.samples, from_ms, to_ms).iter().map(|sample| sample.bytes).max()?;
        Some(Decision { from_ms, to_ms, limit_bytes: highest })
    };
    schedule.windows(&series.samples).filter_map(of).filter(|decision| decision.limit_bytes > 0).collect()
}

/// What our rule has to know of a series: its windows, and what the looks showed when decisions were due.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    windows: Vec<Window>,
    due: Vec<Due>,
}

#[derive(Debug, Clone, Copy)]
struct Due {
    from_ms: i64,
    to_ms: i64,
    looks: [u64; LOOKS],
}

/// Evidence is taken four times a horizon, in a closed loop once.
const STRIDES: i64 = 4;

/// Condenses a series; each by itself, so that many can be done at the same time.
pub fn outline(series: &Series, schedule: &Schedule) -> Outline {
    let (looks, stride_ms) = if schedule.closed_loop {
        (Looks::of_loop(schedule.horizon_ms), schedule.horizon_ms)
    } else {
        (Looks::of_horizon(schedule.horizon_ms), schedule.horizon_ms / STRIDES)
    };
    let mut tracker = Tracker::new(looks, schedule.horizon_ms, stride_ms);
    let mut outline = Outline::default();
    let mut samples = series.samples.iter().peekable();
    let mut take = |tracker: &mut Tracker, windows: &mut Vec<Window>, until_ms: i64| {
        while let Some(sample) = samples.next_if(|sample: &&Sample| sample.at_ms < until_ms) {
            tracker.observe(*sample, |window| windows.push(window));
        }
    };
    for (from_ms, to_ms) in schedule.windows(&series.samples) {
        take(&mut tracker, &mut outline.windows, from_ms);
        if let Some(looks) = tracker.looks(from_ms) {
            outline.due.push(Due { from_ms, to_ms, looks });
        }
    }
    outline
}

/// What happens to a series, in the order in which it is known where it happens at the same time: a window ends, one begins,
/// a decision is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ends,
    Begins,
    Due,
}

/// Time, kind, series, and the number of the window or decision in it.
type Event = (i64, Kind, usize, usize);

/// Decisions for a whole fleet, and the chance of each to be passed, as it was reckoned; `None` where nothing was known yet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decided {
    /// Of each series, in the order of time.
    pub decisions: Vec<Vec<Decision>>,
    /// Likewise.
    pub chances: Vec<Vec<Option<f64>>>,
}

/// Decisions of our rule for a whole fleet, which learns from all of it in the order of time.
pub fn fleet(series: &[Series], outlines: &[Outline], schedule: &Schedule, risk: Risk) -> Decided {
    let mut fleet = Fleet::new(risk);
    let mut owns = vec![Own::default(); outlines.len()];
    let mut open: HashMap<(usize, usize), Choices> = HashMap::new();
    let mut decided =
        Decided { decisions: vec![Vec::new(); outlines.len()], chances: vec![Vec::new(); outlines.len()] };
    let events = events(outlines, schedule, risk);
    for together in events.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
        match together[0].1 {
            Kind::Ends => {
                for (_, _, index, number) in together {
                    let window = &outlines[*index].windows[*number];
                    if let Some(choices) = open.remove(&(*index, *number)) {
                        fleet.settle(&choices, window);
                    }
                    fleet.learn(&mut owns[*index], window);
                }
            }
            Kind::Begins => {
                let known = fleet.known();
                for (_, _, index, number) in together {
                    let outlook = known.outlook(&owns[*index]);
                    open.extend(outlook.map(|outlook| ((*index, *number), Choices::of(&outlook))));
                }
            }
            Kind::Due => {
                let due = |(_, _, index, number): &Event| (*index, outlines[*index].due[*number]);
                let asked: Vec<Asked> = together
                    .iter()
                    .map(due)
                    .map(|(index, due)| Asked { own: &owns[index], looks: due.looks })
                    .collect();
                let given: Vec<Given> = fleet.decide(&asked);
                for ((index, due), given) in together.iter().map(due).zip(given) {
                    let Due { from_ms, to_ms, .. } = due;
                    decided.chances[index].push(given.chance);
                    decided.decisions[index].push(Decision {
                        from_ms,
                        to_ms,
                        limit_bytes: given.limit_bytes,
                    });
                }
            }
        }
    }
    for (series, decisions) in series.iter().zip(&mut decided.decisions) {
        enforce(series, schedule, decisions);
    }
    decided
}

/// All that happens, sorted: the same on every machine.
fn events(outlines: &[Outline], schedule: &Schedule, risk: Risk) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for (index, outline) in outlines.iter().enumerate() {
        for (number, window) in outline.windows.iter().enumerate() {
            events.push((window.end_ms, Kind::Ends, index, number));
            // Where all the slack is spent on safety, nobody asks how safe it is.
            if risk != Risk::LeastForSlack {
                events.push((window.end_ms - schedule.horizon_ms, Kind::Begins, index, number));
            }
        }
        events.extend(
            outline.due.iter().enumerate().map(|(number, due)| (due.from_ms, Kind::Due, index, number)),
        );
    }
    events.sort_unstable();
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::score::Score;
    use crate::size::MIB;
    use crate::sizing::HOUR_MS;
    use crate::sizing::krr::Krr;
    use proptest::prelude::*;

    fn series(id: &str, bytes: impl IntoIterator<Item = u64>) -> Series {
        let samples = bytes
            .into_iter()
            .enumerate()
            .map(|(minute, bytes)| Sample { at_ms: minute as i64 * 60_000, bytes });
        Series { id: id.into(), samples: samples.collect(), oom_kills: Vec::new(), limit_bytes: None }
    }

    const SCHEDULE: Schedule = Schedule { train_ms: 4 * HOUR_MS, horizon_ms: HOUR_MS, closed_loop: false };

    #[test]
    fn a_flat_fleet_is_sized_closely() {
        let fleet_of: Vec<Series> = (0..20u64)
            .map(|number| {
                series("flat", (0..900).map(move |minute| (1000 + number) << 20 | (minute * 7919 % 1024)))
            })
            .collect();
        let outlines: Vec<Outline> = fleet_of.iter().map(|series| outline(series, &SCHEDULE)).collect();
        let ours = fleet(&fleet_of, &outlines, &SCHEDULE, Risk::AsUsual).decisions;
        let score = Score::of(&fleet_of[3], &ours[3]);
        let krr = Score::of(&fleet_of[3], &replay(&fleet_of[3], &SCHEDULE, &mut Krr::new(0)));
        assert_eq!((score.windows_exceeded, krr.windows_exceeded, score.decisions), (0, 0, krr.decisions));
        assert!(score.slack() < 0.08 && krr.slack() > 0.12, "{} {}", score.slack(), krr.slack());
    }

    #[test]
    fn a_shrink_below_use_is_refused() {
        let schedule = Schedule { train_ms: HOUR_MS, horizon_ms: 5 * 60_000, closed_loop: true };
        let series = series("a", (0..300).map(|minute| if minute < 100 { 500 } else { 1000 }));
        let mut decisions = vec![
            Decision { from_ms: 90 * 60_000, to_ms: 95 * 60_000, limit_bytes: 1200 },
            Decision { from_ms: 200 * 60_000, to_ms: 205 * 60_000, limit_bytes: 900 },
            Decision { from_ms: 205 * 60_000, to_ms: 210 * 60_000, limit_bytes: 1100 },
        ];
        enforce(&series, &schedule, &mut decisions);
        assert_eq!(
            decisions.iter().map(|decision| decision.limit_bytes).collect::<Vec<_>>(),
            [1200, 1200, 1100]
        );
    }

    proptest! {
        /// Nothing that comes after a decision can have changed it.
        #[test]
        fn no_policy_sees_the_future(mib in prop::collection::vec(1u64..5000, 400..600), cut in 300usize..400) {
            let whole = series("a", mib.iter().map(|mib| mib * MIB));
            let mut changed = mib.clone();
            changed[cut..].iter_mut().for_each(|mib| *mib = 5000 - *mib + 1);
            let other = series("a", changed.iter().map(|mib| mib * MIB));
            let cut_ms = cut as i64 * 60_000;
            let known = |decisions: Vec<Decision>| {
                decisions.into_iter().filter(|decision| decision.from_ms <= cut_ms).collect::<Vec<_>>()
            };
            let krr = |series: &Series| known(replay(series, &SCHEDULE, &mut Krr::new(0)));
            prop_assert_eq!(krr(&whole), krr(&other));
            let ours = |series: &Series| {
                let outlines = [outline(series, &SCHEDULE)];
                known(fleet(std::slice::from_ref(series), &outlines, &SCHEDULE, Risk::AsUsual).decisions.remove(0))
            };
            prop_assert_eq!(ours(&whole), ours(&other));
        }

        #[test]
        fn the_oracle_is_never_passed(bytes in prop::collection::vec(1u64..5000, 400..600)) {
            let series = series("a", bytes);
            let score = Score::of(&series, &oracle(&series, &SCHEDULE));
            prop_assert_eq!(score.samples_exceeded, 0);
            prop_assert!((score.slack() - score.oracle_slack()).abs() < 1e-9);
        }
    }
}
