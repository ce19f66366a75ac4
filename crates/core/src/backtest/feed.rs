//! What our rule has to know of a container, in the order in which it becomes known, as its history is read.

use super::packed::{Packed, Samples};
use super::{Schedule, allowed};
use crate::sizing::plimsoll::evidence::{Seen, Tracker, Window};
use crate::sizing::plimsoll::{LOOKS, Looks};
use std::collections::VecDeque;

/// Evidence is taken four times a horizon, in a closed loop once.
const STRIDES: i64 = 4;

/// Something became known of a container.
#[derive(Debug, Clone)]
pub enum Event {
    /// A window is past.
    Ended(Window),
    /// A window begins.
    Began(i64),
    /// A decision is due.
    Due(Due),
}

/// A decision that is due.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// It holds from then on, in milliseconds since 1970.
    pub from_ms: i64,
    /// Until then.
    pub to_ms: i64,
    /// What the looks show, in bytes.
    pub looks: [u64; LOOKS],
    /// What is used, in bytes.
    used_bytes: u64,
}

/// Which events come first of those at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// [`Event::Ended`]
    Ended,
    /// [`Event::Began`]
    Began,
    /// [`Event::Due`]
    Due,
}

impl Event {
    /// When, in milliseconds since 1970, and what.
    pub fn key(&self) -> (i64, Kind) {
        match self {
            Event::Ended(window) => (window.end_ms, Kind::Ended),
            Event::Began(at_ms) => (*at_ms, Kind::Began),
            Event::Due(due) => (due.from_ms, Kind::Due),
        }
    }
}

/// The events of one container; what it holds does not grow with the length of the history.
pub struct Feed<'a> {
    samples: Samples<'a>,
    windows: std::iter::Peekable<Box<dyn Iterator<Item = (i64, i64)>>>,
    tracker: Tracker,
    used_bytes: u64,
    ready: VecDeque<Event>,
    closed_loop: bool,
    limit_now: Option<u64>,
}

impl<'a> Feed<'a> {
    /// From its first sample on.
    pub fn new(series: &'a Packed, schedule: &Schedule) -> Feed<'a> {
        let (looks, stride_ms) = if schedule.closed_loop {
            (Looks::of_loop(schedule.horizon_ms), schedule.horizon_ms)
        } else {
            (Looks::of_horizon(schedule.horizon_ms), schedule.horizon_ms / STRIDES)
        };
        let windows: Box<dyn Iterator<Item = (i64, i64)>> = Box::new(schedule.windows(series.extent()));
        Feed {
            samples: series.samples(),
            windows: windows.peekable(),
            tracker: Tracker::new(looks, schedule.horizon_ms, stride_ms),
            used_bytes: 0,
            ready: VecDeque::new(),
            closed_loop: schedule.closed_loop,
            limit_now: None,
        }
    }

    /// When the next event happens, and what it is.
    pub fn peek(&mut self) -> Option<(i64, Kind)> {
        while self.ready.is_empty() {
            self.read_on()?;
        }
        self.ready.front().map(Event::key)
    }

    /// The next event; [`peek`](Feed::peek) has to come before.
    pub fn take(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// The limit it gets of the one it should have.
    pub fn give(&mut self, due: &Due, wanted_bytes: u64) -> u64 {
        let limit_now = self.limit_now.filter(|_| self.closed_loop);
        *self.limit_now.insert(allowed(limit_now, wanted_bytes, due.used_bytes))
    }

    /// Takes one sample, before it the decisions that are due without it.
    fn read_on(&mut self) -> Option<()> {
        let sample = self.samples.next()?;
        let mut known: Vec<Event> = Vec::new();
        let mut take = |seen| {
            known.push(match seen {
                Seen::Began(at_ms) => Event::Began(at_ms),
                Seen::Ended(window) => Event::Ended(window),
            });
        };
        let mut dues = Vec::new();
        while let Some((from_ms, to_ms)) = self.windows.next_if(|(from_ms, _)| *from_ms <= sample.at_ms) {
            self.tracker.close(from_ms, &mut take);
            let looks = self.tracker.looks(from_ms);
            let used_bytes = self.used_bytes;
            dues.extend(looks.map(|looks| Event::Due(Due { from_ms, to_ms, looks, used_bytes })));
        }
        self.tracker.observe(sample, &mut take);
        self.used_bytes = sample.bytes;
        known.append(&mut dues);
        known.sort_by_key(Event::key);
        self.ready.extend(known);
        Some(())
    }
}
