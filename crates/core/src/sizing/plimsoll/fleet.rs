//! The fleet: one price of risk for all containers, so that together they stay within what was allowed.

use super::evidence::{CLASSES, Own, Window, limit_bytes};
use super::pool::{Outlook, Pool};
use super::{Grid, LOOKS, MARGINS, USUAL_LOOK, USUAL_MARGIN};

/// Prices tried, in slack for a certain exceedance: from 0.2, each higher by this factor.
const PRICES: usize = 48;
const PRICE_FIRST: f64 = 0.2;
const PRICE_STEP: f64 = 1.35;
/// A size that follows use may leave so much of the usual rule's slack: the rest of it buys safety.
const LOOP_SLACK_SHARE: f64 = 0.8;
/// A size that stays may leave so much of the usual rule's slack, whatever the risk: what is reckoned is a little less than
/// what comes of it.
const SLACK_SHARE: f64 = 0.97;
/// What was passed is believed over what was expected only as far as there was much to see: so many exceedances are
/// taken to have been as expected.
const DOUBT: f64 = 12.0;

/// Where nothing was seen, what was not enough is doubled.
const BEYOND_UNKNOWN: f64 = 1.0;

/// How much risk the fleet may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Risk {
    /// As much as the usual rule, the highest of the training window and 15 %, would by the same evidence; and never more slack
    /// than that.
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
    /// Chance that it is passed before the next decision, in [0, 1], by the evidence.
    pub chance: f64,
    /// By how much more than a limit at which it is killed it should get, as a share.
    pub beyond: f64,
}

/// What each price would choose for one container at one time.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Look, margin, and the chance that it is passed.
    by_price: [Choice; PRICES],
    usual_chance: f64,
}

#[derive(Debug, Clone, Copy)]
struct Choice {
    look: usize,
    margin: usize,
    chance: f64,
}

impl Choices {
    fn of(outlook: &Outlook) -> Choices {
        let by_price = std::array::from_fn(|index| {
            let (look, margin) = outlook.cheapest(price(index));
            Choice { look, margin, chance: outlook.chance[look][margin] }
        });
        Choices { by_price, usual_chance: outlook.chance[USUAL_LOOK][USUAL_MARGIN] }
    }
}

/// Everything the fleet has in common.
#[derive(Debug, Clone)]
pub struct Fleet {
    risk: Risk,
    pool: Pool,
    /// Exceedances expected of all decisions, and the slack they leave.
    risked: Line,
    slack: Line,
    /// Exceedances in all windows that are past: expected, and seen.
    expected: Line,
    passed: Line,
}

/// Summed up for each price, and for the usual rule.
#[derive(Debug, Clone, Copy)]
struct Line {
    by_price: [f64; PRICES],
    usual: f64,
}

impl Default for Line {
    fn default() -> Self {
        Line { by_price: [0.0; PRICES], usual: 0.0 }
    }
}

impl Fleet {
    /// Nothing seen yet.
    pub fn new(risk: Risk) -> Fleet {
        let none = Line::default();
        Fleet { risk, pool: Pool::default(), risked: none, slack: none, expected: none, passed: none }
    }

    /// What each price would choose now; `None` before the first window of the container. Whoever picks the best of many
    /// candidates picks those whose chances were taken for too small: [settled](Fleet::settle) choices show by how much.
    pub fn choose(&self, own: &Own) -> Option<Choices> {
        Some(Choices::of(&Outlook::new(&self.pool.chances(own.class()?), own)))
    }

    /// The window has come for which this was chosen.
    pub fn settle(&mut self, choices: &Choices, window: &Window) {
        let is_passed =
            |look: usize, margin: usize| f64::from(u8::from(usize::from(window.held_from[look]) > margin));
        for (index, choice) in choices.by_price.iter().enumerate() {
            self.expected.by_price[index] += choice.chance;
            self.passed.by_price[index] += is_passed(choice.look, choice.margin);
        }
        self.expected.usual += choices.usual_chance;
        self.passed.usual += is_passed(USUAL_LOOK, USUAL_MARGIN);
    }

    /// Takes a window of a container, and adds it to the container's own.
    pub fn learn(&mut self, own: &mut Own, window: &Window) {
        // In the class it was in before: that is what is known when a decision is made.
        if let Some(class) = own.class() {
            self.pool.add(class, window);
        }
        own.add(window);
    }

    /// Sizes for all containers that are due at this time.
    pub fn decide(&mut self, round: &[Asked]) -> Vec<Given> {
        let mut pooled: [Option<Grid>; CLASSES] = [None; CLASSES];
        let outlooks: Vec<Option<Outlook>> = round
            .iter()
            .map(|asked| {
                let class = asked.own.class()?;
                let pooled = pooled[class].get_or_insert_with(|| self.pool.chances(class));
                Some(Outlook::new(pooled, asked.own))
            })
            .collect();
        for outlook in outlooks.iter().flatten() {
            self.charge(outlook);
        }
        let price = self.price();
        round.iter().zip(&outlooks).map(|(asked, outlook)| given(asked, outlook.as_ref(), price)).collect()
    }

    fn charge(&mut self, outlook: &Outlook) {
        let choices = Choices::of(outlook);
        for (index, Choice { look, margin, chance }) in choices.by_price.into_iter().enumerate() {
            self.risked.by_price[index] += chance;
            self.slack.by_price[index] += outlook.slack[look][margin];
        }
        self.risked.usual += match self.risk {
            Risk::Share(share) => share,
            Risk::AsUsual | Risk::LeastForSlack => choices.usual_chance,
        };
        self.slack.usual += outlook.slack[USUAL_LOOK][USUAL_MARGIN];
    }

    /// The least price at which the fleet has stayed within its risk, but no more than its slack allows; for
    /// [`Risk::LeastForSlack`] as much as that.
    fn price(&self) -> f64 {
        let within = |spent: f64, share: f64| spent <= share * self.slack.usual;
        let affordable = |share: f64| {
            price(self.slack.by_price.iter().rposition(|spent| within(*spent, share)).unwrap_or(0))
        };
        let safe = || {
            let safe = (0..PRICES).find(|index| self.risk_of(*index) <= self.risked.usual);
            price(safe.unwrap_or(PRICES - 1))
        };
        match self.risk {
            Risk::LeastForSlack => affordable(LOOP_SLACK_SHARE),
            Risk::AsUsual => safe().min(affordable(SLACK_SHARE)),
            Risk::Share(_) => safe(),
        }
    }

    /// Exceedances expected at a price, corrected by how much more often what was chosen at it was passed than expected,
    /// relative to the usual rule, which was not chosen.
    fn risk_of(&self, index: usize) -> f64 {
        let surprise = |passed: f64, expected: f64| (passed + DOUBT) / (expected + DOUBT);
        let ours = surprise(self.passed.by_price[index], self.expected.by_price[index]);
        let usual = match self.risk {
            Risk::Share(_) => 1.0,
            Risk::AsUsual | Risk::LeastForSlack => surprise(self.passed.usual, self.expected.usual),
        };
        self.risked.by_price[index] * ours / usual
    }
}

fn price(index: usize) -> f64 {
    PRICE_FIRST * PRICE_STEP.powi(index as i32)
}

/// Without a window seen there is nothing to weigh: the usual rule.
fn given(asked: &Asked, outlook: Option<&Outlook>, price: f64) -> Given {
    let (look, margin) = outlook.map_or((USUAL_LOOK, USUAL_MARGIN), |outlook| outlook.cheapest(price));
    let chance = outlook.map_or(1.0, |outlook| outlook.chance[look][margin]);
    let limit_bytes = limit_bytes(asked.looks[look], MARGINS[margin]);
    let beyond = outlook.map_or(BEYOND_UNKNOWN, Outlook::beyond);
    Given { limit_bytes, look, margin: MARGINS[margin], chance, beyond }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(held_from: u8, moved: f32) -> Window {
        Window { end_ms: 0, held_from: [held_from; LOOKS], mean: [0.9; LOOKS], moved }
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
            let asked: Vec<Asked> = owns.iter().map(|own| Asked { own, looks: [1000; LOOKS] }).collect();
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
    fn the_new_get_the_usual() {
        let given = Fleet::new(Risk::AsUsual).decide(&[Asked { own: &Own::default(), looks: [1000; LOOKS] }]);
        assert_eq!((given[0].limit_bytes, given[0].chance), (1150, 1.0));
    }
}
