//! The fleet: one price of risk for all containers, so that together they stay within what was allowed.

use super::evidence::{Own, Window, limit_bytes};
use super::ledger::{Choices, Ledger};
use super::pool::{BEYOND_UNKNOWN, Known, Outlook, Pool};
use super::{LOOKS, MARGINS, USUAL_LOOK, USUAL_MARGIN};
use serde::{Deserialize, Serialize};

/// How much risk the fleet may take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Risk {
    /// As much as the usual rule, the highest of 14 days and 15 %, would by the same evidence, or less where half of what
    /// it wastes is saved at less; and that rule where next to nothing would be saved.
    AsUsual,
    /// So many windows in which a limit is passed, as a share of all, in [0, 1].
    Share(f64),
    /// As little as can be had for four fifths of the slack that the usual rule leaves: for sizes that follow use.
    LeastForSlack,
}

/// One container for which a size is due.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What its own windows have shown.
    pub own: &'a Own,
    /// Highest use of each look, in bytes.
    pub looks: [u64; LOOKS],
}

/// A limit and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Given {
    /// In bytes.
    pub limit_bytes: u64,
    /// Index of the look it follows.
    pub look: usize,
    /// Margin over it, as a share.
    pub margin: f64,
    /// Chance that it is passed before the next decision, in [0, 1], by the evidence; `None` where there is none yet.
    pub chance: Option<f64>,
    /// By how much more than a limit at which it is killed it should get, as a share.
    pub beyond: f64,
}

/// Everything the fleet has in common.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fleet {
    risk: Risk,
    pool: Pool,
    ledger: Ledger,
}

impl Fleet {
    /// Nothing seen yet.
    pub fn new(risk: Risk) -> Fleet {
        Fleet { risk, pool: Pool::default(), ledger: Ledger::default() }
    }

    /// What is known at this time, to choose by.
    pub fn known(&self) -> Known {
        self.pool.known()
    }

    /// The window has come for which this was chosen. Whoever picks the best of many candidates picks those whose chances were
    /// taken for too small: choices that are settled show by how much.
    pub fn settle(&mut self, choices: &Choices, window: &Window) {
        self.ledger.settle(choices, window);
    }

    /// Takes a window of a container, and adds it to the container's own.
    pub fn learn(&mut self, own: &mut Own, window: &Window) {
        // In the class it was in before: that is what is known when a decision is made.
        if let Some(class) = own.class() {
            self.pool.add(class, window);
        }
        own.add(window);
    }

    /// A decision is due for a container with this outlook.
    pub fn charge(&mut self, outlook: &Outlook) {
        self.ledger.charge(outlook, self.risk);
    }

    /// The price to decide at when all decisions that are due are [charged](Fleet::charge); `None` for the usual rule.
    pub fn price(&self) -> Option<f64> {
        self.ledger.price(self.risk)
    }

    /// Sizes for all containers that are due at this time.
    pub fn decide(&mut self, round: &[Asked]) -> Vec<Given> {
        let known = self.known();
        let outlooks: Vec<Option<Outlook>> = round.iter().map(|asked| known.outlook(asked.own)).collect();
        outlooks.iter().flatten().for_each(|outlook| self.charge(outlook));
        let price = self.price();
        round
            .iter()
            .zip(&outlooks)
            .map(|(asked, outlook)| given(&asked.looks, outlook.as_ref(), price))
            .collect()
    }
}

/// By what the looks show, in bytes. At no price, or without a window seen that could be weighed: the usual rule.
pub fn given(looks: &[u64; LOOKS], outlook: Option<&Outlook>, price: Option<f64>) -> Given {
    let chosen = outlook.zip(price).map(|(outlook, price)| outlook.cheapest(price));
    let (look, margin) = chosen.unwrap_or((USUAL_LOOK, USUAL_MARGIN));
    let chance = outlook.map(|outlook| outlook.chance[look][margin]);
    let limit_bytes = limit_bytes(looks[look], MARGINS[margin]);
    let beyond = outlook.map_or(BEYOND_UNKNOWN, Outlook::beyond);
    Given { limit_bytes, look, margin: MARGINS[margin], chance, beyond }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::MIB;

    fn window(held_from: u8, moved: f32) -> Window {
        let (mean, seen) = ([0.9; LOOKS], [1.0; LOOKS]);
        Window { end_ms: 0, held_from: [held_from; LOOKS], mean, mean_of_highest: 0.9, seen, moved }
    }

    /// A hundred flat containers and ten that step up by 10 % now and then.
    fn margins(risk: Risk) -> (f64, f64) {
        let mut fleet = Fleet::new(risk);
        let mut owns = vec![Own::default(); 110];
        let mut last = Vec::new();
        for round in 0..40 {
            for (number, own) in owns.iter_mut().enumerate() {
                let steps = number >= 100 && (round + number) % 8 == 0;
                fleet.learn(own, &if steps { window(10, 0.1) } else { window(1, 0.001) });
            }
            let asked: Vec<Asked> =
                owns.iter().map(|own| Asked { own, looks: [1000 * MIB; LOOKS] }).collect();
            last = fleet.decide(&asked);
        }
        (last[0].margin, last[105].margin)
    }

    #[test]
    fn the_margin_goes_where_it_helps() {
        let (flat, restless) = margins(Risk::AsUsual);
        assert!(flat <= 0.02 && (0.1..0.15).contains(&restless), "{flat} {restless}");
    }

    #[test]
    fn less_risk_is_never_less_margin() {
        let (_, daring) = margins(Risk::Share(0.1));
        let (_, careful) = margins(Risk::Share(0.001));
        assert!(daring <= careful, "{daring} {careful}");
    }

    #[test]
    fn where_nothing_can_be_saved_the_rule_is_the_usual() {
        let mut fleet = Fleet::new(Risk::AsUsual);
        let mut owns = vec![Own::default(); 20];
        for round in 0..40 {
            // Each of them passes 12.5 % every other time, and 15 % never.
            for (number, own) in owns.iter_mut().enumerate() {
                let window = window(if (round + number) % 2 == 0 { USUAL_MARGIN as u8 } else { 0 }, 0.1);
                if let Some(outlook) = fleet.known().outlook(own) {
                    fleet.settle(&Choices::of(&outlook), &window);
                }
                fleet.learn(own, &window);
            }
        }
        let asked: Vec<Asked> = owns.iter().map(|own| Asked { own, looks: [1000 * MIB; LOOKS] }).collect();
        let given = fleet.decide(&asked);
        assert!(given.iter().all(|given| (given.look, given.margin) == (USUAL_LOOK, 0.15)), "{given:?}");
    }

    #[test]
    fn the_new_get_the_usual() {
        let given =
            Fleet::new(Risk::AsUsual).decide(&[Asked { own: &Own::default(), looks: [1000 * MIB; LOOKS] }]);
        assert_eq!((given[0].limit_bytes, given[0].chance), (1150 * MIB, None));
    }
}
