//! The pool: what the windows of all containers have shown, by how calm the container was.

use super::evidence::{CLASSES, Own, Window, add_passed};
use super::{Grid, LOOKS, MARGINS, USUAL_LOOK};

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

/// Windows of all containers, by class.
#[derive(Debug, Clone)]
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

    /// Chance of each candidate to be passed, for containers of a class.
    pub fn chances(&self, class: usize) -> Grid {
        let weights: [f64; CLASSES] = std::array::from_fn(|other| {
            let apart = other.abs_diff(class) as f64 / WIDTH;
            (-0.5 * apart * apart).exp()
        });
        let windows: f64 = weights.iter().zip(self.windows).map(|(weight, windows)| weight * windows).sum();
        let mut chances = Grid::default();
        for (look, chances) in chances.iter_mut().enumerate() {
            for (margin, chance) in chances.iter_mut().enumerate() {
                let passed: f64 = weights
                    .iter()
                    .zip(self.passed.iter())
                    .map(|(weight, grid)| weight * grid[look][margin])
                    .sum();
                let prior = PRIOR_CHANCE / (1.0 + MARGINS[margin]).powi(PRIOR_POWER);
                *chance = (passed + prior) / (windows + 1.0);
            }
        }
        chances
    }
}

/// What each candidate would cost a container: its chance to be passed, and the slack it leaves.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// In [0, 1].
    pub chance: Grid,
    /// Mean of 1 - use / limit.
    pub slack: Grid,
}

impl Outlook {
    /// From the pool's chances for its class and what the container has shown itself (empirical Bayes).
    pub fn new(pooled: &Grid, own: &Own) -> Outlook {
        let mut outlook = Outlook { chance: Grid::default(), slack: Grid::default() };
        for (look, pooled) in pooled.iter().enumerate() {
            let mean = own.mean(look);
            for (margin, (pooled, share)) in pooled.iter().zip(MARGINS).enumerate() {
                let seen = POOL_WINDOWS * pooled + own.passed[look][margin];
                outlook.chance[look][margin] = seen / (POOL_WINDOWS + own.windows);
                outlook.slack[look][margin] = 1.0 - mean / (1.0 + share);
            }
        }
        outlook
    }

    /// By how much more than the highest of the usual look nine of ten stay that pass it, as a share: what to give one that
    /// was stopped there, where what it wanted is not known. Without evidence that is twice as much.
    pub fn beyond(&self) -> f64 {
        let [passed, ..] = self.chance[USUAL_LOOK];
        let stays = self.chance[USUAL_LOOK].iter().position(|chance| *chance <= passed * BEYOND_CHANCE);
        MARGINS[stays.unwrap_or(MARGINS.len() - 1)]
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
        Window { end_ms: 0, held_from: [held_from; LOOKS], mean: [0.9; LOOKS], moved: 0.0 }
    }

    #[test]
    fn the_calm_get_less_than_the_restless() {
        let mut pool = Pool::default();
        (0..200).for_each(|_| pool.add(2, &window(0)));
        (0..200).for_each(|number| pool.add(10, &window(if number % 10 == 0 { 16 } else { 0 })));
        let mut own = Own::default();
        own.add(&window(0));
        let margin = |class: usize| MARGINS[Outlook::new(&pool.chances(class), &own).cheapest(4.0).1];
        assert_eq!((margin(2), margin(10)), (0.0, MARGINS[16]));
    }

    proptest! {
        #[test]
        fn chances_are_chances_and_fall_with_the_margin(
            seen in prop::collection::vec((0usize..CLASSES, 0..=MARGINS.len() as u8), 0..60), class in 0usize..CLASSES,
        ) {
            let mut pool = Pool::default();
            seen.iter().for_each(|(class, held_from)| pool.add(*class, &window(*held_from)));
            for chances in pool.chances(class) {
                prop_assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
                prop_assert!(chances.windows(2).all(|pair| pair[0] >= pair[1]));
            }
        }
    }
}
