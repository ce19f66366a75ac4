//! The journal of a rollout: what has to survive the end of whoever carries it out.

use super::Baseline;
use crate::inventory::{Container, Inventory, Sizes, Workload};
use crate::plan::{Change, Plan, Way};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of this form.
pub const SCHEMA: &str = "plimsoll.rollout/1";
/// A watch, and patience, take at least so many looks: one look counts for such a part of them at most.
pub(super) const LOOKS: i64 = 4;
const MINUTE_MS: i64 = 60_000;

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// [`SCHEMA`].
    pub schema: String,
    /// What is carried out, inverses and all.
    pub plan: Plan,
    /// How far it is.
    pub phase: Phase,
    /// What is known of the workload of each change, in the plan's order.
    pub known: Vec<Known>,
    /// When the last step was, in milliseconds since 1970 by the clock of then.
    pub last_ms: i64,
    /// When what it went by was seen, likewise.
    pub seen_ms: i64,
    /// Memory that may be moved now, in bytes; below zero where a pod took more than there was.
    pub credit_bytes: i64,
    /// Where nothing gets less by it, it is not taken back when patience is over: once everything says what it should, it is
    /// over as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_for_good: bool,
}

/// How far a rollout is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Phase {
    /// A wave is carried out, and watched.
    Applying {
        /// Which, from 0.
        wave: u32,
        /// Since when, in milliseconds since 1970.
        since_ms: i64,
        /// How things were when it began.
        baseline: Box<Baseline>,
        /// Pods that were not pending then, by their uid, and for how long they are, in milliseconds.
        pending_ms: BTreeMap<String, i64>,
        /// Nodes that were not short of memory then and run pods of what was changed, and for how long they are short of
        /// it, in milliseconds.
        #[serde(default)]
        pressed_ms: BTreeMap<String, i64>,
        /// Containers that got less and wait for memory much more than then, by `uid/name`, and for how long, in milliseconds.
        #[serde(default)]
        stalled_ms: BTreeMap<String, i64>,
        /// What was seen since.
        watch: Watch,
    },
    /// All is taken back.
    RollingBack {
        /// Why.
        reason: String,
        /// Since when, in milliseconds since 1970.
        since_ms: i64,
        /// What was seen since.
        watch: Watch,
    },
    /// All of it is done.
    Applied {
        /// When, in milliseconds since 1970.
        at_ms: i64,
    },
    /// Nothing of it is left.
    RolledBack {
        /// Why.
        reason: String,
        /// When, in milliseconds since 1970.
        at_ms: i64,
        /// Where everything says what it said before, but the cluster has not come to it; and where something could not
        /// be said again.
        remains: Vec<String>,
    },
}

impl Phase {
    /// Its name, as it is stored and shown.
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Applying { .. } => "applying",
            Phase::RollingBack { .. } => "rolling-back",
            Phase::Applied { .. } => "applied",
            Phase::RolledBack { .. } => "rolled-back",
        }
    }
}

/// Time, as far as looks at the cluster prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Looks in a row at which all was done and well; the first only begins the watch.
    pub quiet_looks: u32,
    /// Between them, in milliseconds.
    pub quiet_ms: i64,
    /// Since something last came nearer to done, in milliseconds.
    pub stuck_ms: i64,
    /// Least that was left to do at a look.
    pub left: Option<u64>,
}

/// What is known of a workload.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Known {
    /// The generation that is accounted for: the plan's, our own changes, and changes of the number of its pods.
    pub generation: i64,
    /// Pods it should have had then.
    pub replicas: u32,
    /// What its template says beside the sizes that change; `None` where that was not seen as the plan has it.
    #[serde(default)]
    pub template: Option<Template>,
    /// Its template said `after` then (only where that is the way).
    pub is_set: bool,
    /// What the admission object said when this began, by container: it is put back.
    pub on_admission: Vec<(String, Sizes)>,
    /// It goes back to its template instead: nobody wants what had been said before either.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub to_template: bool,
    /// Aims that were given up for the present one, by container: pods may be on their way to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aims: Vec<(String, Sizes)>,
    /// Somebody else changed it, and how: it is theirs.
    pub stranger: Option<String>,
}

/// What a workload's template says beside the sizes of the containers that change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Of all but the memory of its containers.
    pub hash: u64,
    /// Memory of the containers that do not change.
    pub others: Vec<(String, Sizes)>,
}

/// A look at the cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub now_ms: i64,
    /// Since the one before, by a clock that may have jumped; never below zero, and zero where it is the same look again.
    pub elapsed_ms: i64,
    pub is_new: bool,
}

impl Journal {
    /// For a plan that was never begun, from what is seen. It holds what it takes to undo it; nothing is ordered before
    /// the first [`step`](super::step). Where there is a journal of this plan already, that one has to be used: what
    /// has been changed since would pass for how it was before.
    pub fn begin(plan: Plan, seen: &Inventory, now_ms: i64) -> Journal {
        let known = |change: &Change| Known {
            generation: change.generation,
            replicas: change.replicas,
            template: seen
                .workloads
                .get(&change.workload)
                .filter(|workload| workload.generation == change.generation)
                .map(|workload| Template::of(change, workload)),
            is_set: false,
            on_admission: match change.way {
                Way::InPlace => seen.sized_on_admission.get(&change.workload).cloned().unwrap_or_default(),
                Way::Rollout => Vec::new(),
            },
            to_template: false,
            aims: Vec::new(),
            stranger: None,
        };
        Journal {
            schema: SCHEMA.to_string(),
            known: plan.changes.iter().map(known).collect(),
            phase: Phase::Applying {
                wave: 0,
                since_ms: now_ms,
                baseline: Box::new(Baseline::of(&plan, seen)),
                pending_ms: BTreeMap::new(),
                pressed_ms: BTreeMap::new(),
                stalled_ms: BTreeMap::new(),
                watch: Watch::default(),
            },
            last_ms: now_ms,
            seen_ms: seen.as_of_ms,
            credit_bytes: minute_bytes(&plan),
            is_for_good: false,
            plan,
        }
    }

    /// Begins to take everything back, because somebody says so or a check before the next wave objects; also after it
    /// was applied. One that is being rolled back already, or is, stays as it is.
    pub fn roll_back(&mut self, reason: &str, now_ms: i64) {
        if matches!(self.phase, Phase::Applying { .. } | Phase::Applied { .. }) {
            let reason = reason.to_string();
            self.phase = Phase::RollingBack { reason, since_ms: now_ms, watch: Watch::default() };
        }
    }

    /// As [`roll_back`](Journal::roll_back), but to the templates, whatever new pods had got when this began.
    pub fn roll_back_to_templates(&mut self, reason: &str, now_ms: i64) {
        self.known.iter_mut().for_each(|known| known.to_template = true);
        self.roll_back(reason, now_ms);
    }

    /// It is over, one way or the other.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Applied { .. } | Phase::RolledBack { .. })
    }

    /// Takes notice of a look, and of the credit that came with time.
    pub(super) fn look(&mut self, seen_ms: i64, now_ms: i64) -> Look {
        let is_new = seen_ms != self.seen_ms;
        let elapsed_ms = if is_new { now_ms.saturating_sub(self.last_ms).max(0) } else { 0 };
        if is_new {
            (self.seen_ms, self.last_ms) = (seen_ms, now_ms);
        }
        let (full, elapsed) = (minute_bytes(&self.plan), elapsed_ms.min(MINUTE_MS));
        let earned = i128::from(full) * i128::from(elapsed) / i128::from(MINUTE_MS);
        self.credit_bytes = self.credit_bytes.saturating_add(earned as i64).min(full);
        Look { now_ms, elapsed_ms, is_new }
    }
}

fn minute_bytes(plan: &Plan) -> i64 {
    let bytes = plan.budget.mib_per_minute.max(1).saturating_mul(crate::size::MIB);
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl Template {
    pub(super) fn of(change: &Change, workload: &Workload) -> Template {
        let is_other =
            |container: &&Container| change.containers.iter().all(|changed| changed.name != container.name);
        let others = workload.containers.iter().filter(is_other);
        Template {
            hash: workload.template_hash,
            others: others.map(|container| (container.name.clone(), container.sizes.clone())).collect(),
        }
    }
}

impl Watch {
    /// Takes notice of a look with so much left to do. Time spent waiting for our own budget is nobody's delay.
    pub(super) fn push(&mut self, look: Look, left: u64, is_quiet: bool, is_ours: bool, plan: &Plan) {
        if !look.is_new {
            return;
        }
        let part = |whole_ms: i64| look.elapsed_ms.min(whole_ms.max(0) / LOOKS);
        if is_quiet {
            self.quiet_ms += if self.quiet_looks > 0 { part(plan.budget.watch_ms) } else { 0 };
            self.quiet_looks = self.quiet_looks.saturating_add(1);
        } else {
            (self.quiet_looks, self.quiet_ms) = (0, 0);
        }
        if is_quiet || is_ours || self.left.is_none_or(|least| left < least) {
            self.stuck_ms = 0;
        } else {
            self.stuck_ms += part(plan.budget.patience_ms);
        }
        self.left = Some(self.left.map_or(left, |least| least.min(left)));
    }

    /// All is done and well, and what comes next has to wait: that takes patience, as long as it did at the look `before`.
    pub(super) fn wait(&mut self, before: Watch, look: Look, plan: &Plan) {
        if look.is_new {
            self.stuck_ms = before.stuck_ms + look.elapsed_ms.min(plan.budget.patience_ms.max(0) / LOOKS);
        }
    }

    /// All was well for long enough, and was looked at often enough.
    pub(super) fn is_over(&self, plan: &Plan) -> bool {
        let watch_ms = plan.budget.watch_ms / LOOKS * LOOKS;
        i64::from(self.quiet_looks) > LOOKS && self.quiet_ms >= watch_ms
    }

    /// Nothing came nearer to done for longer than patience lasts.
    pub(super) fn is_stuck(&self, plan: &Plan) -> bool {
        self.stuck_ms > 0 && self.stuck_ms >= plan.budget.patience_ms / LOOKS * LOOKS
    }
}
