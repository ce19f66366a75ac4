//! Replays the histories of a whole fleet through our rule, which learns from all of them in the order of time.
//!
//! All are read side by side, so that what is held does not grow with their length.

use super::feed::{Due, Event, Feed, Kind};
use super::packed::Packed;
use super::{Decision, Schedule};
use crate::sizing::plimsoll::fleet::Risk;
use crate::sizing::plimsoll::live::{Live, Member};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
    live: Live,
    feeds: Vec<Feed<'a>>,
    members: Vec<Member>,
    /// The next event of each member; at the same time in the members' order, so that it is the same everywhere.
    next: BinaryHeap<Reverse<(i64, Kind, usize)>>,
    decided: Decided,
}

impl<'a> Replay<'a> {
    fn new(series: &'a [Packed], schedule: &Schedule, risk: Risk) -> Replay<'a> {
        let mut replay = Replay {
            live: Live::new(risk, schedule.horizon_ms),
            feeds: series.iter().map(|series| Feed::new(series, schedule)).collect(),
            members: vec![Member::default(); series.len()],
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
        let next = self.feeds[index].peek();
        self.next.extend(next.map(|(at_ms, kind)| Reverse((at_ms, kind, index))));
    }

    fn run(mut self) -> Decided {
        while let Some(Reverse((at_ms, kind, _))) = self.next.peek().copied() {
            let (mut began, mut due) = (Vec::new(), Vec::new());
            while let Some(Reverse((_, _, index))) =
                self.next.peek().copied().filter(|next| (next.0.0, next.0.1) == (at_ms, kind))
            {
                self.next.pop();
                match self.feeds[index].take() {
                    Some(Event::Ended(window)) => self.live.ended(&mut self.members[index], &window),
                    Some(Event::Began(_)) if self.live.asks_beginnings() => began.push(index),
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

    /// In the members' order.
    fn begin(&mut self, at_ms: i64, began: &[usize]) {
        let mut began = began.iter().copied().peekable();
        let members = self.members.iter_mut().enumerate();
        let beginning = members.filter_map(|(index, member)| began.next_if_eq(&index).map(|_| member));
        self.live.began(at_ms, beginning);
    }

    fn decide(&mut self, due: &[(usize, Due)]) {
        let asked: Vec<_> = due.iter().map(|(index, due)| (&self.members[*index], due.looks)).collect();
        let given = self.live.decide(&asked);
        for ((index, due), given) in due.iter().zip(given) {
            let limit_bytes = self.feeds[*index].give(due, given.limit_bytes);
            let Due { from_ms, to_ms, .. } = *due;
            self.decided.decisions[*index].push(Decision { from_ms, to_ms, limit_bytes });
            self.decided.chances[*index].push(given.chance);
        }
    }
}
