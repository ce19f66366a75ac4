//! What is booked over time: the sum at each moment, and when it is most.
//!
//! One sweep over the moments at which something begins or ends: `n` bookings cost `n log n`, however many overlap. A
//! thousand take well under a millisecond; who has more keeps to those of a window.

use super::demand::{Need, Tally};
use super::rooms::Party;
use super::span::Span;

/// Bookings, in no order.
#[derive(Debug, Clone, Default)]
pub struct Timetable<'a> {
    entries: Vec<Entry<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    id: &'a str,
    footprint: Span,
    need: Need,
    rooms: u64,
    people: u64,
    z: f64,
}

/// What is booked from one moment until something changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// How long it is so.
    pub span: Span,
    /// All of it together.
    pub need: Need,
    /// How many of them there are.
    pub parties: u64,
    /// How many rooms.
    pub rooms: u64,
    /// How many people.
    pub people: u64,
    /// That of who takes the least risk.
    pub z: f64,
}

/// When most is booked.
#[derive(Debug, Clone, PartialEq)]
pub struct Peak {
    /// The first such moment, in milliseconds since 1970.
    pub at_ms: i64,
    /// How much is booked then.
    pub need: Need,
    /// By which reservations, in the order of their ids.
    pub held_by: Vec<String>,
}

impl<'a> Timetable<'a> {
    /// Of these reservations.
    pub fn new(parties: impl IntoIterator<Item = &'a Party>) -> Timetable<'a> {
        let entry = |party: &'a Party| {
            let (rooms, people) = party.rooms_and_people();
            let (id, footprint, need, z) = (&party.id[..], party.footprint, party.need(), party.z);
            Entry { id, footprint, need, rooms, people, z }
        };
        Timetable { entries: parties.into_iter().map(entry).collect() }
    }

    /// All stretches of a window, in their order and without a gap. The `z` of a stretch is at least `least_z`.
    pub fn stretches(&self, window: &Span, least_z: f64) -> Vec<Stretch> {
        let inside = |entry: &Entry<'a>| entry.footprint.intersection(window).map(|span| (span, *entry));
        let mut begins: Vec<(Span, Entry)> = self.entries.iter().filter_map(inside).collect();
        let mut ends = begins.clone();
        begins.sort_unstable_by_key(|(span, _)| span.start_ms);
        ends.sort_unstable_by_key(|(span, _)| span.end_ms);
        let mut moments: Vec<i64> =
            begins.iter().flat_map(|(span, _)| [span.start_ms, span.end_ms]).collect();
        moments.extend([window.start_ms, window.end_ms]);
        moments.sort_unstable();
        moments.dedup();
        let (mut begins, mut ends) = (begins.iter().peekable(), ends.iter().peekable());
        let mut now = Now::default();
        let mut stretches = Vec::new();
        for pair in moments.windows(2) {
            let &[start_ms, end_ms] = pair else { continue };
            while let Some((_, entry)) = ends.next_if(|(span, _)| span.end_ms <= start_ms) {
                now.ends(entry);
            }
            while let Some((_, entry)) = begins.next_if(|(span, _)| span.start_ms <= start_ms) {
                now.begins(entry);
            }
            let z = now.z().max(least_z);
            let span = Span { start_ms, end_ms };
            let Now { parties, rooms, people, .. } = now;
            stretches.push(Stretch { span, need: now.tally.sum(), parties, rooms, people, z });
        }
        stretches
    }

    /// The stretch of a window in which most has to be held, the first of them.
    pub fn most(&self, window: &Span, least_z: f64) -> Option<Stretch> {
        let bytes = |it: &Stretch| (it.need.at_z_bytes(it.z), it.need.mean_bytes());
        // The first of equals, where `max_by_key` has the last.
        self.stretches(window, least_z).into_iter().rev().max_by_key(bytes)
    }

    /// The same, with who holds it.
    pub fn peak(&self, window: &Span, least_z: f64) -> Option<Peak> {
        let most = self.most(window, least_z)?;
        let at_ms = most.span.start_ms;
        Some(Peak { at_ms, need: most.need, held_by: self.held_by(at_ms) })
    }

    /// Reservations in force at a moment, in the order of their ids.
    pub fn held_by(&self, at_ms: i64) -> Vec<String> {
        let there = self.entries.iter().filter(|entry| entry.footprint.contains(at_ms));
        let mut ids: Vec<String> = there.map(|entry| entry.id.to_string()).collect();
        ids.sort_unstable();
        ids
    }
}

/// No more than so many stretches: those of a window that is cut into parts of one length, of each the one in which most has
/// to be held at `z` standard deviations.
pub fn coarse(stretches: Vec<Stretch>, most: usize, z: f64) -> Vec<Stretch> {
    let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else { return stretches };
    if stretches.len() <= most.max(1) {
        return stretches;
    }
    let (start_ms, end_ms) = (first.span.start_ms, last.span.end_ms);
    // Rounded up, so that there are no more of them.
    let part_ms = end_ms.saturating_sub(start_ms) / i64::try_from(most.max(1)).unwrap_or(i64::MAX) + 1;
    let mut coarse: Vec<Stretch> = Vec::new();
    for stretch in stretches {
        let mut from_ms = stretch.span.start_ms;
        while from_ms < stretch.span.end_ms {
            let part = (from_ms - start_ms) / part_ms;
            let part_start_ms = start_ms + part * part_ms;
            let span = Span { start_ms: part_start_ms, end_ms: (part_start_ms + part_ms).min(end_ms) };
            match coarse.last_mut().filter(|it| it.span == span) {
                Some(most) if most.need.at_z_bytes(z) >= stretch.need.at_z_bytes(z) => {}
                Some(most) => *most = Stretch { span, ..stretch },
                None => coarse.push(Stretch { span, ..stretch }),
            }
            from_ms = span.end_ms;
        }
    }
    coarse
}

/// What is there while time is gone through.
#[derive(Default)]
struct Now {
    tally: Tally,
    parties: u64,
    rooms: u64,
    people: u64,
    /// By their bits, which have the order of what is not below zero.
    zs: std::collections::BTreeMap<u64, u32>,
}

impl Now {
    fn begins(&mut self, entry: &Entry) {
        self.tally.add(entry.need);
        self.parties += 1;
        self.rooms = self.rooms.saturating_add(entry.rooms);
        self.people = self.people.saturating_add(entry.people);
        *self.zs.entry(entry.z.max(0.0).to_bits()).or_default() += 1;
    }

    fn ends(&mut self, entry: &Entry) {
        self.tally.take_away(entry.need);
        self.parties = self.parties.saturating_sub(1);
        self.rooms = self.rooms.saturating_sub(entry.rooms);
        self.people = self.people.saturating_sub(entry.people);
        let bits = entry.z.max(0.0).to_bits();
        if let Some(times) = self.zs.get_mut(&bits) {
            *times -= 1;
            if *times == 0 {
                self.zs.remove(&bits);
            }
        }
    }

    fn z(&self) -> f64 {
        self.zs.last_key_value().map_or(0.0, |(bits, _)| f64::from_bits(*bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::booking::rooms::Lot;
    use crate::capacity::load::Load;
    use proptest::prelude::*;

    fn party(id: usize, start_ms: i64, end_ms: i64, mb: u64, z: f64) -> Party {
        let load = Load { mean_bytes: 1e6, variance_bytes2: 1e12 };
        let lots = vec![Lot { need: Need::certain(load), people: 1, is_room: false, copies: mb }];
        let footprint = Span { start_ms, end_ms };
        Party { id: format!("r{id}"), footprint, lots, region: None, z }
    }

    #[test]
    fn when_most_is_booked() {
        let check = |entries: &[(i64, i64, u64)], window: (i64, i64), expect: (i64, u64, &[&str])| {
            let all = entries.iter().enumerate();
            let all: Vec<Party> = all.map(|(at, &(from, to, mb))| party(at, from, to, mb, 1.0)).collect();
            let window = Span { start_ms: window.0, end_ms: window.1 };
            let peak = Timetable::new(&all).peak(&window, 0.0).expect("a peak");
            let (at_ms, mb, ids) = expect;
            assert_eq!((peak.at_ms, peak.need.mean_bytes()), (at_ms, mb * 1_000_000), "{entries:?}");
            assert_eq!(peak.held_by, ids, "{entries:?}");
        };
        check(&[], (0, 10), (0, 0, &[]));
        check(&[(2, 8, 5)], (0, 10), (2, 5, &["r0"]));
        check(&[(2, 8, 5), (8, 9, 5)], (0, 10), (2, 5, &["r0"]));
        check(&[(2, 8, 5), (7, 9, 5)], (0, 10), (7, 10, &["r0", "r1"]));
        check(&[(2, 8, 5), (7, 9, 5), (0, 2, 9)], (0, 7), (0, 9, &["r2"]));
        check(&[(0, 20, 5), (30, 40, 100)], (5, 10), (5, 5, &["r0"]));
    }

    proptest! {
        #[test]
        fn what_is_coarse_hides_no_peak(
            entries in proptest::collection::vec((0i64..50, 1i64..30, 1u64..20, 0u8..1), 1..25), most in 1usize..12,
        ) {
            let all = entries.iter().enumerate();
            let all: Vec<Party> = all.map(|(at, &(from, long, mb, _))| party(at, from, from + long, mb, 0.0)).collect();
            let window = Span { start_ms: 0, end_ms: 80 };
            let fine = Timetable::new(&all).stretches(&window, 0.0);
            let coarse = coarse(fine.clone(), most, 1.0);
            prop_assert!(coarse.len() <= most.max(fine.len().min(most)));
            prop_assert_eq!((coarse[0].span.start_ms, coarse[coarse.len() - 1].span.end_ms), (0, 80));
            prop_assert!(coarse.windows(2).all(|two| two[0].span.end_ms == two[1].span.start_ms));
            for it in &coarse {
                let inside = fine.iter().filter(|fine| fine.span.overlaps(&it.span));
                let highest = inside.map(|fine| fine.need.at_z_bytes(1.0)).max();
                prop_assert_eq!(Some(it.need.at_z_bytes(1.0)), highest);
            }
        }

        #[test]
        fn stretches_are_what_is_there_at_each_moment(
            entries in proptest::collection::vec((0i64..50, 1i64..30, 1u64..20, 0u8..4), 0..25),
            window in (0i64..40, 1i64..40),
        ) {
            let all = entries.iter().enumerate();
            let all: Vec<Party> =
                all.map(|(at, &(from, long, mb, z))| party(at, from, from + long, mb, f64::from(z))).collect();
            let window = Span { start_ms: window.0, end_ms: window.0 + window.1 };
            let stretches = Timetable::new(&all).stretches(&window, 1.5);
            prop_assert_eq!(stretches[0].span.start_ms, window.start_ms);
            prop_assert_eq!(stretches[stretches.len() - 1].span.end_ms, window.end_ms);
            prop_assert!(stretches.windows(2).all(|two| two[0].span.end_ms == two[1].span.start_ms));
            for stretch in stretches {
                for at_ms in stretch.span.start_ms..stretch.span.end_ms {
                    let there: Vec<&Party> = all.iter().filter(|it| it.footprint.contains(at_ms)).collect();
                    let need = there.iter().map(|it| it.need()).fold(Need::NONE, Need::plus);
                    prop_assert_eq!((stretch.need, stretch.parties), (need, there.len() as u64));
                    prop_assert_eq!(stretch.people, there.iter().map(|it| it.lots[0].copies).sum::<u64>());
                    prop_assert_eq!(stretch.z, there.iter().map(|it| it.z).fold(1.5, f64::max));
                }
            }
        }
    }
}
