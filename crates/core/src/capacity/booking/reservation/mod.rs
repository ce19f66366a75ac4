//! A reservation: who wants memory for whom and when, and what became of it.

mod state;

#[cfg(test)]
mod tests;

pub use state::{Change, Event, NoTransition, State};

use super::demand::{Loads, Risk, UnknownRole};
use super::rooms::{Party, Placed, lots};
use super::span::{Margins, Span};
use crate::capacity::roles::Counts;
use serde::{Deserialize, Serialize};

/// What is stored of a reservation. One occurrence of what recurs is a reservation of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reservation {
    /// Its own, never used twice.
    pub id: String,
    /// Whose quota it counts for.
    pub owner: String,
    /// What people call it.
    pub title: String,
    /// The experiment it is for.
    #[serde(default)]
    pub experiment_id: Option<String>,
    /// From its start to its end, without lead and tail.
    pub span: Span,
    /// Lead and tail.
    #[serde(default)]
    pub margins: Margins,
    /// Of what recurs, which occurrence.
    #[serde(default)]
    pub occurrence: Option<Occurrence>,
    /// How many people of each role.
    pub counts: Counts,
    /// In how many rooms they are; 0 when that is not known, then each may be in any pod.
    #[serde(default)]
    pub rooms: u32,
    /// Where it has to be.
    #[serde(default)]
    pub region: Option<String>,
    /// What people do.
    #[serde(default)]
    pub features: Features,
    /// The risk to be short of memory at which it was admitted, or is to be.
    pub risk: Risk,
    /// How far it is.
    pub state: State,
    /// One more with each change.
    pub revision: u64,
    /// When it was asked for, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it changed last, in milliseconds since 1970.
    pub changed_ms: i64,
    /// When it was confirmed first, in milliseconds since 1970: who was confirmed later gives way earlier.
    #[serde(default)]
    pub confirmed_ms: Option<i64>,
    /// While it is requested it holds capacity until then, in milliseconds since 1970.
    #[serde(default)]
    pub hold_until_ms: Option<i64>,
    /// Where its rooms are.
    #[serde(default)]
    pub placement: Vec<Placed>,
}

/// One of what recurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// All occurrences share it.
    pub series_id: String,
    /// When the rule has it start, in milliseconds since 1970; it stays when the occurrence is moved.
    pub start_ms: i64,
}

/// What people do in an experiment, as the plan of the second team has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Features {
    /// They see a video.
    pub video_streaming: bool,
    /// They see each other.
    pub video_chat: bool,
    /// What they do is recorded.
    pub screen_recording: bool,
    /// Samples per second that are kept of each.
    pub data_collection_rate_hz: f64,
}

impl Reservation {
    /// When it holds memory, lead and tail included.
    pub fn footprint(&self) -> Span {
        self.margins.footprint(&self.span)
    }

    /// It holds capacity: it is promised, or asked for with a hold that has not run out.
    pub fn is_holding(&self, now_ms: i64) -> bool {
        match self.state {
            State::Requested => self.hold_until_ms.is_some_and(|until_ms| until_ms > now_ms),
            state => state.is_promised(),
        }
    }

    /// Its rooms may still be moved to other pods: nothing of it runs yet.
    pub fn is_movable(&self) -> bool {
        !matches!(self.state, State::Preparing | State::Active)
    }

    /// As what it is placed in pods.
    ///
    /// # Errors
    /// [`UnknownRole`].
    pub fn party(&self, loads: &Loads) -> Result<Party, UnknownRole> {
        Ok(Party {
            id: self.id.clone(),
            footprint: self.footprint(),
            lots: lots(&self.counts, self.rooms, loads)?,
            region: self.region.clone(),
            z: self.risk.z(),
        })
    }

    /// Goes on by an event, and says what is to be kept of that. Time never goes back.
    ///
    /// # Errors
    /// [`NoTransition`]; then nothing has changed.
    pub fn apply(&mut self, event: Event, now_ms: i64, why: &str) -> Result<Change, NoTransition> {
        let from = self.state;
        let to = from.after(event)?;
        let at_ms = now_ms.max(self.changed_ms);
        self.state = to;
        self.revision = self.revision.saturating_add(1);
        self.changed_ms = at_ms;
        if to != State::Requested {
            self.hold_until_ms = None;
        }
        if to.is_promised() && self.confirmed_ms.is_none() {
            self.confirmed_ms = Some(at_ms);
        }
        if !to.is_promised() && to != State::Requested {
            self.placement.clear();
        }
        Ok(Change { at_ms, from, to, why: why.to_string() })
    }

    /// What time alone makes of it: an event that is due, and why. To be asked again until there is none.
    pub fn due(&self, now_ms: i64) -> Option<(Event, &'static str)> {
        self.next().filter(|(at_ms, ..)| *at_ms <= now_ms).map(|(_, event, why)| (event, why))
    }

    /// What time alone will make of it next: when, in milliseconds since 1970, by which event, and why.
    pub fn next(&self) -> Option<(i64, Event, &'static str)> {
        let (span, footprint) = (self.span, self.footprint());
        let too_late = "its start came before there was capacity for it";
        match self.state {
            State::Requested => match self.hold_until_ms {
                Some(until_ms) if until_ms <= span.start_ms => {
                    Some((until_ms, Event::Expire, "the hold ran out"))
                }
                _ => Some((span.start_ms, Event::Expire, too_late)),
            },
            State::Waitlisted => Some((span.start_ms, Event::Expire, too_late)),
            State::Degraded => {
                Some((span.end_ms, Event::Expire, "its end came before there was capacity for it again"))
            }
            State::Confirmed => Some((footprint.start_ms, Event::Prepare, "its lead began")),
            State::Preparing => Some((span.start_ms, Event::Start, "its start came")),
            State::Active => Some((footprint.end_ms, Event::Complete, "its tail ended")),
            State::Completed | State::Rejected | State::Cancelled | State::Expired => None,
        }
    }
}
