//! How far what people have set in a cluster is moved: up for who comes, and back to where people had it, never below.
//!
//! What was set is remembered before it is sent, as a [`Mark`]: so also after a crash between the two it is known what is ours and
//! what is theirs. Whoever changes it meanwhile has the last word on where it goes back to.

use serde::{Deserialize, Serialize};

/// What is remembered of something that was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What it was set to.
    pub set: u32,
    /// What it was set to just before that: it still is where a crash came between.
    pub from: u32,
    /// What people had set.
    pub before: u32,
}

/// Where something is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// What it has to be set to.
    pub to: u32,
    /// What to remember of it: before `to` is sent where there is something, after it where there is not.
    pub mark: Option<Mark>,
}

/// Where something that is set to `now` is to be, so that it is `wanted`, but no more than `most` and never less than people
/// have set.
pub fn moved(now: u32, mark: Option<Mark>, wanted: u32, most: u32) -> Move {
    let ours = mark.filter(|mark| mark.set == now || mark.from == now);
    let before = ours.map_or(now, |mark| mark.before);
    let to = before.max(wanted.min(most));
    Move { to, mark: (to > before).then_some(Mark { set: to, from: now, before }) }
}

impl Mark {
    /// As it is remembered once it was sent.
    pub fn sent(self) -> Mark {
        Mark { from: self.set, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn up_and_back() {
        let mark = |set, from, before| Some(Mark { set, from, before });
        let check = |now, held, wanted, to, expect| {
            assert_eq!(moved(now, held, wanted, 10), Move { to, mark: expect }, "{now} {held:?} {wanted}");
        };
        check(2, None, 2, 2, None);
        check(2, None, 4, 4, mark(4, 2, 2));
        check(4, mark(4, 4, 2), 6, 6, mark(6, 4, 2));
        check(6, mark(6, 6, 2), 4, 4, mark(4, 6, 2));
        check(6, mark(6, 6, 2), 1, 2, None);
        // Killed before it was sent, and after.
        check(4, mark(6, 4, 2), 6, 6, mark(6, 4, 2));
        check(6, mark(6, 4, 2), 6, 6, mark(6, 6, 2));
        // People want more meanwhile, or less.
        check(8, mark(6, 6, 2), 6, 8, None);
        check(3, mark(6, 6, 2), 6, 6, mark(6, 3, 3));
        check(1, mark(6, 6, 2), 1, 1, None);
        // No more than there may be, unless people have it so.
        check(2, None, 99, 10, mark(10, 2, 2));
        check(12, None, 99, 12, None);
    }

    #[derive(Debug, Clone, Copy)]
    enum Doing {
        Want(u32),
        People(u32),
        KilledBeforeSent(u32),
        KilledAfterSent(u32),
    }

    fn doing() -> impl Strategy<Value = Doing> {
        prop_oneof![
            (0u32..12).prop_map(Doing::Want),
            // What people set is told apart from what we set.
            (100u32..120).prop_map(Doing::People),
            (0u32..12).prop_map(Doing::KilledBeforeSent),
            (0u32..12).prop_map(Doing::KilledAfterSent),
        ]
    }

    proptest! {
        /// Whatever happens in between, it is never below what people set last, and goes back to exactly that.
        #[test]
        fn it_goes_back_to_what_people_set(begin in 0u32..5, doings in proptest::collection::vec(doing(), 0..30)) {
            let (mut now, mut theirs, mut held) = (begin, begin, None);
            for doing in doings.into_iter().chain([Doing::Want(0)]) {
                match doing {
                    Doing::People(count) => (now, theirs) = (count, count),
                    Doing::KilledBeforeSent(wanted) => {
                        held = moved(now, held, wanted, 10).mark.or(held);
                    }
                    Doing::KilledAfterSent(wanted) => {
                        let to = moved(now, held, wanted, 10);
                        (now, held) = (to.to, to.mark.or(held));
                    }
                    Doing::Want(wanted) => {
                        let to = moved(now, held, wanted, 10);
                        (now, held) = (to.to, to.mark.map(Mark::sent));
                        prop_assert_eq!(now, wanted.min(10).max(theirs));
                    }
                }
                prop_assert!(now >= theirs);
            }
            prop_assert_eq!((now, held), (theirs, None));
        }
    }
}
