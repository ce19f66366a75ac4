//! Replays a history through a policy that looks at one container at a time.

use super::{Decision, Extent, Schedule, Series, allowed, within};
use crate::sizing::Policy;

/// What it decides.
pub fn replay(series: &Series, schedule: &Schedule, policy: &mut dyn Policy) -> Vec<Decision> {
    let mut samples = series.samples.iter().peekable();
    let mut kills = series.oom_kills.iter().peekable();
    let mut decisions: Vec<Decision> = Vec::new();
    let mut used_bytes = 0;
    for (from_ms, to_ms) in schedule.windows(Extent::of(&series.samples)) {
        while let Some(sample) = samples.next_if(|sample| sample.at_ms < from_ms) {
            while let Some(kill) = kills.next_if(|kill| kill.at_ms <= sample.at_ms) {
                policy.oom(*kill);
            }
            policy.observe(*sample);
            used_bytes = sample.bytes;
        }
        while let Some(kill) = kills.next_if(|kill| kill.at_ms < from_ms) {
            policy.oom(*kill);
        }
        if let Some(size) = policy.size(from_ms).filter(|size| size.limit_bytes > 0) {
            let limit_now = decisions.last().map(|last| last.limit_bytes).filter(|_| schedule.closed_loop);
            let limit_bytes = allowed(limit_now, size.limit_bytes, used_bytes);
            decisions.push(Decision { from_ms, to_ms, limit_bytes });
        }
    }
    decisions
}

/// The highest of each window: no fixed limit for its length can leave less and not be passed.
pub fn oracle(series: &Series, schedule: &Schedule) -> Vec<Decision> {
    let of = |(from_ms, to_ms)| {
        let highest = within(&series.samples, from_ms, to_ms).iter().map(|sample| sample.bytes).max()?;
        Some(Decision { from_ms, to_ms, limit_bytes: highest })
    };
    let windows = schedule.windows(Extent::of(&series.samples));
    windows.filter_map(of).filter(|decision| decision.limit_bytes > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::fleet::fleet;
    use crate::backtest::packed::Packed;
    use crate::backtest::score::Score;
    use crate::size::MIB;
    use crate::sizing::krr::Krr;
    use crate::sizing::plimsoll::fleet::Risk;
    use crate::sizing::{HOUR_MS, OomKill, Sample, Size};
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
        let packed: Vec<Packed> = fleet_of.iter().map(Packed::of).collect();
        let ours = fleet(&packed, &SCHEDULE, Risk::AsUsual).decisions;
        let score = Score::of(&fleet_of[3], &ours[3]);
        let krr = Score::of(&fleet_of[3], &replay(&fleet_of[3], &SCHEDULE, &mut Krr::new(0)));
        assert_eq!((score.windows_exceeded, krr.windows_exceeded, score.decisions), (0, 0, krr.decisions));
        assert!(score.slack() < 0.08 && krr.slack() > 0.12, "{} {}", score.slack(), krr.slack());
    }

    /// Wants the next of these sizes each time.
    struct Wants(Vec<u64>);

    impl Policy for Wants {
        fn observe(&mut self, _: Sample) {}
        fn oom(&mut self, _: OomKill) {}
        fn size(&mut self, _: i64) -> Option<Size> {
            Some(Size::both(self.0.remove(0)))
        }
    }

    #[test]
    fn a_shrink_below_use_is_refused_in_a_closed_loop() {
        let series = series("a", [500; 60].into_iter().chain([1000; 60]));
        let check = |closed_loop, expect: [u64; 4]| {
            let schedule = Schedule { train_ms: 30 * 60_000, horizon_ms: 20 * 60_000, closed_loop };
            let decisions = replay(&series, &schedule, &mut Wants(vec![1200, 600, 1500, 900]));
            let limits: Vec<u64> = decisions.iter().map(|decision| decision.limit_bytes).collect();
            assert_eq!(limits, expect);
        };
        check(false, [1200, 600, 1500, 900]);
        // 500 are used at first, so that 600 are allowed; 1000 at the end, so that 900 are not.
        check(true, [1200, 600, 1500, 1500]);
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
                known(fleet(&[Packed::of(series)], &SCHEDULE, Risk::AsUsual).decisions.remove(0))
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
