//! The fleet's say: our rule on profiles, as [a backtest](crate::backtest) has it on samples.
//!
//! Windows of the past are taken every quarter of a horizon, for all containers at the same times, and learnt in the order
//! of time; then every container gets the size that the fleet's risk allows. Nothing is kept for a container but its
//! windows, so that 100,000 of them are no matter.

use super::past::{Packed, Past};
use super::profile::Profile;
use crate::sizing::plimsoll::Looks;
use crate::sizing::plimsoll::fleet::{Fleet, Given, Risk, given};
use crate::sizing::plimsoll::ledger::Choices;
use crate::sizing::plimsoll::pool::Known;
use std::collections::VecDeque;

/// When sizes are asked for, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Now, in milliseconds since 1970.
    pub now_ms: i64,
    /// How far back history goes, in milliseconds.
    pub window_ms: i64,
    /// How long a size stays, in milliseconds.
    pub horizon_ms: i64,
    /// The risk the fleet may take.
    pub risk: Risk,
}

impl Terms {
    /// How far back each look goes.
    pub fn looks(&self) -> Looks {
        Looks::of_horizon(self.horizon_ms)
    }
}

/// The size of each profile, by our rule; `None` where nothing was used.
pub fn sizes(profiles: &[&Profile], terms: &Terms) -> Vec<Option<Given>> {
    let past = Past::new(terms);
    let windows: Vec<Vec<Packed>> = profiles.iter().map(|profile| past.windows(profile)).collect();
    let fleet = learn(&past, &windows, terms);
    decide(fleet, &past, profiles, &windows, terms.now_ms)
}

fn learn(past: &Past, windows: &[Vec<Packed>], terms: &Terms) -> Fleet {
    let mut fleet = Fleet::new(terms.risk);
    // What was known when the windows began that are still under way.
    let mut known: VecDeque<(i64, Known)> = VecDeque::new();
    for end_ms in past.ends() {
        let start_ms = end_ms - terms.horizon_ms;
        let ended = || {
            windows.iter().filter_map(|own| {
                let packed = own.iter().find(|packed| past.end_ms(packed) == end_ms)?;
                Some((own, past.unpack(packed)))
            })
        };
        while known.front().is_some_and(|(at_ms, _)| *at_ms < start_ms) {
            known.pop_front();
        }
        if let Some((_, known)) = known.front().filter(|(at_ms, _)| *at_ms == start_ms) {
            for (windows, window) in ended() {
                if let Some(outlook) = known.outlook(&past.own(windows, start_ms)) {
                    fleet.settle(&Choices::of(&outlook), &window);
                }
            }
        }
        for (windows, window) in ended() {
            fleet.learn(&mut past.own(windows, end_ms - 1), &window);
        }
        known.push_back((end_ms, fleet.known()));
    }
    fleet
}

/// Twice through all containers, as what the fleet may pay depends on all of them: outlooks are larger than profiles, and made anew.
fn decide(
    mut fleet: Fleet,
    past: &Past,
    profiles: &[&Profile],
    windows: &[Vec<Packed>],
    now_ms: i64,
) -> Vec<Option<Given>> {
    let known = fleet.known();
    let outlook = |windows: &[Packed]| known.outlook(&past.own(windows, now_ms));
    windows.iter().filter_map(|windows| outlook(windows)).for_each(|outlook| fleet.charge(&outlook));
    let price = fleet.price();
    let size = |(profile, windows): (&&Profile, &Vec<Packed>)| {
        let shown = past.shown(profile, now_ms)?;
        Some(given(&shown, outlook(windows).as_ref(), price))
    };
    profiles.iter().zip(windows).map(size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sizing::{DAY_MS, HOUR_MS};

    const TERMS: Terms =
        Terms { now_ms: 14 * DAY_MS, window_ms: 14 * DAY_MS, horizon_ms: 84 * HOUR_MS, risk: Risk::AsUsual };

    fn profile(bytes: impl Fn(i64) -> f64) -> Profile {
        let mut profile = Profile::new(0, TERMS.now_ms - 1);
        (0..14 * 24).for_each(|hour| profile.take(hour * HOUR_MS, None, bytes(hour)));
        profile
    }

    #[test]
    fn flat_ones_get_little_more_and_restless_ones_what_they_need() {
        let mut profiles: Vec<Profile> = (0..40).map(|number| profile(|_| 3e8 + f64::from(number))).collect();
        // Ten that are 30 % higher in one hour of a hundred, at times of their own.
        profiles.extend(
            (0..10i64).map(|number| {
                profile(move |hour| if (hour * 31 + number * 57) % 101 == 0 { 4e8 } else { 3e8 })
            }),
        );
        let sizes = sizes(&profiles.iter().collect::<Vec<_>>(), &TERMS);
        let limit = |index: usize| sizes[index].map(|given| given.limit_bytes as f64 / 1e6).unwrap_or(0.0);
        assert!((300.0..=346.1).contains(&limit(3)), "{}", limit(3));
        assert!((400.0..=601.0).contains(&limit(45)), "{}", limit(45));
    }

    #[test]
    fn one_that_came_today_gets_the_usual() {
        let mut new = Profile::new(0, TERMS.now_ms - 1);
        (14 * 24 - 6..14 * 24).for_each(|hour| new.take(hour * HOUR_MS, None, 1e8));
        let old = profile(|_| 3e8);
        let sizes = sizes(&[&old, &new, &Profile::new(0, TERMS.now_ms - 1)], &TERMS);
        let limit = sizes[1].map(|given| given.limit_bytes as f64 / 1e6).unwrap_or(0.0);
        assert!((115.0..116.0).contains(&limit), "{limit}");
        assert_eq!(sizes[2], None);
    }
}
