//! The waiting list: first come, first served.
//!
//! Those that wait are tried in the order in which they came. One may pass an earlier one only if it cannot delay it: if
//! their footprints have no moment in common, or if the earlier one would not have a place even with nobody else there.
//! So a large experiment is not overtaken for ever by small ones that each would just fit.
//!
//! Who asks anew is not on the list: capacity that is free now is given to who asks for it now. What a cancellation sets
//! free is offered to the list in the same transaction, before anybody else sees it.

use super::board::{Board, Fit, party};
use super::{Admission, Binds};
use crate::capacity::booking::demand::UnknownRole;
use crate::capacity::booking::reservation::{Reservation, State};
use crate::capacity::booking::rooms::{Moved, Placed};

/// What becomes of one that waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// It has a place now.
    Promoted(Box<Admission>),
    /// It has none yet, because of this.
    Waits(Binds),
    /// It might have one, and would delay an earlier one with this id.
    Behind(String),
}

impl Board {
    /// Goes through those that wait, in any order given, and keeps the places that they get. Each with what becomes of
    /// it, in the order of their turns.
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn promote(&mut self, waiting: &[Reservation]) -> Result<Vec<(String, Turn)>, UnknownRole> {
        let mut line: Vec<&Reservation> = waiting.iter().filter(|it| it.state == State::Waitlisted).collect();
        line.sort_by_key(|it| (it.created_ms, it.id.clone()));
        let (mut turns, mut ahead) = (Vec::new(), Vec::new());
        for one in line {
            let footprint = one.footprint();
            let before =
                ahead.iter().find(|earlier: &&&Reservation| earlier.footprint().overlaps(&footprint));
            let turn = match before {
                Some(earlier) => Turn::Behind(earlier.id.clone()),
                None => match self.check(one)? {
                    Ok(fit) => Turn::Promoted(Box::new(self.granted(one, fit)?)),
                    Err(refusal) => Turn::Waits(refusal.binds),
                },
            };
            if !matches!(turn, Turn::Promoted(_)) && self.could_ever_fit(one)? {
                ahead.push(one);
            }
            turns.push((one.id.clone(), turn));
        }
        Ok(turns)
    }

    /// With nobody else there it would have a place: it is worth to wait. What it is now is not looked at.
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn could_ever_fit(&self, request: &Reservation) -> Result<bool, UnknownRole> {
        let mut empty = Board::of(self.supply.clone(), self.loads.clone(), self.quotas.clone(), self.now_ms);
        Ok(empty.check(request)?.is_ok())
    }

    /// Those that are degraded, in any order given, get places where there are some, who was confirmed first first. This is
    /// for when something has become free; where supply has changed, [`settle`](super::settle) looks at all.
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn restore(&mut self, degraded: &[Reservation]) -> Result<Vec<Restored>, UnknownRole> {
        let mut line: Vec<&Reservation> = degraded.iter().filter(|it| it.state == State::Degraded).collect();
        line.sort_by_key(|it| (it.confirmed_ms, it.id.clone()));
        let mut restored = Vec::new();
        for one in line {
            let Some(party) = party(one, &self.loads, self.now_ms)? else { continue };
            if let Some(fit) = self.find_place(&party) {
                self.take(one, &fit)?;
                let Fit { placement, moved, .. } = fit;
                restored.push(Restored { id: one.id.clone(), placement, moved });
            }
        }
        Ok(restored)
    }
}

/// One that has a place again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Which.
    pub id: String,
    /// Where its rooms are.
    pub placement: Vec<Placed>,
    /// Others whose rooms are elsewhere now.
    pub moved: Vec<Moved>,
}
