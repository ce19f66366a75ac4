//! The timeline: what is done for a reservation before it starts and after it ends, each step once.
//!
//! With the default lead of 30 minutes it is that of the second team's plan: 30 minutes before the start memory is worked
//! out anew, 20 before pods are scaled, 10 before they have to be ready, 5 before their health is checked; then start and
//! end, and 30 minutes after the end it is scaled down. A longer or shorter lead stretches the steps with it.
//!
//! Nothing is remembered but what became of each step. [`due`] derives from that and from the time what is to be done now;
//! whoever carries out records each step before the next one. So after a restart it goes on where it was, and what is
//! recorded is not done again, except what failed: that is tried again for as long as it is of use.
//!
//! [`targets`] says how many pods are wanted at a moment, [`moved`] how far that moves what people have set, and [`are_ready`] and
//! [`are_healthy`] judge what is seen then.

mod check;
mod moved;
mod target;

pub use check::{are_healthy, are_ready};
pub use moved::{Mark, Move, moved};
pub use target::{LOOK_AHEAD_MS, Target, pods_of, targets};

use super::reservation::{Reservation, State};
use super::span::DAY_MS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was scaled is tried to be given back for so long, in milliseconds.
const GIVE_BACK_MS: i64 = DAY_MS;

/// What is done for a reservation, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// What it needs is worked out with what is known by now.
    Compute,
    /// Pods are asked for.
    Scale,
    /// Pods have to be ready.
    Ready,
    /// Their health is checked.
    Health,
    /// People come.
    Start,
    /// People go.
    End,
    /// Pods that nobody else needs are given back.
    ScaleDown,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Step; 7] =
        [Step::Compute, Step::Scale, Step::Ready, Step::Health, Step::Start, Step::End, Step::ScaleDown];

    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Step::Compute => "compute",
            Step::Scale => "scale",
            Step::Ready => "ready",
            Step::Health => "health",
            Step::Start => "start",
            Step::End => "end",
            Step::ScaleDown => "scale_down",
        }
    }

    /// When it is due for a reservation, in milliseconds since 1970.
    pub fn at_ms(self, reservation: &Reservation) -> i64 {
        let (span, margins) = (reservation.span, reservation.margins);
        let before = |sixths: i64| span.start_ms.saturating_sub(margins.lead_ms.max(0) / 6 * sixths);
        match self {
            Step::Compute => before(6),
            Step::Scale => before(4),
            Step::Ready => before(2),
            Step::Health => before(1),
            Step::Start => span.start_ms,
            Step::End => span.end_ms,
            Step::ScaleDown => span.end_ms.saturating_add(margins.tail_ms.max(0)),
        }
    }

    /// It is of use only as long as people are still to come or there.
    fn is_preparation(self) -> bool {
        self < Step::End
    }

    /// Until when it is tried again where it fails, in milliseconds since 1970.
    fn until_ms(self, reservation: &Reservation) -> i64 {
        if self.is_preparation() {
            reservation.span.end_ms
        } else {
            self.at_ms(reservation).saturating_add(GIVE_BACK_MS)
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// There was nothing to do, or nothing was to be done.
    Skipped,
    /// It could not be carried out, or what it looks at is not as it should be.
    Failed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 3] = [Outcome::Done, Outcome::Skipped, Outcome::Failed];

    /// As it is written everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "failed",
        }
    }
}

/// What became of the steps of one reservation so far.
pub type Recorded = BTreeMap<Step, Outcome>;

/// A step that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// Which.
    pub step: Step,
    /// Since when, in milliseconds since 1970.
    pub at_ms: i64,
    /// It is not to be carried out but recorded as skipped, for this reason.
    pub skip: Option<&'static str>,
}

/// The steps that are due, in the order in which they are to be carried out. Late ones are made up for until the end of the
/// reservation, and skipped after it. What was scaled for a reservation that was taken back is given back at once; one that is
/// degraded may come back, so its pods go by [`targets`], and its steps on.
pub fn due(reservation: &Reservation, recorded: &Recorded, now_ms: i64) -> Vec<Due> {
    let state = reservation.state;
    let is_promised = state.is_promised() || state == State::Completed;
    let is_scaled = recorded.get(&Step::Scale) == Some(&Outcome::Done);
    let settled = recorded.iter().filter(|(_, outcome)| **outcome != Outcome::Failed);
    let last = settled.map(|(step, _)| *step).max();
    let due = |step: Step| {
        let at_ms = step.at_ms(reservation);
        let skip = match recorded.get(&step) {
            Some(Outcome::Done | Outcome::Skipped) => return None,
            Some(Outcome::Failed) if step.until_ms(reservation) <= now_ms => return None,
            _ if !is_promised => {
                let gives_back = step == Step::ScaleDown && is_scaled && state.is_over();
                return gives_back.then_some(Due { step, at_ms, skip: None });
            }
            _ if at_ms > now_ms => return None,
            Some(Outcome::Failed) => None,
            None if last.is_some_and(|last| last > step) => Some("a later step is done already"),
            None if step.is_preparation() && reservation.span.end_ms <= now_ms => {
                Some("its end came before it was carried out")
            }
            None if step == Step::ScaleDown && !is_scaled => Some("nothing was scaled for it"),
            None => None,
        };
        Some(Due { step, at_ms, skip })
    };
    Step::ALL.into_iter().filter_map(due).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::booking::fixtures::reservation;
    use crate::capacity::booking::span::{MINUTE_MS, Margins};
    use proptest::prelude::*;

    /// From 100 to 160 minutes.
    fn confirmed() -> Reservation {
        let it = reservation("r", (100 * MINUTE_MS, 160 * MINUTE_MS), 5);
        Reservation { state: State::Confirmed, ..it }
    }

    #[test]
    fn the_plan_of_the_second_team() {
        let minutes = |it: &Reservation| Step::ALL.map(|step| step.at_ms(it) / MINUTE_MS);
        assert_eq!(minutes(&confirmed()), [70, 80, 90, 95, 100, 160, 190]);
        let margins = Margins { lead_ms: 60 * MINUTE_MS, tail_ms: 0 };
        assert_eq!(minutes(&Reservation { margins, ..confirmed() }), [40, 60, 80, 90, 100, 160, 160]);
    }

    #[test]
    fn what_is_due() {
        use Step::{Compute, End, Health, Ready, Scale, ScaleDown, Start};
        let check = |state, recorded: &[Step], minute: i64, expect: &[(Step, bool)]| {
            let it = Reservation { state, ..confirmed() };
            let recorded = recorded.iter().map(|step| (*step, Outcome::Done)).collect();
            let due = due(&it, &recorded, minute * MINUTE_MS);
            let found: Vec<(Step, bool)> = due.iter().map(|due| (due.step, due.skip.is_none())).collect();
            assert_eq!(found, expect, "{state:?} {recorded:?} at {minute}");
        };
        use State::{Active, Cancelled, Completed, Confirmed, Degraded, Expired, Waitlisted};
        check(Confirmed, &[], 69, &[]);
        check(Confirmed, &[], 70, &[(Compute, true)]);
        check(Confirmed, &[Compute], 79, &[]);
        check(Confirmed, &[Compute], 80, &[(Scale, true)]);
        // It was down, or confirmed late.
        check(
            Active,
            &[],
            101,
            &[(Compute, true), (Scale, true), (Ready, true), (Health, true), (Start, true)],
        );
        check(Active, &[Compute, Scale, Ready], 159, &[(Health, true), (Start, true)]);
        check(
            Active,
            &[Compute, Scale],
            160,
            &[(Ready, false), (Health, false), (Start, false), (End, true)],
        );
        check(Completed, &[Compute, Scale, Ready, Health, Start, End], 500, &[(ScaleDown, true)]);
        check(
            Completed,
            &[],
            500,
            &[
                (Compute, false),
                (Scale, false),
                (Ready, false),
                (Health, false),
                (Start, false),
                (End, true),
                (ScaleDown, false),
            ],
        );
        check(Active, &[Scale], 85, &[(Compute, false)]);
        check(Waitlisted, &[], 500, &[]);
        check(Cancelled, &[Compute], 85, &[]);
        check(Cancelled, &[Compute, Scale], 85, &[(ScaleDown, true)]);
        check(Degraded, &[Compute, Scale, Ready, Health, Start], 120, &[]);
        check(Expired, &[Compute, Scale, Ready, Health, Start], 160, &[(ScaleDown, true)]);
        check(Cancelled, &[Compute, Scale, ScaleDown], 500, &[]);
    }

    #[test]
    fn what_failed_is_tried_again_while_it_is_of_use() {
        use Step::{Compute, End, Health, Ready, Scale, ScaleDown, Start};
        let check = |state, recorded: &[(Step, Outcome)], minute: i64, expect: &[Step]| {
            let it = Reservation { state, ..confirmed() };
            let due = due(&it, &recorded.iter().copied().collect(), minute * MINUTE_MS);
            let found: Vec<Step> = due.iter().filter(|due| due.skip.is_none()).map(|due| due.step).collect();
            assert_eq!(found, expect, "{recorded:?} at {minute}");
        };
        use Outcome::{Done, Failed, Skipped};
        let failed = [(Compute, Done), (Scale, Done), (Ready, Failed), (Health, Failed)];
        check(State::Preparing, &failed[..3], 91, &[Ready]);
        check(State::Preparing, &failed, 99, &[Ready, Health]);
        check(State::Active, &failed, 101, &[Ready, Health, Start]);
        let started = [&failed[..], &[(Start, Done)]].concat();
        check(State::Active, &started, 159, &[Ready, Health]);
        check(State::Active, &started, 160, &[End]);
        let ended = [&started[..], &[(End, Done), (ScaleDown, Failed)]].concat();
        check(State::Completed, &ended, 189 + 24 * 60, &[ScaleDown]);
        check(State::Completed, &ended, 190 + 24 * 60, &[]);
        // What was never scaled is not given back.
        check(State::Cancelled, &[(Compute, Done), (Scale, Failed)], 85, &[]);
        check(State::Cancelled, &[(Compute, Done), (Scale, Skipped)], 85, &[]);
    }

    proptest! {
        /// Killed anywhere, between carrying out and recording too: each step is settled once, none before its time, in
        /// order where none fails, and nothing is left.
        #[test]
        fn each_step_is_settled_once(
            looks in proptest::collection::vec((0i64..40, 0usize..8, proptest::bool::weighted(0.2)), 1..40),
        ) {
            let it = confirmed();
            let (mut recorded, mut settled, mut minute) = (Recorded::new(), Vec::new(), 60);
            let has_failures = looks.iter().any(|(.., fails)| *fails);
            for (by, carried_out, fails) in looks.into_iter().chain([(500, 8, false)]) {
                minute += by;
                for due in due(&it, &recorded, minute * MINUTE_MS).into_iter().take(carried_out) {
                    prop_assert!(due.at_ms <= minute * MINUTE_MS);
                    prop_assert!(!settled.contains(&due.step));
                    let outcome = if fails { Outcome::Failed } else { Outcome::Done };
                    recorded.insert(due.step, outcome);
                    if outcome == Outcome::Done {
                        settled.push(due.step);
                    }
                }
            }
            prop_assert_eq!(recorded.len(), Step::ALL.len());
            if !has_failures {
                prop_assert_eq!(settled, Step::ALL.to_vec());
            }
        }
    }
}
