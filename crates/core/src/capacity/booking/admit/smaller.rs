//! The same experiment with fewer people: roles keep their shares, and none that was there is left out while there are
//! as many people as roles.
//!
//! By the method of Adams: the next person is of the role that is least served, `asked / so far`. It never takes away from
//! one role when there is one person more, which rounding of shares does.

use crate::capacity::booking::reservation::Reservation;
use crate::capacity::roles::{Counts, Role};
use std::collections::BTreeMap;

/// For more people nothing smaller is sought.
const MOST_PEOPLE: u64 = 10_000;

/// People of a request in the order in which they would be there.
#[derive(Debug)]
pub(super) struct Sequence<'a> {
    request: &'a Reservation,
    people: Vec<&'a Role>,
}

/// `None` for nobody, and for more than 10,000.
pub(super) fn sequence(request: &Reservation) -> Option<Sequence<'_>> {
    let total = request.counts.total();
    if total == 0 || total > MOST_PEOPLE {
        return None;
    }
    let mut so_far: Vec<(&Role, u64, u64)> = request.counts.iter().map(|(role, of)| (role, of, 0)).collect();
    let mut people = Vec::new();
    for _ in 0..total {
        // The one with the greatest asked / so far; those with nobody so far come first, of equals the first.
        let is_less = |one: &(&Role, u64, u64), other: &(&Role, u64, u64)| one.1 * other.2 < other.1 * one.2;
        let open: Vec<usize> = (0..so_far.len()).filter(|at| so_far[*at].2 < so_far[*at].1).collect();
        let next = open.into_iter().reduce(|best, at| match (so_far[best].2, so_far[at].2) {
            (0, _) => best,
            (_, 0) => at,
            _ if is_less(&so_far[best], &so_far[at]) => at,
            _ => best,
        })?;
        so_far[next].2 += 1;
        people.push(so_far[next].0);
    }
    Some(Sequence { request, people })
}

impl Sequence<'_> {
    /// All of them.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// The request for the first so many, in rooms of about the same size as before.
    pub fn first(&self, count: usize) -> Reservation {
        let mut counts: BTreeMap<Role, u64> = BTreeMap::new();
        for role in self.people.iter().take(count) {
            *counts.entry((*role).clone()).or_default() += 1;
        }
        let (rooms, all) = (u64::from(self.request.rooms), self.len().max(1) as u64);
        let rooms = (rooms * count as u64).div_ceil(all);
        Reservation {
            counts: Counts::new(counts).unwrap_or_default(),
            rooms: u32::try_from(rooms).unwrap_or(self.request.rooms),
            ..self.request.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::booking::fixtures::reservation;

    #[test]
    fn fewer_people_keep_their_roles() {
        let check = |video: u64, experimenters: u64, rooms: u32, count: usize, expect: (u64, u64, u32)| {
            let counts =
                [(Role::PARTICIPANT_VIDEO, video), (Role::EXPERIMENTER, experimenters)].into_iter().collect();
            let mut request = reservation("r", (0, 1), 0);
            (request.counts, request.rooms) = (Counts::new(counts).expect("counts"), rooms);
            let less = sequence(&request).expect("some").first(count);
            let of = |role| less.counts.of(&role);
            assert_eq!((of(Role::PARTICIPANT_VIDEO), of(Role::EXPERIMENTER), less.rooms), expect, "{count}");
        };
        check(20, 3, 4, 23, (20, 3, 4));
        check(20, 3, 4, 12, (10, 2, 3));
        check(20, 1, 0, 11, (10, 1, 0));
        check(20, 1, 0, 2, (1, 1, 0));
        check(20, 1, 2, 1, (0, 1, 1));
        check(20, 0, 2, 0, (0, 0, 0));
        assert!(sequence(&reservation("r", (0, 1), 0)).is_none());
        assert!(sequence(&reservation("r", (0, 1), 10_001)).is_none());
    }
}
