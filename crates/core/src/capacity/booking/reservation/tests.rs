//! The table of transitions, and that nothing leaves it.

use super::*;
use crate::capacity::booking::fixtures::reservation;
use proptest::prelude::*;

/// Which transitions exist, from the left to the right.
const TABLE: [(State, &[(Event, State)]); 10] = [
    (
        State::Requested,
        &[
            (Event::Confirm, State::Confirmed),
            (Event::Waitlist, State::Waitlisted),
            (Event::Reject, State::Rejected),
            (Event::Cancel, State::Cancelled),
            (Event::Expire, State::Expired),
        ],
    ),
    (
        State::Confirmed,
        &[
            (Event::Prepare, State::Preparing),
            (Event::Cancel, State::Cancelled),
            (Event::Degrade, State::Degraded),
        ],
    ),
    (
        State::Waitlisted,
        &[
            (Event::Confirm, State::Confirmed),
            (Event::Cancel, State::Cancelled),
            (Event::Expire, State::Expired),
        ],
    ),
    (State::Rejected, &[]),
    (
        State::Preparing,
        &[
            (Event::Start, State::Active),
            (Event::Cancel, State::Cancelled),
            (Event::Degrade, State::Degraded),
        ],
    ),
    (
        State::Active,
        &[
            (Event::Complete, State::Completed),
            (Event::Cancel, State::Cancelled),
            (Event::Degrade, State::Degraded),
        ],
    ),
    (State::Completed, &[]),
    (State::Cancelled, &[]),
    (State::Expired, &[]),
    (
        State::Degraded,
        &[
            (Event::Cancel, State::Cancelled),
            (Event::Expire, State::Expired),
            (Event::Restore, State::Confirmed),
        ],
    ),
];

fn in_table(from: State, event: Event) -> Option<State> {
    let row = TABLE.iter().find(|(state, _)| *state == from).expect("a row");
    row.1.iter().find(|(it, _)| *it == event).map(|(_, to)| *to)
}

#[test]
fn the_table_is_all_there_is() {
    for (from, event) in State::ALL.iter().flat_map(|state| Event::ALL.map(|event| (*state, event))) {
        assert_eq!(from.after(event).ok(), in_table(from, event), "{from:?} {event:?}");
    }
    for state in State::ALL {
        let row = TABLE.iter().find(|(it, _)| *it == state).expect("a row");
        assert_eq!(row.1.is_empty(), state.is_over(), "{state:?}");
    }
}

#[test]
fn what_time_makes_of_it() {
    const MINUTE: i64 = 60_000;
    let check = |state: State, hold: Option<i64>, minute: i64, expect: State| {
        // From 100 to 160 minutes, with 30 minutes before and after.
        let mut it = reservation("r", (100 * MINUTE, 160 * MINUTE), 5);
        (it.state, it.hold_until_ms) = (state, hold.map(|at| at * MINUTE));
        while let Some((event, why)) = it.due(minute * MINUTE) {
            it.apply(event, minute * MINUTE, why).expect("it is due");
        }
        assert_eq!(it.state, expect, "{state:?} {hold:?} at {minute}");
    };
    check(State::Requested, None, 99, State::Requested);
    check(State::Requested, None, 100, State::Expired);
    check(State::Requested, Some(10), 9, State::Requested);
    check(State::Requested, Some(10), 10, State::Expired);
    check(State::Waitlisted, None, 99, State::Waitlisted);
    check(State::Waitlisted, None, 100, State::Expired);
    check(State::Confirmed, None, 69, State::Confirmed);
    check(State::Confirmed, None, 70, State::Preparing);
    check(State::Confirmed, None, 100, State::Active);
    check(State::Confirmed, None, 500, State::Completed);
    check(State::Active, None, 189, State::Active);
    check(State::Active, None, 190, State::Completed);
    check(State::Degraded, None, 159, State::Degraded);
    check(State::Degraded, None, 160, State::Expired);
    check(State::Cancelled, None, 500, State::Cancelled);
}

#[test]
fn who_holds_capacity() {
    let check = |state: State, hold: Option<i64>, expect: bool| {
        let mut it = reservation("r", (100, 200), 5);
        (it.state, it.hold_until_ms) = (state, hold);
        assert_eq!(it.is_holding(50), expect, "{state:?} {hold:?}");
    };
    check(State::Requested, None, false);
    check(State::Requested, Some(50), false);
    check(State::Requested, Some(51), true);
    for state in State::ALL.into_iter().skip(1) {
        check(state, Some(51), matches!(state, State::Confirmed | State::Preparing | State::Active));
    }
}

#[test]
fn a_state_has_one_name() {
    for state in State::ALL {
        assert_eq!(serde_json::to_value(state).expect("json"), state.name());
    }
}

#[test]
fn as_json_and_back() {
    let it = reservation("r", (100, 200), 5);
    let text = serde_json::to_string(&it).expect("json");
    assert!(text.contains(r#""state":"requested""#), "{text}");
    assert_eq!(serde_json::from_str::<Reservation>(&text).expect("read"), it);
    assert!(serde_json::from_str::<Reservation>(&text.replace("0.05", "0.9")).is_err());
}

proptest! {
    #[test]
    fn no_sequence_of_events_leaves_the_table(
        events in proptest::collection::vec((0usize..10, -5i64..50), 0..60)
    ) {
        let mut it = reservation("r", (100, 200), 5);
        for (at, by_ms) in events {
            let (before, event) = (it.clone(), Event::ALL[at]);
            match it.apply(event, before.changed_ms + by_ms, "a test") {
                Ok(change) => {
                    prop_assert_eq!(Some(it.state), in_table(before.state, event));
                    prop_assert_eq!((change.from, change.to), (before.state, it.state));
                    prop_assert_eq!(it.revision, before.revision + 1);
                    prop_assert!(change.at_ms >= before.changed_ms && it.changed_ms == change.at_ms);
                    prop_assert_eq!(&change.why, "a test");
                }
                Err(_) => {
                    prop_assert_eq!(in_table(before.state, event), None);
                    prop_assert_eq!(&it, &before);
                }
            }
        }
    }
}
