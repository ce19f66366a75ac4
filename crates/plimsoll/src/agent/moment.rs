//! One reading of everything, from which all that is shown is made.

use super::heaps::GroupHeaps;
use super::identity::Identity;
use plimsoll_core::kills::{Ledger, Row, Whose};
use plimsoll_probe::survey::Reading;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A cgroup that is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Whose it is.
    pub identity: Arc<Identity>,
    /// What it holds.
    pub reading: Reading,
    /// Its Node processes, where some tell.
    pub heaps: Option<GroupHeaps>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// Cgroups, no two of the same labels.
    pub shown: Vec<Shown>,
    /// Kills by container.
    pub kills: Vec<(Row, u64)>,
    /// Kills by what outlives pods.
    pub totals: Vec<(Whose, u64)>,
    /// What was looked at, and whether it cannot be seen.
    pub blind: Vec<(&'static str, bool)>,
    /// Cgroups that are not shown because there are too many, or because another has their labels.
    pub left_out: usize,
    /// How long looking who is there took.
    pub look_seconds: f64,
    /// How long reading it all took.
    pub read_seconds: f64,
    taken: BTreeSet<Arc<Row>>,
}

impl Moment {
    pub(super) fn begin(ledger: &Ledger, left_out: usize, look_seconds: f64) -> Moment {
        Moment {
            kills: ledger.rows().filter(|it| says_something(&it.0.container, it.1)).map(owned).collect(),
            totals: ledger
                .totals()
                .filter(|it| !it.0.ci_job.is_empty() || says_something(&it.0.container, it.1))
                .map(owned)
                .collect(),
            left_out,
            look_seconds,
            ..Moment::default()
        }
    }

    /// Two of the same labels would make the whole text worthless.
    pub(super) fn add(&mut self, shown: Shown) {
        if self.taken.insert(shown.identity.subject.row.clone()) {
            self.shown.push(shown);
        } else {
            self.left_out += 1;
        }
    }

    /// Why nothing has something, where that is so.
    pub(super) fn lacks(&self, has: impl Fn(&Shown) -> bool, why: &str) -> Option<String> {
        (!self.shown.is_empty() && !self.shown.iter().any(has)).then(|| why.to_string())
    }
}

/// Of pods as a whole, of sandboxes, and of containers nobody knows there is only something to say once somebody was killed.
fn says_something(container: &str, kills: u64) -> bool {
    kills > 0 || !container.is_empty()
}

fn owned<T: Clone>((labels, kills): (&T, u64)) -> (T, u64) {
    (labels.clone(), kills)
}
