//! States of a reservation, and the table of what may follow what.

use serde::{Deserialize, Serialize};

/// How far a reservation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked for. With a hold it has capacity until that runs out.
    Requested,
    /// It has capacity.
    Confirmed,
    /// There was none; it gets some when it is there, in its turn.
    Waitlisted,
    /// It can never have any, or may not.
    Rejected,
    /// Its lead has begun.
    Preparing,
    /// It has started.
    Active,
    /// It is over, and had what it was promised until the end.
    Completed,
    /// Its owner does not want it any more.
    Cancelled,
    /// Its time came before capacity did, or its hold ran out.
    Expired,
    /// It was promised capacity which is no longer there.
    Degraded,
}

/// What happens to a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Capacity is promised.
    Confirm,
    /// It has to wait.
    Waitlist,
    /// It is refused.
    Reject,
    /// Its lead begins.
    Prepare,
    /// Its start comes.
    Start,
    /// Its tail ends.
    Complete,
    /// Its owner takes it back.
    Cancel,
    /// Too late.
    Expire,
    /// What it was promised went away.
    Degrade,
    /// It is there again.
    Restore,
}

/// One transition, to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What it was.
    pub from: State,
    /// What it is.
    pub to: State,
    /// In words.
    pub why: String,
}

/// Not in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reservation that is {from:?} cannot {event:?}\nread its state again")]
pub struct NoTransition {
    /// What it is.
    pub from: State,
    /// What does not happen to it.
    pub event: Event,
}

impl State {
    /// All of them.
    pub const ALL: [State; 10] = [
        State::Requested,
        State::Confirmed,
        State::Waitlisted,
        State::Rejected,
        State::Preparing,
        State::Active,
        State::Completed,
        State::Cancelled,
        State::Expired,
        State::Degraded,
    ];

    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            State::Requested => "requested",
            State::Confirmed => "confirmed",
            State::Waitlisted => "waitlisted",
            State::Rejected => "rejected",
            State::Preparing => "preparing",
            State::Active => "active",
            State::Completed => "completed",
            State::Cancelled => "cancelled",
            State::Expired => "expired",
            State::Degraded => "degraded",
        }
    }

    /// Capacity is promised to it, and there.
    pub fn is_promised(self) -> bool {
        matches!(self, State::Confirmed | State::Preparing | State::Active)
    }

    /// Nothing happens to it any more.
    pub fn is_over(self) -> bool {
        matches!(self, State::Rejected | State::Completed | State::Cancelled | State::Expired)
    }

    /// The table. What is restored is confirmed again, and goes on from there by its time.
    ///
    /// # Errors
    /// [`NoTransition`].
    pub fn after(self, event: Event) -> Result<State, NoTransition> {
        use State::{Active, Confirmed, Degraded, Preparing, Requested, Waitlisted};
        match (self, event) {
            (Requested | Waitlisted, Event::Confirm) => Ok(Confirmed),
            (Requested, Event::Waitlist) => Ok(Waitlisted),
            (Requested, Event::Reject) => Ok(State::Rejected),
            (Requested | Waitlisted | Degraded, Event::Expire) => Ok(State::Expired),
            (Confirmed, Event::Prepare) => Ok(Preparing),
            (Preparing, Event::Start) => Ok(Active),
            (Active, Event::Complete) => Ok(State::Completed),
            (Confirmed | Preparing | Active, Event::Degrade) => Ok(Degraded),
            (Degraded, Event::Restore) => Ok(Confirmed),
            (from, Event::Cancel) if !from.is_over() => Ok(State::Cancelled),
            (from, event) => Err(NoTransition { from, event }),
        }
    }
}

impl Event {
    /// All of them.
    pub const ALL: [Event; 10] = [
        Event::Confirm,
        Event::Waitlist,
        Event::Reject,
        Event::Prepare,
        Event::Start,
        Event::Complete,
        Event::Cancel,
        Event::Expire,
        Event::Degrade,
        Event::Restore,
    ];

    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Event::Confirm => "confirm",
            Event::Waitlist => "waitlist",
            Event::Reject => "reject",
            Event::Prepare => "prepare",
            Event::Start => "start",
            Event::Complete => "complete",
            Event::Cancel => "cancel",
            Event::Expire => "expire",
            Event::Degrade => "degrade",
            Event::Restore => "restore",
        }
    }
}
