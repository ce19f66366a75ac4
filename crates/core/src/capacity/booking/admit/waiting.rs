//! The waiting list: first come, first served.
//!
//! Those that wait are tried in the order in which they came. One may pass an earlier one only if it cannot delay it: if
//! their footprints have no moment in common, or if the earlier one would not have a place even with nobody else there.
//! So a large experiment is not overtaken for ever by small ones that each would just fit.
//!
//! Who asks anew is not on the list: capacity that is free now is given to who asks for it now. What a cancellation sets
//! free is offered to the list in the same transaction, before anybody else sees it.

use super::board::Board;
use super::{Admission, Binds};
use crate::capacity::booking::days::Days;
use crate::capacity::booking::demand::UnknownRole;
use crate::capacity::booking::reservation::{Reservation, State};
use crate::capacity::booking::rooms::Chart;
use std::collections::BTreeMap;

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

impl Board<'_> {
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
        let (held, owned, chart) = (Days::new(), BTreeMap::new(), Chart::new(self.supply));
        let mut empty = Board { held, owned, chart, ..*self };
        Ok(empty.check(request)?.is_ok())
    }
}
