//! Rollouts: how a [`Plan`](crate::plan::Plan) is carried out in waves, watched, and undone.
//!
//! Nothing is remembered but the [`Journal`], and nothing is believed but what is seen: each [`step`] derives from the
//! two what is left to do. So an order that is carried out twice does no harm, nor one that never is. Whoever carries
//! out goes round and round: observe everything, `step`, store the journal, carry out the orders, wait. The journal is
//! stored first, and where that fails nothing is carried out: then whatever was changed is known to a stored journal,
//! which holds the inverses from before the first change on.
//!
//! All of a plan is done, or none: one workload that cannot be changed, or does not bear it, takes the rest back.

mod aim;
mod back;
mod budget;
mod copies;
mod cure;
mod forward;
mod health;
mod journal;
mod later;
mod objections;
mod order;
mod pods;
mod pressure;
mod sizes;
mod stalls;
mod strangers;
mod waves;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

use crate::inventory::Inventory;
pub use health::Baseline;
pub use journal::{Journal, Known, Phase, SCHEMA, Template, Watch};
pub use later::in_the_way;
pub use order::{Order, Progress, Verdict};
pub use sizes::with_margin;
pub use stalls::Stalls;

/// What to do now.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// To be stored before any order is carried out.
    pub journal: Journal,
    /// To be carried out in this order; each is independent of the others' success.
    pub orders: Vec<Order>,
    /// How it goes on.
    pub verdict: Verdict,
    /// How far it is.
    pub progress: Progress,
}

/// Derives what to do from the journal and from what is seen, at `now_ms` in milliseconds since 1970.
///
/// `seen` has to be complete: what is not in it counts as gone. The clock may jump: each look at the cluster counts
/// for a part of a watch or of patience only, however much later it seems to be.
pub fn step(journal: &Journal, seen: &Inventory, now_ms: i64) -> Step {
    let mut journal = journal.clone();
    let look = journal.look(seen.as_of_ms, now_ms);
    strangers::recognise(&mut journal, seen);
    let (orders, verdict) = match journal.phase.clone() {
        Phase::Applying { .. } => forward::step(&mut journal, seen, look),
        Phase::RollingBack { .. } => back::step(&mut journal, seen, look),
        Phase::Applied { .. } => (Vec::new(), Verdict::Done("applied".to_string())),
        Phase::RolledBack { reason, .. } => (Vec::new(), Verdict::Done(format!("rolled back: {reason}"))),
    };
    let progress = pods::progress(&journal, seen);
    Step { journal, orders, verdict, progress }
}
