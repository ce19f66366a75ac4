//! The timeline: what is done for a reservation before it starts and after it ends, each step once.
//!
//! With the default lead of 30 minutes it is that of the second team's plan: 30 minutes before the start memory is worked
//! out anew, 20 before pods are scaled, 10 before they have to be ready, 5 before their health is checked; then start and
//! end, and 30 minutes after the end it is scaled down. A longer or shorter lead stretches the steps with it.
//!
//! Nothing is remembered but which steps are recorded as done or skipped. [`due`] derives from that and from the time
//! what is to be done now; whoever carries out records each step before the next one. So after a restart it goes on
//! where it was, and what is recorded is not done again.

mod target;

pub use target::{LOOK_AHEAD_MS, Target, targets};

use super::reservation::{Reservation, State};
use serde::{Deserialize, Serialize};

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
}

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

/// The steps that are due and not recorded, in the order in which they are to be carried out. Late ones are made up for
/// until the end of the reservation, and skipped after it. What was scaled for a reservation that is not promised any
/// more is given back at once.
pub fn due(reservation: &Reservation, recorded: &[Step], now_ms: i64) -> Vec<Due> {
    let is_promised = reservation.state.is_promised() || reservation.state == State::Completed;
    let last = recorded.iter().max().copied();
    let is_scaled = recorded.contains(&Step::Scale);
    let mut steps = Vec::new();
    for step in Step::ALL.into_iter().filter(|step| !recorded.contains(step)) {
        let at_ms = step.at_ms(reservation);
        let due = |skip| Due { step, at_ms, skip };
        if !is_promised {
            if step == Step::ScaleDown && is_scaled {
                steps.push(due(None));
            }
        } else if at_ms <= now_ms {
            let skip = if last.is_some_and(|last| last > step) {
                Some("a later step is done already")
            } else if step.is_preparation() && reservation.span.end_ms <= now_ms {
                Some("its end came before it was carried out")
            } else if step == Step::ScaleDown && !is_scaled {
                Some("nothing was scaled for it")
            } else {
                None
            };
            steps.push(due(skip));
        }
    }
    steps
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
            let due = due(&it, recorded, minute * MINUTE_MS);
            let found: Vec<(Step, bool)> = due.iter().map(|due| (due.step, due.skip.is_none())).collect();
            assert_eq!(found, expect, "{state:?} {recorded:?} at {minute}");
        };
        use State::{Active, Cancelled, Completed, Confirmed, Degraded, Waitlisted};
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
        check(Degraded, &[Compute, Scale, Ready, Health, Start], 120, &[(ScaleDown, true)]);
        check(Cancelled, &[Compute, Scale, ScaleDown], 500, &[]);
    }

    proptest! {
        /// Killed anywhere, between carrying out and recording too: each step is recorded once, in order, none before
        /// its time, and nothing is left.
        #[test]
        fn each_step_is_recorded_once(looks in proptest::collection::vec((0i64..40, 0usize..8), 1..40)) {
            let it = confirmed();
            let (mut recorded, mut minute) = (Vec::new(), 60);
            for (by, carried_out) in looks.into_iter().chain([(500, 8)]) {
                minute += by;
                for due in due(&it, &recorded, minute * MINUTE_MS).into_iter().take(carried_out) {
                    prop_assert!(due.at_ms <= minute * MINUTE_MS);
                    prop_assert!(!recorded.contains(&due.step));
                    recorded.push(due.step);
                }
            }
            prop_assert_eq!(recorded, Step::ALL.to_vec());
        }
    }
}
