//! The pool: what the windows of all containers have shown, by how calm the container was.

use super::evidence::{CLASSES, Own, Window, add_passed};
use super::{Grid, LOOKS, MARGINS, USUAL_LOOK};
use serde::{Deserialize, Serialize};

/// A class borrows from its neighbours: weights fall off as a normal curve of this width, in classes.
const WIDTH: f64 = 0.7;
/// Before anything was seen, and beyond what was: a chance of 20 % to pass the look, falling with the fourth power of the
/// limit, as heavy tails do; it counts as one window.
const PRIOR_CHANCE: f64 = 0.2;
const PRIOR_POWER: i32 = 4;
/// The pool counts in each container's chance as so many windows of its own.
const POOL_WINDOWS: f64 = 50.0;

/// What was stopped at a limit gets so much that one of ten like it would pass it again.
const BEYOND_CHANCE: f64 = 0.1;
/// Where nothing is known, what was not enough is doubled.
pub const BEYOND_UNKNOWN: f64 = 1.0;

/// Windows of all containers, by class.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pool {
    windows: [f64; CLASSES],
    passed: Box<[Grid; CLASSES]>,
}

impl Default for Pool {
    fn default() -> Self {
        Pool { windows: [0.0; CLASSES], passed: Box::new([Grid::default(); CLASSES]) }
    }
}

impl Pool {
    /// Adds a window of a container that was in this class before it.
    pub fn add(&mut self, class: usize, window: &Window) {
        self.windows[class] += 1.0;
        add_passed(&mut self.passed[class], window);
    }

    /// What is known at this time of containers of each class.
    pub fn known(&self) -> Known {
        Known(std::array::from_fn(|class| self.alike(class)))
    }

    /// What containers as calm as those of a class have shown.
    fn alike(&self, class: usize) -> Alike {
        let weights: [f64; CLASSES] = std::array::from_fn(|other| {
            let apart = other.abs_diff(class) as f64 / WIDTH;
            (-0.5 * apart * apart).exp()
        });
        let windows: f64 = weights.iter().zip(self.windows).map(|(weight, windows)| weight * windows).sum();
        let mut all = Grid::default();
        for (weight, grid) in weights.iter().zip(self.passed.iter()) {
            for (all, passed) in all.as_flattened_mut().iter_mut().zip(grid.as_flattened()) {
                *all += weight * passed;
            }
        }
        Alike { windows, passed: all }
    }
}

/// What was known at a time of containers of each class.
#[derive(Debug, Clone)]
pub struct Known([Alike; CLASSES]);

impl Known {
    /// For a container with this evidence of its own; `None` before its first window.
    pub fn outlook(&self, own: &Own) -> Option<Outlook> {
        Some(Outlook::new(&self.0[own.class()?], own))
    }
}

/// Windows of containers that are alike.
#[derive(Debug, Clone)]
struct Alike {
    windows: f64,
    passed: Grid,
}

impl Alike {
    /// Chance of a candidate to be passed where its look has seen so many windows.
    fn chance(&self, look: usize, margin: usize, seen: f64) -> f64 {
        let prior = PRIOR_CHANCE / (1.0 + MARGINS[margin]).powi(PRIOR_POWER);
        (self.passed[look][margin] / seen + prior) / (self.windows + 1.0)
    }
}

/// What each candidate would cost a container: its chance to be passed, and the slack it leaves.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// In [0, 1].
    pub chance: Grid,
    /// Mean of 1 - use / limit.
    pub slack: Grid,
    /// The same of a limit that is the highest of what comes.
    pub oracle_slack: f64,
}

impl Outlook {
    /// From what containers like it and what the container has shown itself (empirical Bayes).
    fn new(alike: &Alike, own: &Own) -> Outlook {
        let oracle_slack = 1.0 - own.mean_of_highest();
        let mut outlook = Outlook { chance: Grid::default(), slack: Grid::default(), oracle_slack };
        for look in 0..LOOKS {
            let (mean, seen) = (own.mean(look), own.seen(look));
            for (margin, share) in MARGINS.into_iter().enumerate() {
                let passed =
                    POOL_WINDOWS * alike.chance(look, margin, seen) + own.passed[look][margin] / seen;
                outlook.chance[look][margin] = (passed / (POOL_WINDOWS + own.windows)).min(1.0);
                outlook.slack[look][margin] = 1.0 - mean / (1.0 + share);
            }
        }
        outlook
    }

    /// By how much more than the highest of the usual look nine of ten stay that pass it, as a share: what to give one that
    /// was stopped there, where what it wanted is not known. Where evidence does not reach so far, as much again.
    pub fn beyond(&self) -> f64 {
        let [passed, ..] = self.chance[USUAL_LOOK];
        let stays = self.chance[USUAL_LOOK].iter().position(|chance| *chance <= passed * BEYOND_CHANCE);
        stays.map_or(BEYOND_UNKNOWN, |margin| MARGINS[margin])
    }

    /// The candidate with the least of slack and price times chance: look and margin.
    pub fn cheapest(&self, price: f64) -> (usize, usize) {
        let mut best = (f64::INFINITY, (0, 0));
        for look in 0..LOOKS {
            for margin in 0..MARGINS.len() {
                let cost = self.slack[look][margin] + price * self.chance[look][margin];
                if cost < best.0 {
                    best = (cost, (look, margin));
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(held_from: u8) -> Window {
        let (mean, seen) = ([0.9; LOOKS], [1.0; LOOKS]);
        Window { end_ms: 0, held_from: [held_from; LOOKS], mean, mean_of_highest: 0.9, seen, moved: 0.0 }
    }

    #[test]
    fn the_calm_get_less_than_the_restless() {
        let mut pool = Pool::default();
        (0..200).for_each(|_| pool.add(2, &window(0)));
        (0..200).for_each(|number| pool.add(10, &window(if number % 10 == 0 { 16 } else { 0 })));
        let mut own = Own::default();
        own.add(&window(0));
        let margin = |class: usize| MARGINS[Outlook::new(&pool.alike(class), &own).cheapest(4.0).1];
        assert_eq!((margin(2), margin(10)), (0.0, MARGINS[16]));
    }

    #[test]
    fn what_was_the_highest_for_long_is_seldom_passed() {
        let mut pool = Pool::default();
        let aged = |held_from, windows: f32| Window { seen: [windows; LOOKS], ..window(held_from) };
        (0..1000).for_each(|number| pool.add(5, &aged(u8::from(number % 10 == 0), 9.0)));
        let chance = |windows: f32| {
            let mut own = Own::default();
            own.add(&aged(0, windows));
            Outlook::new(&pool.alike(5), &own).chance[0][0]
        };
        // One in ten when nine windows had been seen: three in ten after three, one in thirty after 27.
        for (windows, expect) in [(3.0, 0.3), (9.0, 0.1), (27.0, 1.0 / 30.0)] {
            assert!((chance(windows) / expect - 1.0).abs() < 0.15, "{windows}: {}", chance(windows));
        }
    }

    proptest! {
        #[test]
        fn chances_are_chances_and_fall_with_the_margin(
            seen in prop::collection::vec((0usize..CLASSES, 0..=MARGINS.len() as u8), 0..60), class in 0usize..CLASSES,
        ) {
            let mut pool = Pool::default();
            seen.iter().for_each(|(class, held_from)| pool.add(*class, &window(*held_from)));
            let mut own = Own::default();
            seen.iter().for_each(|(_, held_from)| own.add(&window(*held_from)));
            for chances in Outlook::new(&pool.alike(class), &own).chance {
                prop_assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
                prop_assert!(chances.windows(2).all(|pair| pair[0] >= pair[1]));
            }
        }
    }
}
