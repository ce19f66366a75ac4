//! The words and numbers of an answer, and what would do instead.

use super::board::{Board, Fit, Refusal};
use super::quota::next_week_ms;
use super::smaller::sequence;
use super::{Admission, Binds, CapacityDetails, Explain, Quantiles};
use crate::capacity::booking::demand::{Need, UnknownRole, quantile_z};
use crate::capacity::booking::reservation::Reservation;
use crate::capacity::booking::rooms::Party;
use crate::capacity::booking::span::{DAY_MS, Span};
use crate::capacity::booking::timetable::Timetable;
use crate::capacity::roles::Counts;
use std::collections::BTreeSet;

/// Times that are tried for a free slot.
const MOST_TRIES: usize = 200;
/// Ids that are named.
const MOST_NAMED: usize = 100;

impl Board {
    /// The answer to a request that has a place, which is kept.
    pub(super) fn granted(&mut self, request: &Reservation, fit: Fit) -> Result<Admission, UnknownRole> {
        let mut admission = self.answer(request, "there is a place for all of its rooms".to_string())?;
        self.take(request, &fit)?;
        let pods: Vec<usize> = fit.placement.iter().filter_map(|it| self.chart.find(&it.pod)).collect();
        let rest = request.footprint().since(self.now_ms).unwrap_or(request.footprint());
        let chance = pods.iter().map(|pod| self.chart.chance_above(*pod, &rest)).fold(0.0, f64::max);
        let moved = fit.moved.iter().flat_map(|moved| &moved.placement);
        let mut moved = moved.filter_map(|it| self.chart.find(&it.pod));
        admission.reserved = true;
        admission.scaling_required =
            pods.iter().any(|pod| !self.chart.is_ready(*pod)) || moved.any(|pod| !self.chart.is_ready(pod));
        admission.risk_had = Some(chance);
        (admission.placement, admission.moved) = (fit.placement, fit.moved);
        Ok(admission)
    }

    /// The answer to a request that has none.
    pub(super) fn refused(
        &mut self,
        request: &Reservation,
        refusal: Refusal,
    ) -> Result<Admission, UnknownRole> {
        let mut admission = self.answer(request, refusal.why)?;
        admission.explain.binds = Some(refusal.binds);
        admission.may_wait = self.could_ever_fit(request)?;
        admission.explain.earliest_free = self.earliest_free(request)?;
        if !matches!(refusal.binds, Binds::Past | Binds::Horizon) {
            admission.explain.smaller = self.smaller(request)?;
        }
        Ok(admission)
    }

    fn answer(&self, request: &Reservation, why: String) -> Result<Admission, UnknownRole> {
        let whole = request.party(&self.loads)?;
        let party = match whole.footprint.since(self.now_ms) {
            Some(footprint) => Party { footprint, ..whole },
            None => whole,
        };
        let others = self.others(&party);
        let with = Timetable::new(others.iter().chain([&party])).most(&party.footprint, party.z);
        let without = Timetable::new(&others);
        let booked = without.most(&party.footprint, party.z).map_or(Need::NONE, |it| it.need);
        let mut held_by = with.map(|it| without.held_by(it.span.start_ms)).unwrap_or_default();
        let held_by_count = held_by.len();
        held_by.truncate(MOST_NAMED);
        let (pods, ready) = self.open_pods(&party);
        let usable_bytes = self.supply.pod.usable_bytes();
        let total_bytes = usable_bytes.saturating_mul(pods);
        let explain = Explain {
            why,
            peak_at_ms: with.map(|it| it.span.start_ms),
            held_by,
            held_by_count,
            ..Explain::default()
        };
        Ok(Admission {
            id: request.id.clone(),
            reserved: false,
            may_wait: false,
            scaling_required: false,
            capacity_details: CapacityDetails {
                total_bytes,
                ready_bytes: usable_bytes.saturating_mul(ready),
                booked_bytes: quantiles(booked),
                available_bytes: total_bytes.saturating_sub(booked.at_z_bytes(party.z)),
                needed_bytes: party.need().at_z_bytes(party.z),
            },
            risk_asked: request.risk,
            risk_had: None,
            explain,
            placement: Vec::new(),
            moved: Vec::new(),
        })
    }

    /// The first start from the asked one on at which it has a place. A place becomes free only where something ends, or
    /// where a week begins for the quota: those are tried in their order, 200 at most.
    fn earliest_free(&mut self, request: &Reservation) -> Result<Option<Span>, UnknownRole> {
        let first_ms = request.span.start_ms.max(self.now_ms);
        let quota = self.quotas.of(&request.owner);
        let last_ms = quota.horizon_ms(self.now_ms).saturating_sub(request.span.length_ms());
        let mut starts = self.ends(first_ms, last_ms, request.margins.lead_ms.max(0));
        if quota.mb_hours_per_week.is_some() {
            let weeks = std::iter::successors(Some(next_week_ms(first_ms)), |at| Some(next_week_ms(*at)));
            starts.extend(weeks.take(MOST_TRIES).take_while(|at_ms| *at_ms <= last_ms));
        }
        starts.insert(first_ms);
        let mut moved = request.clone();
        for start_ms in starts.into_iter().take_while(|at_ms| *at_ms <= last_ms).take(MOST_TRIES) {
            moved.span = request.span.moved_to(start_ms);
            if self.check(&moved)?.is_ok() {
                return Ok(Some(moved.span));
            }
        }
        Ok(None)
    }

    /// When what is held ends, and a lead after that is over: between two moments, the first 200 and a day's more.
    fn ends(&self, first_ms: i64, last_ms: i64, lead_ms: i64) -> BTreeSet<i64> {
        let mut starts = BTreeSet::new();
        let mut day = Span { start_ms: first_ms.saturating_sub(lead_ms), end_ms: 0 };
        while starts.len() < MOST_TRIES && day.start_ms <= last_ms {
            day.end_ms = day.start_ms.saturating_add(DAY_MS);
            let ends = self.held.overlapping(&day).map(|(span, _)| span.end_ms);
            let of_day = ends.filter(|end_ms| (day.start_ms..=day.end_ms).contains(end_ms));
            starts.extend(of_day.map(|end_ms| end_ms.saturating_add(lead_ms)));
            day.start_ms = day.end_ms;
        }
        starts
    }

    /// The most people that have a place: so many do, and one more does not. By halves between nobody and all.
    fn smaller(&mut self, request: &Reservation) -> Result<Option<Counts>, UnknownRole> {
        let Some(sequence) = sequence(request) else { return Ok(None) };
        let (mut fits, mut fails) = (0, sequence.len());
        while fails - fits > 1 {
            let middle = fits + (fails - fits) / 2;
            match self.check(&sequence.first(middle))?.is_ok() {
                true => fits = middle,
                false => fails = middle,
            }
        }
        Ok((fits > 0).then(|| sequence.first(fits).counts))
    }
}

fn quantiles(need: Need) -> Quantiles {
    let at = |p: f64| need.at_z_bytes(quantile_z(p).max(0.0));
    Quantiles { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
