//! The fleet's say: our rule on profiles, as [a backtest](crate::backtest) has it on samples.
//!
//! Windows of the past are taken every quarter of a horizon, for all containers at the same times, and learnt in the order
//! of time; then every container gets the size that the fleet's risk allows. Nothing is kept for a container but its
//! windows, so that 100,000 of them are no matter.

use super::profile::Profile;
use crate::sizing::plimsoll::evidence::{Own, Window, filled};
use crate::sizing::plimsoll::fleet::{Fleet, Given, Risk, given};
use crate::sizing::plimsoll::ledger::Choices;
use crate::sizing::plimsoll::pool::Known;
use crate::sizing::plimsoll::{LOOKS, Looks};
use std::collections::VecDeque;

/// Windows start four times a horizon.
const STRIDES: i64 = 4;

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
    let looks = terms.looks();
    let stride_ms = (terms.horizon_ms / STRIDES).max(1);
    let windows: Vec<Vec<Window>> =
        profiles.iter().map(|profile| windows(profile, &looks, terms, stride_ms)).collect();
    let fleet = learn(&windows, terms, stride_ms);
    decide(fleet, profiles, &windows, &looks, terms)
}

/// The ends of windows, the first being the earliest.
fn ends(terms: &Terms, stride_ms: i64) -> impl Iterator<Item = i64> {
    // As long before a window as it lasts there has to be something to look at.
    let count = ((terms.window_ms - 2 * terms.horizon_ms) / stride_ms).max(0);
    let now_ms = terms.now_ms;
    (0..=count).rev().map(move |number| now_ms - number * stride_ms)
}

fn windows(profile: &Profile, looks: &Looks, terms: &Terms, stride_ms: i64) -> Vec<Window> {
    let Some(first) = profile.used.samples().next() else { return Vec::new() };
    let window = |end_ms: i64| {
        let start_ms = end_ms - terms.horizon_ms;
        // A container that came later has nothing to be judged by yet.
        profile.used.highest(start_ms - terms.horizon_ms, start_ms)?;
        let shown = shown(profile, looks, start_ms)?;
        let age_ms = start_ms - first.at_ms;
        let seen = looks.0.map(|look_ms| (look_ms.min(age_ms) as f64 / terms.horizon_ms as f64) as f32);
        let highest = profile.used.highest(start_ms, end_ms)?;
        Some(Window::new(end_ms, shown, seen, highest, profile.used.mean(start_ms, end_ms)?))
    };
    let mut windows: Vec<Window> = ends(terms, stride_ms).filter_map(window).collect();
    // There is one such list for each container of the cluster.
    windows.shrink_to_fit();
    windows
}

fn shown(profile: &Profile, looks: &Looks, at_ms: i64) -> Option<[u64; LOOKS]> {
    filled(looks.0.map(|look_ms| profile.used.highest(at_ms - look_ms, at_ms).unwrap_or(0)))
}

/// What a container's windows have shown up to a time.
fn own(windows: &[Window], until_ms: i64) -> Own {
    let mut own = Own::default();
    windows.iter().take_while(|window| window.end_ms <= until_ms).for_each(|window| own.add(window));
    own
}

fn learn(windows: &[Vec<Window>], terms: &Terms, stride_ms: i64) -> Fleet {
    let mut fleet = Fleet::new(terms.risk);
    // What was known when the windows began that are still under way.
    let mut known: VecDeque<(i64, Known)> = VecDeque::new();
    for end_ms in ends(terms, stride_ms) {
        let start_ms = end_ms - terms.horizon_ms;
        let ended = || {
            windows.iter().filter_map(|own| Some((own, own.iter().find(|window| window.end_ms == end_ms)?)))
        };
        while known.front().is_some_and(|(at_ms, _)| *at_ms < start_ms) {
            known.pop_front();
        }
        if let Some((_, known)) = known.front().filter(|(at_ms, _)| *at_ms == start_ms) {
            for (windows, window) in ended() {
                if let Some(outlook) = known.outlook(&own(windows, start_ms)) {
                    fleet.settle(&Choices::of(&outlook), window);
                }
            }
        }
        for (windows, window) in ended() {
            fleet.learn(&mut own(windows, end_ms - 1), window);
        }
        known.push_back((end_ms, fleet.known()));
    }
    fleet
}

/// Twice through all containers, as what the fleet may pay depends on all of them: outlooks are larger than profiles, and made anew.
fn decide(
    mut fleet: Fleet,
    profiles: &[&Profile],
    windows: &[Vec<Window>],
    looks: &Looks,
    terms: &Terms,
) -> Vec<Option<Given>> {
    let known = fleet.known();
    let outlook = |windows: &[Window]| known.outlook(&own(windows, terms.now_ms));
    windows.iter().filter_map(|windows| outlook(windows)).for_each(|outlook| fleet.charge(&outlook));
    let price = fleet.price();
    let size = |(profile, windows): (&&Profile, &Vec<Window>)| {
        let shown = shown(profile, looks, terms.now_ms)?;
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
