//! How many more there is space for, beside what is booked.

use super::board::Board;
use crate::capacity::booking::demand::{Need, Risk, UnknownRole};
use crate::capacity::booking::rooms::{Party, lots};
use crate::capacity::booking::span::Span;
use crate::capacity::booking::supply::PodId;
use crate::capacity::roles::Counts;
use serde::Serialize;

/// What is counted up to.
const MOST_SLOTS: u64 = 1_000_000;

/// Space in all pods that there may be, and in those that run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Slots {
    /// In all pods.
    pub most: u64,
    /// In those that run now.
    pub ready: u64,
}

/// A pod, and what is promised of it at a moment, beside its base.
#[derive(Debug, Clone, PartialEq)]
pub struct Booked {
    /// Which.
    pub pod: PodId,
    /// It runs now.
    pub is_ready: bool,
    /// What people take who are promised something then.
    pub need: Need,
}

impl Board {
    /// How many more of these people would fit for a span, at a risk: as so many rooms with all of them in each, or, when it
    /// is no room, as so many people, of one role only. Nobody is moved for it.
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn slots(
        &self,
        one: &Counts,
        is_room: bool,
        span: Span,
        risk: Risk,
        region: Option<&str>,
    ) -> Result<Slots, UnknownRole> {
        let spaces = self.spaces(one, is_room, span, risk, region)?;
        let sum = |slots: Slots, (pod, space): (usize, u64)| Slots {
            most: slots.most.saturating_add(space),
            ready: slots.ready.saturating_add(if self.chart.is_ready(pod) { space } else { 0 }),
        };
        Ok(spaces.into_iter().enumerate().fold(Slots::default(), sum))
    }

    /// The same for each pod, in the order of [`Board::pods`].
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn spaces(
        &self,
        one: &Counts,
        is_room: bool,
        span: Span,
        risk: Risk,
        region: Option<&str>,
    ) -> Result<Vec<u64>, UnknownRole> {
        let lots = lots(one, u32::from(is_room), &self.loads)?;
        let (id, region) = (String::new(), region.map(str::to_string));
        let party = Party { id, footprint: span, lots, region, z: risk.z() };
        // Those that are not alike cannot be counted.
        let lot = match party.lots[..] {
            [lot] => Some(lot),
            _ => None,
        };
        let space = |pod| lot.map_or(0, |lot| self.chart.space(pod, &party, &lot, MOST_SLOTS));
        Ok((0..self.chart.len()).map(space).collect())
    }

    /// All pods that there may be, and what is promised of each at a moment.
    pub fn pods(&self, at_ms: i64) -> Vec<Booked> {
        let booked = |pod| {
            let need = self.chart.need_at(pod, at_ms);
            Booked { pod: self.chart.id(pod).clone(), is_ready: self.chart.is_ready(pod), need }
        };
        (0..self.chart.len()).map(booked).collect()
    }
}
