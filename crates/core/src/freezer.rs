//! The freezer: which branches of the tree run and which wait, so that promised growth fits.
//!
//! The banker's rule: what was let in must be able to finish. A branch is a leaf of the process tree that works
//! (a compiler, a linker, a test worker); what it has frozen still counts as used. The largest always runs, because
//! it is the nearest to giving its memory back; of the others the oldest go first, so the youngest are frozen first.

use std::collections::BTreeMap;

/// A branch that was frozen stays so at least this long, and one that was woken runs at least as long, in
/// milliseconds: stopping and waking are cheap, but a build that does nothing else is not a build.
const HOLD_MS: u64 = 100;
/// When nobody who may run has used the CPU for this long, in milliseconds, somebody frozen is waited for (a pipe,
/// a lock) and the oldest is woken, fit or not.
const IDLE_MS: u64 = 400;
/// It has to look lost for this long, in milliseconds, before that counts. Near the limit there is a look every
/// 10 ms, and the margin is for the growth of 60.
const STUCK_MS: u64 = 20;
/// A branch that has passed what was expected of it is expected to grow by this share of what it holds.
const UNFORESEEN_DIVISOR: u64 = 8;
/// With less room than this share of the budget an impatient branch is frozen too.
const IMPATIENT_ROOM_DIVISOR: u64 = 20;

/// A leaf of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Names it while it lives.
    pub id: u64,
    /// Orders the branches: a smaller number is older.
    pub started: u64,
    /// What it holds, in bytes.
    pub current_bytes: u64,
    /// What it will have needed when it ends, in bytes ([`crate::promise`]).
    pub promise_bytes: u64,
    /// Whether we have stopped it.
    pub frozen: bool,
    /// False for workers with clocks of their own (test time-outs): stopped only as the last resort.
    pub patient: bool,
    /// Whether it has used the CPU since the last look.
    pub active: bool,
}

impl Branch {
    fn growth_bytes(&self) -> u64 {
        let promised = self.promise_bytes.saturating_sub(self.current_bytes);
        if promised > 0 { promised } else { self.current_bytes / UNFORESEEN_DIVISOR }
    }
}

/// What is known when the freezer decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View<'a> {
    /// The budget in bytes.
    pub budget_bytes: u64,
    /// Non-reclaimable memory of the whole tree, in bytes.
    pub used_bytes: u64,
    /// Kept free for what grows between two looks, in bytes.
    pub margin_bytes: u64,
    /// All leaves that work.
    pub branches: &'a [Branch],
    /// Any clock that does not go back, in milliseconds.
    pub now_ms: u64,
}

/// What to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Branches to stop.
    pub freeze: Vec<u64>,
    /// Branches to wake.
    pub thaw: Vec<u64>,
    /// True when the room is used up although all but one branch wait, and that one will not end within it: freezing
    /// cannot help any more.
    pub stuck: bool,
}

/// Decides again and again over one tree.
#[derive(Debug, Clone, Default)]
pub struct Freezer {
    /// When a branch was last stopped or woken.
    changed_ms: BTreeMap<u64, u64>,
    /// The branch that always runs.
    leader: Option<u64>,
    idle_since_ms: Option<u64>,
    lost_since_ms: Option<u64>,
}

impl Freezer {
    /// Who has to stop and who may go on now.
    pub fn decide(&mut self, view: &View) -> Verdict {
        self.changed_ms.retain(|id, _| view.branches.iter().any(|branch| branch.id == *id));
        let waited_for = self.waited_for(view);
        self.choose_leader(view, waited_for);
        let mut room_bytes =
            i128::from(view.budget_bytes) - i128::from(view.margin_bytes) - i128::from(view.used_bytes);
        let scarce = room_bytes < i128::from(view.budget_bytes / IMPATIENT_ROOM_DIVISOR);
        let mut verdict = Verdict::default();
        let mut running = 0;
        for branch in self.in_order(view.branches) {
            let growth_bytes = i128::from(branch.growth_bytes());
            let leads = Some(branch.id) == self.leader;
            let fits = growth_bytes <= room_bytes || (!branch.patient && !scarce);
            let runs = if leads || self.held(branch, view.now_ms) { leads || !branch.frozen } else { fits };
            if runs {
                room_bytes -= growth_bytes;
                running += 1;
            }
            match (runs, branch.frozen) {
                (true, true) => verdict.thaw.push(branch.id),
                (false, false) => verdict.freeze.push(branch.id),
                _ => {}
            }
        }
        for id in verdict.freeze.iter().chain(&verdict.thaw) {
            self.changed_ms.insert(*id, view.now_ms);
        }
        verdict.stuck = self.is_stuck(view, running);
        verdict
    }

    /// Whether the last that runs will not end within the room, for a while now. For one look it seems so at the end of
    /// every branch, when it has all that it was promised and is about to give it back.
    fn is_stuck(&mut self, view: &View, running: usize) -> bool {
        if running > 1 || !self.is_lost(view) {
            self.lost_since_ms = None;
            return false;
        }
        let since_ms = *self.lost_since_ms.get_or_insert(view.now_ms);
        view.now_ms.saturating_sub(since_ms) >= STUCK_MS
    }

    /// The room is used up, and the leader has all it was promised, or the rest of that is not there.
    fn is_lost(&self, view: &View) -> bool {
        let full = view.used_bytes.saturating_add(view.margin_bytes / 2) >= view.budget_bytes;
        let leader = view.branches.iter().find(|branch| Some(branch.id) == self.leader);
        let needs_bytes =
            leader.map_or(0, |leader| leader.promise_bytes.saturating_sub(leader.current_bytes));
        full && (needs_bytes == 0 || view.used_bytes.saturating_add(needs_bytes) > view.budget_bytes)
    }

    /// The frozen branch that everybody seems to wait for, when nobody who may run has run for a while.
    fn waited_for(&mut self, view: &View) -> Option<u64> {
        let idle = view.branches.iter().any(|branch| branch.frozen)
            && !view.branches.iter().any(|branch| branch.active && !branch.frozen);
        if !idle {
            self.idle_since_ms = None;
            return None;
        }
        let since_ms = *self.idle_since_ms.get_or_insert(view.now_ms);
        if view.now_ms.saturating_sub(since_ms) < IDLE_MS {
            return None;
        }
        self.idle_since_ms = Some(view.now_ms);
        let frozen = view.branches.iter().filter(|branch| branch.frozen);
        frozen
            .min_by_key(|branch| self.changed_ms.get(&branch.id).copied().unwrap_or(0))
            .map(|branch| branch.id)
    }

    /// The leader leads until it ends or is seen to wait for another.
    fn choose_leader(&mut self, view: &View, waited_for: Option<u64>) {
        let lives = |id: &u64| view.branches.iter().any(|branch| branch.id == *id);
        let largest = || {
            let key = |branch: &&Branch| (branch.current_bytes, std::cmp::Reverse(branch.started));
            view.branches.iter().max_by_key(key).map(|branch| branch.id)
        };
        self.leader = waited_for.or(self.leader.filter(lives)).or_else(largest);
    }

    /// The leader, then the oldest first.
    fn in_order<'a>(&self, branches: &'a [Branch]) -> Vec<&'a Branch> {
        let mut order: Vec<&Branch> = branches.iter().collect();
        order.sort_by_key(|branch| (Some(branch.id) != self.leader, branch.started, branch.id));
        order
    }

    /// Whether it is too early to change this branch's state again. A running branch near the limit is stopped
    /// at any time; only waking waits.
    fn held(&self, branch: &Branch, now_ms: u64) -> bool {
        let changed_ms = self.changed_ms.get(&branch.id);
        branch.frozen && changed_ms.is_some_and(|changed| now_ms.saturating_sub(*changed) < HOLD_MS)
    }
}

#[cfg(test)]
mod tests;
