//! The ledger: what each price of risk would have come to so far, beside the usual rule, and which price that makes.

use super::evidence::Window;
use super::fleet::Risk;
use super::pool::Outlook;
use super::{MARGINS, USUAL_LOOK, USUAL_MARGIN};
use serde::{Deserialize, Serialize};

/// Prices tried, in slack for a certain exceedance: from 0.2, each higher by this factor.
const PRICES: usize = 48;
const PRICE_FIRST: f64 = 0.2;
const PRICE_STEP: f64 = 1.35;
/// A size that stays pays no more for a certain exceedance than this many of them (33 windows of all that a container has): beyond
/// it margins only make small what is small already, in figures that nothing was seen to bear out.
const STAYING_PRICES: usize = 18;
/// A size that follows use may leave so much of the usual rule's slack: the rest of it buys safety.
const LOOP_SLACK_SHARE: f64 = 0.8;
/// Of the slack that the usual rule leaves above the oracle one half is saved; what risk allows beyond it buys safety.
const GOAL_SHARE: f64 = 0.5;
/// A saving of less than a twentieth of it is not worth a rule of our own.
const WORTH_SHARE: f64 = 0.95;
/// What was seen is believed over what was expected only as far as there was much to see: so many exceedances, and
/// windows, are taken to have been as expected.
const DOUBT: f64 = 50.0;

/// What each price would choose for one container at one time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Choices {
    #[serde(with = "by_price")]
    by_price: [Choice; PRICES],
    usual: Choice,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Choice {
    look: usize,
    margin: usize,
    chance: f64,
    slack: f64,
}

impl Choices {
    /// By what its candidates would cost it.
    pub fn of(outlook: &Outlook) -> Choices {
        let choice = |(look, margin): (usize, usize)| Choice {
            look,
            margin,
            chance: outlook.chance[look][margin],
            slack: outlook.slack[look][margin],
        };
        Choices {
            by_price: std::array::from_fn(|index| choice(outlook.cheapest(price(index)))),
            usual: choice((USUAL_LOOK, USUAL_MARGIN)),
        }
    }
}

impl Choice {
    fn is_passed(&self, window: &Window) -> f64 {
        f64::from(u8::from(usize::from(window.held_from[self.look]) > self.margin))
    }

    /// How much more slack it left in a window than was expected.
    fn slack_surprise(&self, window: &Window) -> f64 {
        let slack = 1.0 - f64::from(window.mean[self.look]) / (1.0 + MARGINS[self.margin]);
        slack.max(0.0) - self.slack
    }
}

/// Sums for one price, or for the usual rule.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Account {
    /// Exceedances and slack expected of all decisions.
    risked: f64,
    slack: f64,
    /// Of all choices that are [settled](Ledger::settle): exceedances expected and seen, and slack that was not expected.
    expected: f64,
    passed: f64,
    slack_surprise: f64,
}

impl Account {
    fn settle(&mut self, choice: &Choice, window: &Window) {
        self.expected += choice.chance;
        self.passed += choice.is_passed(window);
        self.slack_surprise += choice.slack_surprise(window);
    }

    /// How much more often what was chosen was passed than expected, as a factor.
    fn surprise(&self) -> f64 {
        (self.passed + DOUBT) / (self.expected + DOUBT)
    }
}

/// See the module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ledger {
    #[serde(with = "by_price")]
    by_price: [Account; PRICES],
    usual: Account,
    oracle_slack: f64,
    decisions: f64,
    settled: f64,
}

impl Default for Ledger {
    fn default() -> Self {
        let none = Account::default();
        Ledger { by_price: [none; PRICES], usual: none, oracle_slack: 0.0, decisions: 0.0, settled: 0.0 }
    }
}

impl Ledger {
    /// A decision is due for a container with this outlook.
    pub fn charge(&mut self, outlook: &Outlook, risk: Risk) {
        let choices = Choices::of(outlook);
        for (account, choice) in self.by_price.iter_mut().zip(&choices.by_price) {
            account.risked += choice.chance;
            account.slack += choice.slack;
        }
        self.usual.risked += match risk {
            Risk::Share(share) => share,
            Risk::AsUsual | Risk::LeastForSlack => choices.usual.chance,
        };
        self.usual.slack += choices.usual.slack;
        self.oracle_slack += outlook.oracle_slack;
        self.decisions += 1.0;
    }

    /// The window has come for which this was chosen.
    pub fn settle(&mut self, choices: &Choices, window: &Window) {
        for (account, choice) in self.by_price.iter_mut().zip(&choices.by_price) {
            account.settle(choice, window);
        }
        self.usual.settle(&choices.usual, window);
        self.settled += 1.0;
    }

    /// The price to decide at; `None` where the usual rule does as well.
    pub fn price(&self, risk: Risk) -> Option<f64> {
        let safe =
            || (0..STAYING_PRICES).find(|index| self.is_safe(*index, risk)).unwrap_or(STAYING_PRICES - 1);
        match risk {
            Risk::LeastForSlack => {
                let allowed = LOOP_SLACK_SHARE * self.usual.slack;
                Some(price(self.by_price.iter().rposition(|account| account.slack <= allowed).unwrap_or(0)))
            }
            Risk::Share(_) => Some(price(safe())),
            Risk::AsUsual => {
                let usual = self.above_oracle(&self.usual);
                let is_within =
                    |index: usize, share: f64| self.above_oracle(&self.by_price[index]) <= share * usual;
                let goal = (0..STAYING_PRICES).rev().find(|index| is_within(*index, GOAL_SHARE));
                let best = safe().max(goal.unwrap_or(0));
                is_within(best, WORTH_SHARE).then(|| price(best))
            }
        }
    }

    /// Whether no more is risked at a price than may be, corrected by what became of what was chosen at it.
    fn is_safe(&self, index: usize, risk: Risk) -> bool {
        let usual = match risk {
            Risk::Share(_) => 1.0,
            Risk::AsUsual | Risk::LeastForSlack => self.usual.surprise(),
        };
        let ours = &self.by_price[index];
        ours.risked * ours.surprise() <= self.usual.risked * usual
    }

    /// Slack of all decisions, corrected by what became of those that are settled, above the oracle's.
    fn above_oracle(&self, account: &Account) -> f64 {
        let surprise = account.slack_surprise / (self.settled + DOUBT);
        account.slack + self.decisions * surprise - self.oracle_slack
    }
}

fn price(index: usize) -> f64 {
    PRICE_FIRST * PRICE_STEP.powi(index as i32)
}

/// Arrays as long as there are prices, which serde has no form for.
mod by_price {
    use super::PRICES;
    use serde::de::{DeserializeOwned, Error};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<T: Serialize, S: Serializer>(all: &[T; PRICES], to: S) -> Result<S::Ok, S::Error> {
        all.as_slice().serialize(to)
    }

    pub fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[T; PRICES], D::Error> {
        let all = Vec::<T>::deserialize(from)?;
        let count = all.len();
        all.try_into().map_err(|_| D::Error::invalid_length(count, &"one for each price"))
    }
}
