//! Our rule: of many candidate limits the one that wastes least at a risk that was seen, not assumed.
//!
//! A candidate is the highest use of some time past (a [look](Looks)) and a [margin](MARGINS). Whenever a window of the
//! future has become past, it is known which candidates would have held in it ([`evidence`]). That, of the container itself
//! and of all containers as calm as it is ([`pool`]), gives each candidate a chance to be passed and a slack to be
//! paid for; both have one price, which is the same for the whole fleet ([`fleet`]) and is set by what each price has
//! come to so far ([`ledger`]): the fleet stays within its risk, and where that could not be had for less than the usual
//! rule leaves, it gets the usual rule. So a flat container gets a few per cent, a restless one what it needs, and one
//! that nothing could help does not cost a margin in vain.
//!
//! The idea of charging candidates for what they got wrong is Autopilot's (EuroSys'20); evidence shared among
//! containers by empirical Bayes, and one price for risk, are what is new here.

pub mod evidence;
pub mod fleet;
pub mod ledger;
pub mod live;
pub mod pool;

use super::DAY_MS;

/// How many looks there are; the last is the usual one.
pub const LOOKS: usize = 6;
/// The look that the usual rule takes.
pub const USUAL_LOOK: usize = LOOKS - 1;
/// How far back the usual rule looks, in milliseconds: as [`krr`](super::krr) does, 14 days.
pub const USUAL_MS: i64 = 14 * DAY_MS;
/// Margins over the highest use of a look: close together where containers are calm, and none so wide that only chance
/// decides whether it helps: half a container more is dear, and bursts are larger than that or do not come.
pub const MARGINS: [f64; 18] =
    [0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.085, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5];
/// The margin of the usual rule, 15 %.
pub const USUAL_MARGIN: usize = 12;

/// A value for each candidate, by look and margin.
pub type Grid = [[f64; MARGINS.len()]; LOOKS];

/// How far back each look goes, in milliseconds, rising but for the last, which is the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks(pub [i64; LOOKS]);

impl Looks {
    /// For a size that stays for `horizon_ms`: as long, twice, four, twelve and 48 times as long, so that with a week a
    /// monthly peak is not forgotten.
    pub fn of_horizon(horizon_ms: i64) -> Looks {
        Looks::times([1, 2, 4, 12, 48], horizon_ms)
    }

    /// For a size that follows use, set anew each `every_ms`: with five minutes a quarter of an hour to a day.
    pub fn of_loop(every_ms: i64) -> Looks {
        Looks::times([3, 12, 48, 144, 288], every_ms)
    }

    fn times([a, b, c, d, e]: [i64; LOOKS - 1], unit_ms: i64) -> Looks {
        Looks([a * unit_ms, b * unit_ms, c * unit_ms, d * unit_ms, e * unit_ms, USUAL_MS])
    }
}
