//! The rule as time goes by: windows begin and end, decisions come due. A backtest plays this on a history, a controller lives it.

use super::LOOKS;
use super::evidence::{Own, Window};
use super::fleet::{Asked, Fleet, Given, Risk};
use super::ledger::Choices;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The fleet, and how long a size holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Live {
    fleet: Fleet,
    risk: Risk,
    horizon_ms: i64,
}

/// One container of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Member {
    own: Own,
    /// What would have been chosen at the start of windows that are not past yet.
    open: VecDeque<(i64, Choices)>,
}

impl Live {
    /// Nothing seen yet.
    pub fn new(risk: Risk, horizon_ms: i64) -> Live {
        Live { fleet: Fleet::new(risk), risk, horizon_ms }
    }

    /// A window of a member is past. Those of all members come in the order of time.
    pub fn ended(&mut self, member: &mut Member, window: &Window) {
        let Member { own, open } = member;
        let start_ms = window.end_ms - self.horizon_ms;
        // Windows in which nothing was used never end: what was chosen for them goes.
        while open.front().is_some_and(|(begun_ms, _)| *begun_ms < start_ms) {
            open.pop_front();
        }
        if open.front().is_some_and(|(begun_ms, _)| *begun_ms == start_ms)
            && let Some((_, choices)) = open.pop_front()
        {
            self.fleet.settle(&choices, window);
        }
        self.fleet.learn(own, window);
    }

    /// Whether it matters when windows begin: where all the slack is spent on safety, nobody asks how safe it is.
    pub fn asks_beginnings(&self) -> bool {
        self.risk != Risk::LeastForSlack
    }

    /// Windows of these members begin.
    pub fn began<'a>(&self, at_ms: i64, members: impl Iterator<Item = &'a mut Member>) {
        let mut members = members.peekable();
        if members.peek().is_none() {
            return;
        }
        let known = self.fleet.known();
        for Member { own, open } in members {
            open.extend(known.outlook(own).map(|outlook| (at_ms, Choices::of(&outlook))));
        }
    }

    /// Sizes for the members that are due now, by what their looks show in bytes.
    pub fn decide(&mut self, due: &[(&Member, [u64; LOOKS])]) -> Vec<Given> {
        let asked: Vec<Asked> =
            due.iter().map(|(member, looks)| Asked { own: &member.own, looks: *looks }).collect();
        if asked.is_empty() { Vec::new() } else { self.fleet.decide(&asked) }
    }
}
