//! The board: all that is promised, and whether one more fits.

use super::quota::{self, Owned, Quotas};
use super::{Admission, Binds, SeriesAdmission};
use crate::capacity::booking::days::Days;
use crate::capacity::booking::demand::{Loads, UnknownRole};
use crate::capacity::booking::reservation::{Reservation, State};
use crate::capacity::booking::rooms::{Chart, MOST_MOVED, Moved, Party, Placed, place, repack};
use crate::capacity::booking::span::Span;
use crate::capacity::booking::supply::Supply;
use crate::capacity::booking::timetable::{Stretch, Timetable};
use std::collections::BTreeMap;

/// What is promised. It may be kept from one decision to the next, when it is told what becomes of reservations
/// ([`Board::put`], [`Board::release`]) and what time it is ([`Board::at`]).
#[derive(Debug, Clone)]
pub struct Board {
    pub(super) supply: Supply,
    pub(super) loads: Loads,
    pub(super) quotas: Quotas,
    pub(super) now_ms: i64,
    pub(super) held: Days<Held>,
    /// Of each owner, by the ids of reservations.
    pub(super) owned: BTreeMap<String, BTreeMap<String, Owned>>,
    pub(super) chart: Chart,
}

/// One that has a place.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub party: Party,
    pub placement: Vec<Placed>,
    pub is_movable: bool,
}

/// A place for a request.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub placement: Vec<Placed>,
    pub moved: Vec<Moved>,
    /// Where those that are moved are now, and when, in the same order.
    pub before: Vec<(Span, Moved)>,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub binds: Binds,
    pub why: String,
}

impl Board {
    /// With what holds capacity of these reservations, where it is stored to be; [`settle`](super::settle) has gone through
    /// them since supply changed. Those that are over count for their owners' weeks.
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn new<'a>(
        supply: &Supply,
        loads: &Loads,
        quotas: &Quotas,
        reservations: impl IntoIterator<Item = &'a Reservation>,
        now_ms: i64,
    ) -> Result<Board, UnknownRole> {
        let (supply, loads, quotas) = (supply.clone(), loads.clone(), quotas.clone());
        let mut board = Board::of(supply, loads, quotas, now_ms);
        reservations.into_iter().try_for_each(|reservation| board.put(reservation))?;
        Ok(board)
    }

    /// With nothing on it.
    pub(super) fn of(supply: Supply, loads: Loads, quotas: Quotas, now_ms: i64) -> Board {
        let chart = Chart::new(&supply);
        Board { supply, loads, quotas, now_ms, held: Days::new(), owned: BTreeMap::new(), chart }
    }

    /// It is so late now, in milliseconds since 1970.
    pub fn at(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// What one holds by its state, where it is stored to be.
    ///
    /// # Errors
    /// [`UnknownRole`]; then nothing has changed.
    pub fn put(&mut self, reservation: &Reservation) -> Result<(), UnknownRole> {
        let is_holding = reservation.is_holding(self.now_ms);
        if !is_holding && reservation.state != State::Completed {
            return Ok(());
        }
        let party = reservation.party(&self.loads)?;
        self.own(reservation, &party, is_holding);
        if is_holding && party.footprint.since(self.now_ms).is_some() {
            self.hold(party, reservation.placement.clone(), reservation.is_movable());
        }
        Ok(())
    }

    /// Gives back what a reservation has that has this id, owner and footprint; it does not count for its owner any more.
    pub fn release(&mut self, reservation: &Reservation) {
        self.lift_up(&reservation.id, &reservation.footprint());
        if let Some(owned) = self.owned.get_mut(&reservation.owner) {
            owned.remove(&reservation.id);
        }
    }

    /// Decides about one more, and keeps its place when it has one.
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn admit(&mut self, request: &Reservation) -> Result<Admission, UnknownRole> {
        match self.check(request)? {
            Ok(fit) => self.granted(request, fit),
            Err(refusal) => self.refused(request, refusal),
        }
    }

    /// Decides about all occurrences of what recurs, each beside those before it: all have a place, or none is kept.
    ///
    /// # Errors
    /// [`UnknownRole`]; then none is kept.
    pub fn admit_series(&mut self, requests: &[Reservation]) -> Result<SeriesAdmission, UnknownRole> {
        let (mut occurrences, mut taken, mut failed) = (Vec::new(), Vec::new(), None);
        for request in requests {
            let admission = match self.check(request) {
                Ok(Ok(fit)) => {
                    taken.push((request, fit.before.clone()));
                    self.granted(request, fit)
                }
                Ok(Err(refusal)) => self.refused(request, refusal),
                Err(error) => Err(error),
            };
            match admission {
                Ok(admission) => occurrences.push(admission),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let reserved =
            failed.is_none() && !occurrences.is_empty() && occurrences.iter().all(|it| it.reserved);
        if !reserved {
            for (request, before) in taken.into_iter().rev() {
                self.release(request);
                before.into_iter().for_each(|(span, moved)| self.move_to(&span, moved));
            }
        }
        match failed {
            None => Ok(SeriesAdmission { reserved, occurrences }),
            Some(error) => Err(error),
        }
    }

    /// What is booked in a span, stretch by stretch, in one region or in all.
    pub fn booked(&self, span: &Span, region: Option<&str>) -> Vec<Stretch> {
        let (id, region) = (String::new(), region.map(str::to_string));
        let window = Party { id, footprint: *span, lots: Vec::new(), region, z: 0.0 };
        Timetable::new(&self.others(&window)).stretches(span, 0.0)
    }

    /// Whether it has a place, and nothing is kept.
    pub(super) fn check(&mut self, request: &Reservation) -> Result<Result<Fit, Refusal>, UnknownRole> {
        let whole = request.party(&self.loads)?;
        let quota = self.quotas.of(&request.owner);
        let refuse = |binds, why: &str| Ok(Err(Refusal { binds, why: why.to_string() }));
        if request.span.start_ms < self.now_ms {
            return refuse(Binds::Past, "it starts in the past");
        }
        if request.span.end_ms > quota.horizon_ms(self.now_ms) {
            return refuse(Binds::Horizon, &format!("it ends more than {} days ahead", quota.horizon_days));
        }
        if let Err(refusal) =
            quota::check(self.owned.get(&request.owner), &owned(request, &whole, true), quota)
        {
            return Ok(Err(refusal));
        }
        let Some(party) = party(request, &self.loads, self.now_ms)? else {
            return refuse(Binds::Past, "it is over");
        };
        Ok(self.find_place(&party).ok_or_else(|| self.reason(&party)))
    }

    /// A place beside others, or instead of some that go elsewhere.
    pub(super) fn find_place(&mut self, party: &Party) -> Option<Fit> {
        if let Some(placement) = place(&mut self.chart, party) {
            self.chart.remove(party, &placement);
            return Some(Fit { placement, moved: Vec::new(), before: Vec::new() });
        }
        if self.is_hopeless(party) {
            return None;
        }
        let movable = self.movable_near(party)?;
        let (placement, moved) = repack(&self.chart, party, &movable)?;
        let before = |moved: &Moved| {
            let (other, placement) = movable.iter().find(|(other, _)| other.id == moved.id)?;
            Some((other.footprint, Moved { id: other.id.clone(), placement: placement.to_vec() }))
        };
        let before = moved.iter().filter_map(before).collect();
        Some(Fit { placement, moved, before })
    }

    /// Those that may be moved and share time with a party, directly or by others; none when they are too many.
    fn movable_near(&self, party: &Party) -> Option<Vec<(&Party, &[Placed])>> {
        let mut span = party.footprint;
        loop {
            let near = self.held.overlapping(&span).map(|(_, held)| held).filter(|held| held.is_movable);
            let near: Vec<&Held> = near.take(MOST_MOVED + 1).collect();
            if near.len() > MOST_MOVED {
                return None;
            }
            let wider = near.iter().fold(span, |span, held| span.hull(&held.party.footprint));
            if wider == span {
                return Some(near.into_iter().map(|held| (&held.party, &held.placement[..])).collect());
            }
            span = wider;
        }
    }

    /// Others during a party's footprint: what of them is where the party may go.
    pub(super) fn others(&self, party: &Party) -> Vec<Party> {
        let of = |(_, held): &(Span, Held)| {
            let mut there = held.party.clone();
            let Some(region) = &party.region else { return there };
            for (at, lot) in there.lots.iter_mut().enumerate() {
                let placed = held.placement.iter().filter(|it| it.lot as usize == at);
                lot.copies = placed.filter(|it| it.pod.region == *region).map(|it| it.copies).sum();
            }
            there
        };
        self.held.overlapping(&party.footprint).map(of).collect()
    }

    /// Pods where a party may go, and how many of them run.
    pub(super) fn open_pods(&self, party: &Party) -> (u64, u64) {
        let open = (0..self.chart.len()).filter(|pod| self.chart.is_open_to(*pod, party));
        open.fold((0, 0), |(all, ready), pod| (all + 1, ready + u64::from(self.chart.is_ready(pod))))
    }

    /// However rooms are placed, it cannot do: the mean alone of what has to be where it may go is too much.
    fn is_hopeless(&self, party: &Party) -> bool {
        let total = self.supply.pod.usable_bytes().saturating_mul(self.open_pods(party).0);
        let is_bound = |held: &&Held| match &party.region {
            Some(region) => held.party.region.as_ref() == Some(region),
            None => true,
        };
        let bound = self
            .held
            .overlapping(&party.footprint)
            .map(|(_, held)| held)
            .filter(is_bound)
            .map(|held| &held.party);
        let stretches = Timetable::new(bound.chain([party])).stretches(&party.footprint, party.z);
        stretches.iter().any(|stretch| stretch.need.mean_bytes() > total)
    }

    fn reason(&self, party: &Party) -> Refusal {
        let others = self.others(party);
        let stretches = Timetable::new(others.iter().chain([party])).stretches(&party.footprint, party.z);
        let (pods, shape) = (self.open_pods(party).0, &self.supply.pod);
        let total = shape.usable_bytes().saturating_mul(pods);
        let is_over = |most: Option<u64>, of: fn(&Stretch) -> u64| {
            most.is_some_and(|most| stretches.iter().any(|it| of(it) > most.saturating_mul(pods)))
        };
        let most = stretches.iter().map(|it| it.need.at_z_bytes(it.z)).max().unwrap_or(0);
        let (binds, why) = if pods == 0 {
            (Binds::Pods, "there are no pods where it may go".to_string())
        } else if most > total {
            (Binds::Memory, format!("{most} bytes would be needed at once, {total} there may be"))
        } else if is_over(shape.max_rooms, |it| it.rooms) {
            (Binds::Pods, "there would be more rooms than pods may have".to_string())
        } else if is_over(shape.max_participants, |it| it.people) {
            (Binds::Pods, "there would be more people than pods may have".to_string())
        } else {
            let why = "there is enough memory in all pods together, but a room does not fit into any of them";
            (Binds::Rooms, why.to_string())
        };
        Refusal { binds, why }
    }

    /// Keeps a place that was found.
    pub(super) fn take(&mut self, request: &Reservation, fit: &Fit) -> Result<(), UnknownRole> {
        let party = request.party(&self.loads)?;
        for (moved, (span, _)) in fit.moved.iter().zip(&fit.before) {
            self.move_to(span, moved.clone());
        }
        self.own(request, &party, true);
        self.hold(party, fit.placement.clone(), request.is_movable());
        Ok(())
    }

    fn move_to(&mut self, span: &Span, moved: Moved) {
        if let Some(held) = self.lift_up(&moved.id, span) {
            self.hold(held.party, moved.placement, held.is_movable);
        }
    }

    fn lift_up(&mut self, id: &str, span: &Span) -> Option<Held> {
        let held = self.held.remove(span, |held| held.party.id == id)?;
        self.chart.remove(&held.party, &held.placement);
        Some(held)
    }

    fn hold(&mut self, party: Party, placement: Vec<Placed>, is_movable: bool) {
        self.chart.put_all(&party, &placement);
        self.held.push(party.footprint, Held { party, placement, is_movable });
    }

    fn own(&mut self, reservation: &Reservation, party: &Party, is_holding: bool) {
        let owned = owned(reservation, party, is_holding);
        self.owned.entry(reservation.owner.clone()).or_default().insert(reservation.id.clone(), owned);
    }
}

/// As a party, from now on; none when it is over.
pub(super) fn party(
    reservation: &Reservation,
    loads: &Loads,
    now_ms: i64,
) -> Result<Option<Party>, UnknownRole> {
    let party = reservation.party(loads)?;
    let rest: Option<Span> = party.footprint.since(now_ms);
    Ok(rest.map(|footprint| Party { footprint, ..party }))
}

fn owned(reservation: &Reservation, party: &Party, is_holding: bool) -> Owned {
    Owned {
        span: reservation.span,
        footprint: party.footprint,
        mean_bytes: party.need().mean_bytes(),
        is_holding,
    }
}
