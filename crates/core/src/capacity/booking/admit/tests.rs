//! Decisions as tables.

use super::*;
use crate::capacity::booking::fixtures::{loads, reservation, supply};
use crate::capacity::booking::reservation::{Event, Reservation, State};
use crate::capacity::booking::rooms::verify;
use crate::capacity::booking::span::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::capacity::booking::supply::{Region, Supply};
use crate::capacity::roles::Role;

const NOW_MS: i64 = 1_000 * DAY_MS;

/// From one hour to another, counted from now.
fn at(id: &str, hours: (i64, i64), people: u64) -> Reservation {
    reservation(id, (NOW_MS + hours.0 * HOUR_MS, NOW_MS + hours.1 * HOUR_MS), people)
}

fn confirmed(id: &str, hours: (i64, i64), people: u64) -> Reservation {
    let mut it = at(id, hours, people);
    it.apply(Event::Confirm, NOW_MS, "a test").expect("it may be");
    it
}

/// Puts all in, in their order; all have to fit.
fn booked(supply: &Supply, quotas: &Quotas, all: Vec<Reservation>) -> Vec<Reservation> {
    let loads = loads();
    let mut board = Board::new(supply, &loads, quotas, &[], NOW_MS).expect("a board");
    let mut done: Vec<Reservation> = Vec::new();
    for mut it in all {
        let admission = board.admit(&it).expect("an answer");
        assert!(admission.reserved, "{admission:?}");
        it.placement = admission.placement;
        for moved in admission.moved {
            let other = done.iter_mut().find(|it| it.id == moved.id).expect("one of them");
            other.placement = moved.placement;
        }
        done.push(it);
    }
    let parties: Vec<_> = done.iter().map(|it| it.party(&loads).expect("a party")).collect();
    let placed: Vec<_> = parties.iter().zip(&done).map(|(party, it)| (party, &it.placement[..])).collect();
    assert_eq!(verify(supply, &placed), []);
    done
}

fn admit(
    supply: &Supply,
    quotas: &Quotas,
    held: Vec<Reservation>,
    request: &Reservation,
) -> (Admission, Vec<Reservation>) {
    let (held, loads) = (booked(supply, quotas, held), loads());
    let mut board = Board::new(supply, &loads, quotas, &held, NOW_MS).expect("a board");
    (board.admit(request).expect("an answer"), held)
}

#[test]
fn what_binds() {
    // A pod has 412 MB: at 1 in 20, 25 people with video need 399.7 MB, 26 need 415.2.
    let quotas = Quotas { default: Quota { concurrent: Some(2), ..Quota::default() }, ..Quotas::default() };
    let check = |held: Vec<Reservation>, request: Reservation, expect: Option<Binds>| {
        let (admission, _) = admit(&supply(1, 2), &quotas, held, &request);
        assert_eq!(admission.explain.binds, expect, "{request:?} {admission:?}");
        assert_eq!(admission.reserved, expect.is_none());
        assert_eq!(admission.risk_had.is_some(), expect.is_none());
    };
    let room = |id: &str, people, rooms| Reservation { rooms, ..at(id, (2, 3), people) };
    check(vec![], at("r", (2, 3), 50), None);
    check(vec![], at("r", (2, 3), 60), Some(Binds::Memory));
    check(vec![], room("r", 50, 2), None);
    check(vec![], room("r", 26, 1), Some(Binds::Rooms));
    check(vec![], room("r", 45, 3), Some(Binds::Rooms));
    check(vec![confirmed("a", (2, 3), 25)], at("r", (2, 3), 25), None);
    check(vec![confirmed("a", (2, 3), 25)], at("r", (2, 3), 30), Some(Binds::Memory));
    // Lead and tail are part of it: an hour between them is just enough.
    check(vec![confirmed("a", (2, 3), 50)], at("r", (4, 5), 50), None);
    let early = Reservation {
        margins: crate::capacity::booking::span::Margins { lead_ms: 31 * MINUTE_MS, tail_ms: 0 },
        ..at("r", (4, 5), 50)
    };
    check(vec![confirmed("a", (2, 3), 50)], early, Some(Binds::Memory));
    check(vec![], at("r", (-1, 3), 1), Some(Binds::Past));
    check(vec![], at("r", (0, 3), 1), None);
    check(vec![], at("r", (90 * 24 - 1, 90 * 24), 1), None);
    check(vec![], at("r", (90 * 24 - 1, 90 * 24 + 1), 1), Some(Binds::Horizon));
    let two = || vec![confirmed("a", (2, 3), 1), confirmed("b", (2, 3), 1)];
    check(two(), at("r", (2, 3), 1), Some(Binds::Quota));
    check(two(), Reservation { owner: "other".into(), ..at("r", (2, 3), 1) }, None);
    let there = |region: &str| Reservation { region: Some(region.into()), ..at("r", (2, 3), 1) };
    check(vec![], there(""), None);
    check(vec![], there("ams"), Some(Binds::Pods));
}

#[test]
fn pods_that_may_not_have_so_many() {
    let mut supply = supply(2, 2);
    (supply.pod.max_rooms, supply.pod.max_participants) = (Some(2), Some(10));
    let check = |people, rooms, expect: Option<Binds>| {
        let request = Reservation { rooms, ..at("r", (2, 3), people) };
        let (admission, _) = admit(&supply, &Quotas::default(), vec![], &request);
        assert_eq!(admission.explain.binds, expect, "{people} in {rooms}");
    };
    check(4, 4, None);
    check(5, 5, Some(Binds::Pods));
    check(20, 4, None);
    check(20, 0, None);
    check(21, 0, Some(Binds::Pods));
    check(18, 3, Some(Binds::Rooms));
}

#[test]
fn what_an_answer_says() {
    let held = vec![confirmed("a", (2, 6), 20), confirmed("b", (4, 8), 20)];
    let (no, _) = admit(&supply(1, 2), &Quotas::default(), held.clone(), &at("r", (3, 5), 30));
    assert!(!no.reserved && no.may_wait && no.placement.is_empty());
    // "b" begins to hold half an hour before four.
    assert_eq!(no.explain.peak_at_ms, Some(NOW_MS + 210 * MINUTE_MS));
    assert_eq!((no.explain.held_by, no.explain.held_by_count), (vec!["a".to_string(), "b".to_string()], 2));
    let details = no.capacity_details;
    assert_eq!((details.total_bytes, details.ready_bytes), (824_000_000, 412_000_000));
    assert_eq!(details.booked_bytes.p50, 600_000_000);
    let QuantileOrder(true) = QuantileOrder::of(details.booked_bytes) else { panic!("{details:?}") };
    assert!(details.available_bytes < 224_000_000 && details.needed_bytes > 450_000_000, "{details:?}");
    // When "a" is over, with tail and lead.
    let free = no.explain.earliest_free.expect("some time");
    assert_eq!((free.start_ms, free.end_ms), (NOW_MS + 7 * HOUR_MS, NOW_MS + 9 * HOUR_MS));
    // Two pods have 25 each by then, and 20 of each are taken.
    assert_eq!(no.explain.smaller.map(|it| it.of(&Role::PARTICIPANT_VIDEO)), Some(10));
    let (yes, _) = admit(&supply(1, 2), &Quotas::default(), held, &at("r", (3, 5), 10));
    assert!(yes.reserved && yes.scaling_required);
    assert!(yes.risk_had.is_some_and(|had| had > 0.001 && had <= 0.0501), "{yes:?}");
    let (one, _) = admit(&supply(1, 2), &Quotas::default(), vec![], &at("r", (3, 5), 10));
    assert!(one.reserved && !one.scaling_required);
    let (past, _) = admit(&supply(1, 2), &Quotas::default(), vec![], &at("r", (-1, 1), 10));
    assert_eq!(past.explain.earliest_free.map(|it| it.start_ms), Some(NOW_MS));
}

struct QuantileOrder(bool);

impl QuantileOrder {
    fn of(it: Quantiles) -> QuantileOrder {
        QuantileOrder(it.p50 < it.p95 && it.p95 < it.p99)
    }
}

#[test]
fn what_recurs_has_all_places_or_none() {
    let (supply, loads, quotas) = (supply(1, 1), loads(), Quotas::default());
    let check = |held: Vec<Reservation>, expect: &[bool]| {
        let held = booked(&supply, &quotas, held);
        let mut board = Board::new(&supply, &loads, &quotas, &held, NOW_MS).expect("a board");
        let weekly: Vec<Reservation> =
            (0..3).map(|week| at(&format!("r{week}"), (week * 168 + 2, week * 168 + 3), 20)).collect();
        let answer = board.admit_series(&weekly).expect("an answer");
        assert_eq!(answer.occurrences.iter().map(|it| it.reserved).collect::<Vec<_>>(), expect);
        assert_eq!(answer.reserved, expect.iter().all(|it| *it));
        // What was not kept is free.
        let again = board.admit(&at("x", (2, 3), 20)).expect("an answer");
        assert_eq!(again.reserved, expect[0] && !answer.reserved);
    };
    check(vec![], &[true, true, true]);
    check(vec![confirmed("a", (170, 171), 20)], &[true, false, true]);
    check(vec![confirmed("a", (2, 3), 20)], &[false, true, true]);
    let mut board = Board::new(&supply, &loads, &quotas, &[], NOW_MS).expect("a board");
    assert!(!board.admit_series(&[]).expect("an answer").reserved);
}

#[test]
fn who_waits_has_a_turn() {
    let (supply, loads, quotas) = (supply(1, 1), loads(), Quotas::default());
    let check = |held: Vec<Reservation>, waiting: &[((i64, i64), u64)], expect: &str| {
        let held = booked(&supply, &quotas, held);
        let mut board = Board::new(&supply, &loads, &quotas, &held, NOW_MS).expect("a board");
        let of = |(number, (hours, people)): (usize, &((i64, i64), u64))| {
            let created_ms = number as i64;
            Reservation { state: State::Waitlisted, created_ms, ..at(&format!("w{number}"), *hours, *people) }
        };
        let mut waiting: Vec<Reservation> = waiting.iter().enumerate().map(of).collect();
        waiting.reverse();
        let turns = board.promote(&waiting).expect("turns");
        let show = |(_, turn): &(String, Turn)| match turn {
            Turn::Promoted(_) => "in".to_string(),
            Turn::Waits(binds) => format!("{binds:?}"),
            Turn::Behind(id) => format!("behind {id}"),
        };
        assert_eq!(turns.iter().map(show).collect::<Vec<_>>().join(", "), expect);
    };
    let busy = || vec![confirmed("a", (2, 3), 15)];
    check(busy(), &[((2, 3), 10), ((2, 3), 1)], "in, Memory");
    // A smaller one would fit, and does not pass: the first would wait for it, too.
    check(busy(), &[((2, 3), 20), ((2, 3), 5)], "Memory, behind w0");
    check(busy(), &[((2, 3), 20), ((5, 6), 5)], "Memory, in");
    // Who can never have a place keeps nobody waiting.
    check(busy(), &[((2, 3), 200), ((2, 3), 5)], "Memory, in");
    check(vec![], &[((2, 3), 20), ((2, 3), 20), ((2, 3), 2), ((9, 10), 2)], "in, Memory, behind w1, in");
}

#[test]
fn who_gives_way_and_who_comes_back() {
    let (two, quotas) = (supply(2, 2), Quotas::default());
    let one = |id: &str, people, confirmed_ms, state| {
        let confirmed_ms = Some(confirmed_ms);
        Reservation { confirmed_ms, state, rooms: 1, ..at(id, (0, 3), people) }
    };
    let check = |pods: u32, all: Vec<Reservation>, expect: &[(&str, &str)]| {
        let all = booked(&two, &quotas, all);
        let settled = settle(&supply(pods, pods), &loads(), &all, NOW_MS).expect("settled");
        let show = |it: &Settled| match &it.verdict {
            Verdict::Moved(_) => "moved",
            Verdict::Kept => "kept",
            Verdict::Lost(Event::Degrade) => "degraded",
            Verdict::Lost(_) => "expired",
            Verdict::Restored(_) => "restored",
            Verdict::StillDegraded => "still",
        };
        let found: Vec<(&str, &str)> = settled.iter().map(|it| (&it.id[..], show(it))).collect();
        assert_eq!(found, expect);
        // The same again: nothing is left to fate.
        assert_eq!(settle(&supply(pods, pods), &loads(), &all, NOW_MS).expect("settled"), settled);
    };
    use State::{Active, Confirmed, Preparing};
    let all = || vec![one("a", 20, 1, Confirmed), one("b", 20, 2, Confirmed)];
    check(2, all(), &[("a", "kept"), ("b", "kept")]);
    check(1, all(), &[("a", "kept"), ("b", "degraded")]);
    check(0, all(), &[("a", "degraded"), ("b", "degraded")]);
    // The one in the pod that is gone was confirmed first.
    let mut swapped = vec![one("b", 20, 2, Confirmed), one("a", 20, 1, Confirmed)];
    check(1, swapped.clone(), &[("a", "moved"), ("b", "degraded")]);
    // Active ones give way last, though they were confirmed later.
    swapped[0].state = Active;
    check(1, swapped.clone(), &[("b", "kept"), ("a", "degraded")]);
    swapped[0].state = Preparing;
    check(1, swapped, &[("b", "kept"), ("a", "degraded")]);
    // A smaller one that was confirmed later keeps its place, where a larger one has none.
    check(
        1,
        vec![one("a", 15, 1, Confirmed), one("b", 20, 2, Confirmed), one("c", 5, 3, Confirmed)],
        &[("a", "kept"), ("b", "degraded"), ("c", "moved")],
    );
    let mut hold = at("h", (2, 3), 20);
    hold.hold_until_ms = Some(NOW_MS + 1);
    check(1, vec![one("a", 20, 9, Confirmed), hold], &[("a", "kept"), ("h", "expired")]);
    // Back again.
    let mut back = all();
    back[0].state = State::Degraded;
    let settled = settle(&two, &loads(), &back, NOW_MS).expect("settled");
    assert_eq!(settled[1].id, "a");
    assert!(matches!(&settled[1].verdict, Verdict::Restored(at) if at[0].copies == 1), "{settled:?}");
    let settled = settle(&supply(1, 1), &loads(), &back, NOW_MS).expect("settled");
    assert_eq!(settled[1].verdict, Verdict::StillDegraded);
}

#[test]
fn who_comes_back_when_something_is_free() {
    let (supply, loads, quotas) = (supply(1, 1), loads(), Quotas::default());
    let degraded = |id: &str, people, confirmed_ms| Reservation {
        state: State::Degraded,
        confirmed_ms: Some(confirmed_ms),
        ..at(id, (2, 3), people)
    };
    let check = |held: Vec<Reservation>, lost: Vec<Reservation>, expect: &[&str]| {
        let held = booked(&supply, &quotas, held);
        let mut board = Board::new(&supply, &loads, &quotas, &held, NOW_MS).expect("a board");
        let restored = board.restore(&lost).expect("an answer");
        let restored: Vec<&str> = restored.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(restored, expect, "{lost:?}");
        // As if all had been looked at.
        let all: Vec<Reservation> = held.iter().chain(&lost).cloned().collect();
        let settled = settle(&supply, &loads, &all, NOW_MS).expect("settled");
        let back = settled.iter().filter(|it| matches!(it.verdict, Verdict::Restored(_)));
        assert_eq!(back.map(|it| it.id.as_str()).collect::<Vec<_>>(), expect);
        // What is given back is held.
        let again = board.admit(&at("x", (2, 3), 25)).expect("an answer").reserved;
        assert_eq!(again, held.is_empty() && restored.is_empty());
    };
    check(vec![], vec![], &[]);
    check(vec![], vec![degraded("b", 20, 2), degraded("a", 20, 3)], &["b"]);
    check(vec![confirmed("h", (2, 3), 20)], vec![degraded("a", 20, 1), degraded("b", 5, 2)], &["b"]);
    check(vec![confirmed("h", (2, 3), 25)], vec![degraded("a", 1, 1)], &[]);
}

#[test]
fn how_many_more() {
    let (supply, loads, quotas) = (supply(1, 2), loads(), Quotas::default());
    let held = booked(&supply, &quotas, vec![confirmed("a", (2, 3), 20)]);
    let mut board = Board::new(&supply, &loads, &quotas, &held, NOW_MS).expect("a board");
    let check = |board: &Board, people: u64, is_room: bool, expect: (u64, u64)| {
        let one = at("r", (2, 3), people);
        let found = board.slots(&one.counts, is_room, one.span, one.risk, None).expect("slots");
        assert_eq!((found.most, found.ready), expect, "{people} {is_room}");
    };
    check(&board, 1, false, (30, 5));
    check(&board, 5, true, (6, 1));
    check(&board, 6, true, (4, 0));
    check(&board, 26, true, (0, 0));
    check(&board, 0, false, (0, 0));
    let one = at("r", (2, 3), 1);
    let spaces = board.spaces(&one.counts, false, one.span, one.risk, None).expect("spaces");
    assert_eq!(spaces, [5, 25]);
    let booked = |hour: i64| -> Vec<u64> {
        board.pods(NOW_MS + hour * HOUR_MS).iter().map(|it| it.need.mean_bytes() / 1_000_000).collect()
    };
    assert_eq!((booked(0), booked(2)), (vec![0, 0], vec![300, 0]));
    assert!(board.pods(NOW_MS).iter().map(|it| it.is_ready).eq([true, false]));
    board.release(&held[0]);
    check(&board, 1, false, (50, 25));
    let quotas = Quotas { default: Quota { concurrent: Some(1), ..Quota::default() }, ..Quotas::default() };
    let mut board = Board::new(&supply, &loads, &quotas, &held, NOW_MS).expect("a board");
    assert!(!board.admit(&at("r", (2, 3), 1)).expect("an answer").reserved);
    board.release(&held[0]);
    assert!(board.admit(&at("r", (2, 3), 1)).expect("an answer").reserved);
}

#[test]
fn regions_are_apart() {
    let mut supply = supply(1, 1);
    supply.regions[0].name = "fra".into();
    supply.regions.push(Region { name: "ams".into(), ..supply.regions[0].clone() });
    let there = |id: &str, region: &str, people| Reservation {
        region: Some(region.into()),
        ..confirmed(id, (2, 3), people)
    };
    let check = |region: Option<&str>, people, expect: Option<Binds>| {
        let request = Reservation { region: region.map(str::to_string), ..at("r", (2, 3), people) };
        let held = vec![there("a", "fra", 20), confirmed("b", (2, 3), 15)];
        let (answer, _) = admit(&supply, &Quotas::default(), held, &request);
        assert_eq!(answer.explain.binds, expect, "{region:?} {people} {answer:?}");
    };
    check(Some("fra"), 5, None);
    check(Some("fra"), 6, Some(Binds::Memory));
    // "b" gives way to the other region as far as that has space.
    check(Some("ams"), 15, None);
    check(Some("ams"), 16, Some(Binds::Memory));
    check(None, 15, None);
}
