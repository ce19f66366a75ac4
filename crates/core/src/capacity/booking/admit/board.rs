//! The board: all that is promised, and whether one more fits.

use super::quota::{self, Owned, Quotas};
use super::{Admission, Binds, SeriesAdmission};
use crate::capacity::booking::days::Days;
use crate::capacity::booking::demand::{Loads, UnknownRole};
use crate::capacity::booking::reservation::{Reservation, State};
use crate::capacity::booking::rooms::{Chart, Moved, Party, Placed, place, repack};
use crate::capacity::booking::span::Span;
use crate::capacity::booking::supply::Supply;
use crate::capacity::booking::timetable::{Stretch, Timetable};
use std::collections::BTreeMap;

/// What is promised at a moment.
#[derive(Debug, Clone)]
pub struct Board<'a> {
    pub(super) supply: &'a Supply,
    pub(super) loads: &'a Loads,
    pub(super) quotas: &'a Quotas,
    pub(super) now_ms: i64,
    pub(super) held: Days<Held>,
    pub(super) owned: BTreeMap<String, Vec<Owned>>,
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
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub binds: Binds,
    pub why: String,
}

impl<'a> Board<'a> {
    /// With what holds capacity of these reservations, where it is stored to be; [`settle`](super::settle) has gone through
    /// them since supply changed. Those that are over count for their owners' weeks.
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn new(
        supply: &'a Supply,
        loads: &'a Loads,
        quotas: &'a Quotas,
        reservations: &[Reservation],
        now_ms: i64,
    ) -> Result<Board<'a>, UnknownRole> {
        let chart = Chart::new(supply);
        let mut board =
            Board { supply, loads, quotas, now_ms, held: Days::new(), owned: BTreeMap::new(), chart };
        for reservation in reservations {
            let is_holding = reservation.is_holding(now_ms);
            if is_holding || reservation.state == State::Completed {
                board.own(reservation, &reservation.party(loads)?, is_holding);
            }
            if is_holding && let Some(party) = party(reservation, loads, now_ms)? {
                board.hold(party, reservation.placement.clone(), reservation.is_movable());
            }
        }
        Ok(board)
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
    /// [`UnknownRole`].
    pub fn admit_series(&mut self, requests: &[Reservation]) -> Result<SeriesAdmission, UnknownRole> {
        let before = self.clone();
        let mut occurrences = Vec::new();
        for request in requests {
            occurrences.push(self.admit(request)?);
        }
        let reserved = !occurrences.is_empty() && occurrences.iter().all(|it| it.reserved);
        if !reserved {
            *self = before;
        }
        Ok(SeriesAdmission { reserved, occurrences })
    }

    /// Gives back what a cancelled reservation has; it does not count for its owner any more.
    pub fn release(&mut self, reservation: &Reservation) {
        self.chart.remove(&reservation.id);
        self.held.retain(|held| held.party.id != reservation.id);
        if let Some(owned) = self.owned.get_mut(&reservation.owner) {
            owned.retain(|it| it.id != reservation.id);
        }
    }

    /// Whether it has a place, and nothing is kept.
    pub(super) fn check(&mut self, request: &Reservation) -> Result<Result<Fit, Refusal>, UnknownRole> {
        let whole = request.party(self.loads)?;
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
        let Some(party) = party(request, self.loads, self.now_ms)? else {
            return refuse(Binds::Past, "it is over");
        };
        Ok(self.find_place(&party))
    }

    fn find_place(&mut self, party: &Party) -> Result<Fit, Refusal> {
        if let Some(placement) = place(&mut self.chart, party) {
            self.lift(party, &placement);
            return Ok(Fit { placement, moved: Vec::new() });
        }
        if !self.is_hopeless(party) {
            let movable = self.held.iter().map(|(_, held)| held).filter(|held| held.is_movable);
            let movable: Vec<(&Party, &[Placed])> =
                movable.map(|it| (&it.party, &it.placement[..])).collect();
            let mut copy = self.chart.clone();
            if let Some((placement, moved)) = repack(&mut copy, party, &movable) {
                return Ok(Fit { placement, moved });
            }
        }
        Err(self.reason(party))
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

    /// Takes a placement out of the chart that was put there last.
    fn lift(&mut self, party: &Party, placement: &[Placed]) {
        for placed in placement.iter().rev() {
            if let Some(pod) = self.chart.find(&placed.pod) {
                self.chart.take_back(pod, party);
            }
        }
    }

    /// Keeps a place that was found.
    pub(super) fn take(&mut self, request: &Reservation, fit: &Fit) -> Result<(), UnknownRole> {
        for moved in &fit.moved {
            if let Some(held) = self.held.take(|held| held.party.id == moved.id) {
                self.chart.remove(&moved.id);
                self.hold(held.party, moved.placement.clone(), held.is_movable);
            }
        }
        self.own(request, &request.party(self.loads)?, true);
        if let Some(party) = party(request, self.loads, self.now_ms)? {
            self.hold(party, fit.placement.clone(), request.is_movable());
        }
        Ok(())
    }

    pub(super) fn hold(&mut self, party: Party, placement: Vec<Placed>, is_movable: bool) {
        for placed in &placement {
            if let (Some(pod), Some(lot)) =
                (self.chart.find(&placed.pod), party.lots.get(placed.lot as usize))
            {
                self.chart.put(pod, &party, lot, placed.copies);
            }
        }
        self.held.push(party.footprint, Held { party, placement, is_movable });
    }

    fn own(&mut self, reservation: &Reservation, party: &Party, is_holding: bool) {
        let owned = owned(reservation, party, is_holding);
        self.owned.entry(reservation.owner.clone()).or_default().push(owned);
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
        id: reservation.id.clone(),
        span: reservation.span,
        footprint: party.footprint,
        mean_bytes: party.need().mean_bytes(),
        is_holding,
    }
}
