//! Replays the histories of a whole fleet through our rule, which learns from all of them in the order of time.
//!
//! All are read side by side, so that what is held does not grow with their length.

use super::feed::{Due, Event, Feed, Kind};
use super::packed::Packed;
use super::{Decision, Schedule};
use crate::sizing::plimsoll::evidence::Own;
use crate::sizing::plimsoll::fleet::{Asked, Fleet, Risk};
use crate::sizing::plimsoll::ledger::Choices;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Decisions for a whole fleet, and the chance of each to be passed, as it was reckoned; `None` where nothing was known yet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decided {
    /// Of each series, in the order of time.
    pub decisions: Vec<Vec<Decision>>,
    /// Likewise.
    pub chances: Vec<Vec<Option<f64>>>,
}

/// What our rule decides.
pub fn fleet(series: &[Packed], schedule: &Schedule, risk: Risk) -> Decided {
    Replay::new(series, schedule, risk).run()
}

struct Replay<'a> {
    fleet: Fleet,
    risk: Risk,
    horizon_ms: i64,
    members: Vec<Member<'a>>,
    /// The next event of each member; at the same time in the members' order, so that it is the same everywhere.
    next: BinaryHeap<Reverse<(i64, Kind, usize)>>,
    decided: Decided,
}

struct Member<'a> {
    feed: Feed<'a>,
    own: Own,
    /// What would have been chosen at the start of windows that are not past yet.
    open: VecDeque<(i64, Choices)>,
}

impl<'a> Replay<'a> {
    fn new(series: &'a [Packed], schedule: &Schedule, risk: Risk) -> Replay<'a> {
        let member =
            |series| Member { feed: Feed::new(series, schedule), own: Own::default(), open: VecDeque::new() };
        let mut replay = Replay {
            fleet: Fleet::new(risk),
            risk,
            horizon_ms: schedule.horizon_ms,
            members: series.iter().map(member).collect(),
            next: BinaryHeap::new(),
            decided: Decided {
                decisions: vec![Vec::new(); series.len()],
                chances: vec![Vec::new(); series.len()],
            },
        };
        (0..series.len()).for_each(|index| replay.queue(index));
        replay
    }

    fn queue(&mut self, index: usize) {
        let next = self.members[index].feed.peek();
        self.next.extend(next.map(|(at_ms, kind)| Reverse((at_ms, kind, index))));
    }

    fn run(mut self) -> Decided {
        while let Some(Reverse((at_ms, kind, _))) = self.next.peek().copied() {
            let (mut began, mut due) = (Vec::new(), Vec::new());
            while let Some(Reverse((_, _, index))) =
                self.next.peek().copied().filter(|next| (next.0.0, next.0.1) == (at_ms, kind))
            {
                self.next.pop();
                match self.members[index].feed.take() {
                    Some(Event::Ended(window)) => {
                        let Member { own, open, .. } = &mut self.members[index];
                        let start_ms = window.end_ms - self.horizon_ms;
                        // Windows in which nothing was used never end: what was chosen for them goes.
                        while open.front().is_some_and(|(begun_ms, _)| *begun_ms < start_ms) {
                            open.pop_front();
                        }
                        if open.front().is_some_and(|(begun_ms, _)| *begun_ms == start_ms)
                            && let Some((_, choices)) = open.pop_front()
                        {
                            self.fleet.settle(&choices, &window);
                        }
                        self.fleet.learn(own, &window);
                    }
                    // Where all the slack is spent on safety, nobody asks how safe it is.
                    Some(Event::Began(_)) if self.risk != Risk::LeastForSlack => began.push(index),
                    Some(Event::Due(at)) => due.push((index, at)),
                    Some(Event::Began(_)) | None => {}
                }
                self.queue(index);
            }
            self.begin(at_ms, &began);
            self.decide(&due);
        }
        self.decided
    }

    fn begin(&mut self, at_ms: i64, began: &[usize]) {
        let known = if began.is_empty() { return } else { self.fleet.known() };
        for index in began {
            let Member { own, open, .. } = &mut self.members[*index];
            open.extend(known.outlook(own).map(|outlook| (at_ms, Choices::of(&outlook))));
        }
    }

    fn decide(&mut self, due: &[(usize, Due)]) {
        if due.is_empty() {
            return;
        }
        let asked: Vec<Asked> = due
            .iter()
            .map(|(index, due)| Asked { own: &self.members[*index].own, looks: due.looks })
            .collect();
        let given = self.fleet.decide(&asked);
        for ((index, due), given) in due.iter().zip(given) {
            let limit_bytes = self.members[*index].feed.give(due, given.limit_bytes);
            let Due { from_ms, to_ms, .. } = *due;
            self.decided.decisions[*index].push(Decision { from_ms, to_ms, limit_bytes });
            self.decided.chances[*index].push(given.chance);
        }
    }
}
