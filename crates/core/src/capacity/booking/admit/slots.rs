//! How many more there is space for, beside what is booked.

use super::board::Board;
use crate::capacity::booking::demand::{Risk, UnknownRole};
use crate::capacity::booking::rooms::{Party, lots};
use crate::capacity::booking::span::Span;
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
        let lots = lots(one, u32::from(is_room), &self.loads)?;
        let (id, region) = (String::new(), region.map(str::to_string));
        let party = Party { id, footprint: span, lots, region, z: risk.z() };
        let [lot] = party.lots[..] else { return Ok(Slots::default()) };
        let mut slots = Slots::default();
        for pod in 0..self.chart.len() {
            let space = self.chart.space(pod, &party, &lot, MOST_SLOTS);
            slots.most = slots.most.saturating_add(space);
            slots.ready = slots.ready.saturating_add(if self.chart.is_ready(pod) { space } else { 0 });
        }
        Ok(slots)
    }
}
