//! What holds whatever is asked for, cancelled, and taken away.

use super::smaller::sequence;
use super::*;
use crate::capacity::booking::fixtures::{loads, reservation, supply};
use crate::capacity::booking::reservation::{Event, Reservation, State};
use crate::capacity::booking::rooms::{Breach, verify};
use crate::capacity::booking::span::{DAY_MS, MINUTE_MS, Margins};
use proptest::prelude::*;

const START_MS: i64 = 20_000 * DAY_MS;
const SLOT_MS: i64 = 10 * MINUTE_MS;

/// All that is stored, and what a server does with it.
struct World {
    pods: u32,
    now_ms: i64,
    all: Vec<Reservation>,
}

impl World {
    fn new(pods: u32) -> World {
        World { pods, now_ms: START_MS, all: Vec::new() }
    }

    fn find(&mut self, id: &str) -> &mut Reservation {
        self.all.iter_mut().find(|it| it.id == id).expect("one of them")
    }

    fn try_in(&self, pods: u32, request: &Reservation) -> Admission {
        let (supply, loads, quotas) = (supply(pods, pods), loads(), Quotas::default());
        let mut board = Board::new(&supply, &loads, &quotas, &self.all, self.now_ms).expect("a board");
        board.admit(request).expect("an answer")
    }

    fn request(&mut self, mut request: Reservation) -> Admission {
        let answer = self.try_in(self.pods, &request);
        self.keep(&answer);
        let event = match (answer.reserved, answer.may_wait) {
            (true, _) => Event::Confirm,
            (false, true) => Event::Waitlist,
            (false, false) => Event::Reject,
        };
        request.apply(event, self.now_ms, &answer.explain.why).expect("it may be");
        request.placement = answer.placement.clone();
        self.all.push(request);
        answer
    }

    fn keep(&mut self, answer: &Admission) {
        for moved in &answer.moved {
            self.find(&moved.id).placement = moved.placement.clone();
        }
    }

    fn settle(&mut self) -> Vec<Settled> {
        let settled =
            settle(&supply(self.pods, self.pods), &loads(), &self.all, self.now_ms).expect("settled");
        let now_ms = self.now_ms;
        for it in &settled {
            let one = self.find(&it.id);
            match &it.verdict {
                Verdict::Kept | Verdict::StillDegraded => {}
                Verdict::Moved(placement) => one.placement = placement.clone(),
                Verdict::Lost(event) => drop(one.apply(*event, now_ms, "a test").expect("it may be")),
                Verdict::Restored(placement) => {
                    one.apply(Event::Restore, now_ms, "a test").expect("it may be");
                    one.placement = placement.clone();
                }
            }
        }
        settled
    }

    fn promote(&mut self) {
        let (supply, loads, quotas) = (supply(self.pods, self.pods), loads(), Quotas::default());
        let mut board = Board::new(&supply, &loads, &quotas, &self.all, self.now_ms).expect("a board");
        let turns = board.promote(&self.all).expect("turns");
        for (id, turn) in turns {
            let Turn::Promoted(answer) = turn else { continue };
            self.keep(&answer);
            let now_ms = self.now_ms;
            let one = self.find(&id);
            one.apply(Event::Confirm, now_ms, "a test").expect("it may be");
            one.placement = answer.placement;
        }
    }

    fn advance(&mut self, by_ms: i64) {
        self.now_ms += by_ms;
        let now_ms = self.now_ms;
        for it in &mut self.all {
            while let Some((event, why)) = it.due(now_ms) {
                it.apply(event, now_ms, why).expect("it is due");
            }
        }
    }

    fn breaches(&self) -> Vec<Breach> {
        let (supply, loads) = (supply(self.pods, self.pods), loads());
        let holding = self.all.iter().filter(|it| it.is_holding(self.now_ms));
        let parties: Vec<_> = holding
            .filter_map(|it| {
                let party = board::party(it, &loads, self.now_ms).expect("roles are known")?;
                Some((party, &it.placement[..]))
            })
            .collect();
        verify(&supply, &parties.iter().map(|(party, at)| (party, *at)).collect::<Vec<_>>())
    }
}

#[derive(Debug, Clone)]
enum Op {
    Request { slot: i64, slots: i64, people: u64, rooms: u32 },
    Cancel(usize),
    Pods(u32),
    Advance(i64),
}

fn request(id: usize, now_ms: i64, (slot, slots, people, rooms): (i64, i64, u64, u32)) -> Reservation {
    let start_ms = now_ms + slot * SLOT_MS;
    let margins = Margins { lead_ms: SLOT_MS, tail_ms: SLOT_MS };
    let created_ms = now_ms;
    let base = reservation(&format!("r{id:03}"), (start_ms, start_ms + slots * SLOT_MS), people);
    Reservation { margins, created_ms, rooms, ..base }
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let asked = (-2i64..20, 1i64..8, 1u64..40, 0u32..4);
    let op = prop_oneof![
        6 => asked.prop_map(|(slot, slots, people, rooms)| Op::Request { slot, slots, people, rooms }),
        2 => (0usize..20).prop_map(Op::Cancel),
        1 => (0u32..5).prop_map(Op::Pods),
        1 => (0i64..6).prop_map(|slots| Op::Advance(slots * SLOT_MS)),
    ];
    proptest::collection::vec(op, 1..30)
}

/// Few rooms: all are placed exactly.
fn few() -> impl Strategy<Value = Vec<(i64, i64, u64, u32)>> {
    proptest::collection::vec((0i64..10, 1i64..8, 1u64..30, 1u32..4), 0..4)
}

fn filled(pods: u32, asked: Vec<(i64, i64, u64, u32)>) -> World {
    let mut world = World::new(pods);
    for (id, it) in asked.into_iter().enumerate() {
        let one = request(id, world.now_ms, it);
        world.request(one);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_holds_capacity_always_has_it(ops in ops()) {
        let mut world = World::new(3);
        for (id, op) in ops.into_iter().enumerate() {
            match op {
                Op::Request { slot, slots, people, rooms } => {
                    let one = request(id, world.now_ms, (slot, slots, people, rooms));
                    let answer = world.request(one);
                    if slot < 0 {
                        prop_assert_eq!(answer.explain.binds, Some(Binds::Past));
                    }
                }
                Op::Cancel(at) => {
                    let now_ms = world.now_ms;
                    if let Some(one) = world.all.get_mut(at) && !one.state.is_over() {
                        one.apply(Event::Cancel, now_ms, "a test").expect("it may be");
                        let was: Vec<State> = world.all.iter().map(|it| it.state).collect();
                        let settled = world.settle();
                        // Nobody loses anything because somebody leaves.
                        let is_lost = |it: &Settled| matches!(it.verdict, Verdict::Lost(_));
                        prop_assert!(!settled.iter().any(is_lost), "{:?} {:?}", was, settled);
                        world.promote();
                    }
                }
                Op::Pods(pods) => {
                    world.pods = pods;
                    world.settle();
                    world.promote();
                }
                Op::Advance(by_ms) => world.advance(by_ms),
            }
            prop_assert_eq!(world.breaches(), []);
            for it in world.all.iter().filter(|it| it.confirmed_ms == Some(world.now_ms)) {
                prop_assert!(it.span.start_ms >= world.now_ms);
            }
        }
    }

    /// A board that is kept says what one says that is made anew from what is stored.
    #[test]
    fn a_board_may_be_kept(
        asked in few(), fates in proptest::collection::vec(0u8..4, 4), weeks in 1i64..4,
        probe in (0i64..10, 1i64..8, 1u64..30, 1u32..4),
    ) {
        let mut world = filled(2, asked);
        let (supply, loads, quotas) = (supply(2, 2), loads(), Quotas::default());
        let mut kept = Board::new(&supply, &loads, &quotas, &world.all, world.now_ms).expect("a board");
        for (at, fate) in fates.iter().enumerate().take(world.all.len()) {
            let (before, now_ms) = (world.all.clone(), world.now_ms);
            match fate {
                0 if !world.all[at].state.is_over() => drop(world.all[at].apply(Event::Cancel, now_ms, "a test")),
                1 => world.advance(SLOT_MS),
                // All or none, and nothing is left of what is refused.
                2 => {
                    let series: Vec<Reservation> = (0..weeks)
                        .map(|week| request(50 + week as usize, now_ms, (2 * week, 3, 25, 2)))
                        .collect();
                    if kept.admit_series(&series).expect("an answer").reserved {
                        series.iter().for_each(|it| kept.release(it));
                        kept = Board::new(&supply, &loads, &quotas, &world.all, now_ms).expect("a board");
                    }
                }
                _ => {}
            }
            kept.at(world.now_ms);
            before.iter().for_each(|it| kept.release(it));
            world.all.iter().for_each(|it| kept.put(it).expect("roles are known"));
        }
        let mut fresh = Board::new(&supply, &loads, &quotas, &world.all, world.now_ms).expect("a board");
        let one = request(99, world.now_ms, probe);
        let (now, anew) = (kept.admit(&one).expect("an answer"), fresh.admit(&one).expect("an answer"));
        prop_assert_eq!((now.reserved, now.capacity_details), (anew.reserved, anew.capacity_details));
        prop_assert_eq!(now.explain.earliest_free, anew.explain.earliest_free);
        let next_day = Span { start_ms: world.now_ms, end_ms: world.now_ms + DAY_MS };
        prop_assert_eq!(kept.booked(&next_day, None), fresh.booked(&next_day, None));
    }

    #[test]
    fn with_more_supply_or_fewer_people_it_fits_too(
        asked in few(), slot in 0i64..10, slots in 1i64..8, people in 1u64..30, rooms in 1u32..4, pods in 1u32..4
    ) {
        let world = filled(pods, asked);
        let one = request(99, world.now_ms, (slot, slots, people, rooms));
        if world.try_in(pods, &one).reserved {
            prop_assert!(world.try_in(pods + 1, &one).reserved);
            let people = sequence(&one).expect("people");
            for count in 1..people.len() {
                prop_assert!(world.try_in(pods, &people.first(count)).reserved, "{}", count);
            }
            let short = Reservation { margins: Margins { lead_ms: 0, tail_ms: 0 }, ..one };
            prop_assert!(world.try_in(pods, &short).reserved);
        }
    }

    #[test]
    fn what_is_offered_instead_fits_and_nothing_better_does(
        asked in few(), slot in 0i64..10, slots in 1i64..8, people in 10u64..90, rooms in 0u32..4, pods in 1u32..4
    ) {
        let world = filled(pods, asked);
        let one = request(99, world.now_ms, (slot, slots, people, rooms));
        let answer = world.try_in(pods, &one);
        if answer.reserved {
            return Ok(());
        }
        let people = sequence(&one).expect("people");
        let count = answer.explain.smaller.as_ref().map_or(0, |it| it.total() as usize);
        prop_assert!(count == 0 || world.try_in(pods, &people.first(count)).reserved);
        prop_assert!(!world.try_in(pods, &people.first(count + 1)).reserved);
        let last_ms = answer.explain.earliest_free.map_or(one.span.start_ms + 40 * SLOT_MS, |it| it.start_ms);
        let mut moved = one.clone();
        while moved.span.start_ms < last_ms {
            prop_assert!(!world.try_in(pods, &moved).reserved, "{}", moved.span.start_ms);
            moved.span = moved.span.moved_to(moved.span.start_ms + SLOT_MS);
        }
        if let Some(free) = answer.explain.earliest_free {
            moved.span = free;
            prop_assert!(world.try_in(pods, &moved).reserved);
        }
        prop_assert_eq!(answer.may_wait, answer.explain.earliest_free.is_some());
    }

    #[test]
    fn what_was_taken_away_and_comes_back_restores_all(asked in few(), fewer in 0u32..3) {
        let mut world = filled(3, asked);
        let promised = |world: &World| world.all.iter().filter(|it| it.state == State::Confirmed).count();
        let before = promised(&world);
        world.pods = fewer;
        world.settle();
        prop_assert_eq!(world.breaches(), []);
        world.pods = 3;
        world.settle();
        prop_assert_eq!(world.breaches(), []);
        prop_assert_eq!(promised(&world), before);
    }
}
