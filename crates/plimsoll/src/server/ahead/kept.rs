//! What the replicas share of their work: who of them acts at present, and what is remembered of what was set.

use plimsoll_core::capacity::booking::timeline::{Mark, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Under which name it is kept.
pub const AHEAD: &str = "ahead";
/// Who acts keeps its turn for so long, in milliseconds; one look takes less. Where two clocks differ by more two may act, which
/// does no harm: both set the same.
const TURN_MS: i64 = 15_000;

/// What is shared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Whose turn it is.
    holder: String,
    /// Until when, in milliseconds since 1970.
    until_ms: i64,
    /// What is remembered of replicas that were set, by what was set.
    pub marks: BTreeMap<String, Mark>,
    /// What was said last of a region that is not as it should be.
    pub said: BTreeMap<String, (Outcome, String)>,
}

impl Kept {
    /// Takes the turn if nobody else has it; whether it is ours.
    pub fn take_turn(&mut self, me: &str, now_ms: i64) -> bool {
        if !self.is_turn_of(me) && self.until_ms > now_ms {
            return false;
        }
        // It is written again only when half of it is over.
        if !self.is_turn_of(me) || self.until_ms < now_ms + TURN_MS / 2 {
            (self.holder, self.until_ms) = (me.to_string(), now_ms + TURN_MS);
        }
        true
    }

    /// Nobody else has taken it.
    pub fn is_turn_of(&self, me: &str) -> bool {
        self.holder == me
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_turn() {
        let mut kept = Kept::default();
        let mut check = |me: &str, now_ms: i64, expect: bool| {
            let before = kept.clone();
            assert_eq!(kept.take_turn(me, now_ms), expect, "{me} at {now_ms}");
            before != kept
        };
        assert!(check("a", 0, true));
        assert!(!check("b", 14_999, false));
        assert!(!check("a", 5_000, true), "it need not be written each time");
        assert!(check("a", 10_000, true));
        assert!(!check("b", 24_999, false));
        assert!(check("b", 25_000, true));
        assert!(!check("a", 26_000, false));
    }
}
