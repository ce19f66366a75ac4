//! Sizes on their way: which steps lead from one to another, and which are ours.

use super::cure::nudged;
use super::journal::Known;
use super::strangers::home;
use crate::inventory::quantity::Quantity;
use crate::inventory::{Running, Sizes};
use crate::plan::ContainerChange;
use crate::size::MIB;

/// Over what is used, this share of it has to stay free below a limit that is lowered, in hundredths: use is read
/// seconds before the limit is set, and the kernel kills where it does not fit.
const MARGIN_PERCENT: u64 = 10;

/// Where the sizes of a container go, and how.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Route {
    /// Which container.
    pub name: String,
    /// The end.
    pub to: Sizes,
    /// The way down to it, the end included.
    steps: Vec<Sizes>,
    /// All sizes that are from before, or ours.
    known: Vec<Sizes>,
    /// Those from before.
    from: [Sizes; 2],
    /// What it uses need not be known: its history says that the end is enough, or it has been there before. The kubelet
    /// refuses what is below use in any case.
    is_borne: bool,
}

/// The next sizes of a container.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next {
    /// They are right.
    There,
    /// These.
    Go(Sizes),
    /// Not now.
    Wait(String),
}

/// As a pod has them: a limit alone is a request too (Kubernetes writes it in).
pub(super) fn explicit(sizes: &Sizes) -> Sizes {
    Sizes { request: sizes.request.clone().or(sizes.limit.clone()), limit: sizes.limit.clone() }
}

/// The same for a pod.
pub(super) fn alike(one: &Sizes, other: &Sizes) -> bool {
    explicit(one).same(&explicit(other))
}

impl Route {
    /// To what comes after.
    pub fn forward(change: &ContainerChange, known: &Known, step_percent: u32) -> Route {
        let from = [home(known, change).clone(), change.before.clone()];
        let ends = if alike(&from[0], &from[1]) { &from[..1] } else { &from[..] };
        let aims = [aims(known, change), vec![change.after.clone()]].concat();
        let all = [ends, &aims].concat();
        let steps = paths(&all[..all.len() - 1], &aims[aims.len() - 1..], step_percent);
        let mut known = paths(&all, &aims, step_percent);
        known.extend(paths(&aims, ends, step_percent));
        known.extend(all.iter().map(nudged));
        let is_borne = change.floor_bytes > 0;
        Route { name: change.name.clone(), to: explicit(&change.after), steps, known, from, is_borne }
    }

    /// Back to `to`, which is how it was when the rollout began, or what somebody else says by now.
    pub fn back(change: &ContainerChange, known: &Known, to: &Sizes, step_percent: u32) -> Route {
        let ends = [std::slice::from_ref(&change.after), &aims(known, change)].concat();
        let steps = paths(&ends, std::slice::from_ref(to), step_percent);
        let mut forward = Route::forward(change, known, step_percent);
        forward.known.extend(steps.iter().cloned().chain([nudged(to)]));
        Route { to: explicit(to), steps, is_borne: true, ..forward }
    }

    /// A resize of this container starts it anew: once is enough.
    pub fn at_once(mut self) -> Route {
        self.steps.clear();
        self
    }

    /// The container has sizes from before, or ours.
    pub fn knows(&self, sizes: &Sizes) -> bool {
        self.known.iter().any(|known| alike(known, sizes))
    }

    /// The container has sizes that it has from us.
    pub fn has_begun(&self, sizes: &Sizes) -> bool {
        self.knows(sizes) && !self.from.iter().any(|from| alike(from, sizes))
    }

    /// How many steps are left, or 0.
    pub fn left(&self, running: &Running) -> u64 {
        let actual = running.actual.as_ref().unwrap_or(&running.desired);
        let below = self.steps.iter().filter(|step| is_lower(step, actual)).count() as u64;
        let is_down = is_lower(&self.to, actual);
        u64::from(!alike(&running.desired, &self.to)) + if is_down { below } else { 0 }
    }

    /// A resize can bring it there: nothing that is bounded may become unbounded, or the other way round.
    pub fn is_open(&self, sizes: &Sizes) -> bool {
        let (to, from) = (explicit(&self.to), explicit(sizes));
        to.request.is_some() == from.request.is_some() && to.limit.is_some() == from.limit.is_some()
    }

    /// Where the sizes of a container go next, from what it has. What its node will never do (`is_hopeless`) needs no
    /// steps: only what is said changes.
    pub fn next(&self, running: &Running, is_ready: bool, is_hopeless: bool) -> Next {
        if alike(&running.desired, &self.to) {
            return Next::There;
        }
        let actual = running.actual.as_ref().unwrap_or(&running.desired);
        let next = if is_hopeless { self.to.clone() } else { self.step_below(actual) };
        let (Some(limit), true) = (next.limit_bytes(), is_lower(&next, actual)) else {
            return Next::Go(next);
        };
        // What we have put on top ourselves was free before.
        let is_nudged = alike(actual, &nudged(&self.to));
        match running.used_bytes {
            Some(used) if limit < if is_nudged { used } else { with_margin(used) } => {
                Next::Wait(format!("container {} uses {} MiB", self.name, used / MIB))
            }
            None if is_ready && !self.is_borne && !is_nudged => {
                Next::Wait(format!("what container {} uses is not known", self.name))
            }
            _ => Next::Go(next),
        }
    }

    /// The highest step below what it has; a way up is one step.
    fn step_below(&self, actual: &Sizes) -> Sizes {
        let below = self.steps.iter().filter(|step| is_lower(step, actual) && !is_lower(step, &self.to));
        let highest = below.max_by_key(|step| step.limit_bytes());
        explicit(highest.filter(|_| is_lower(&self.to, actual)).unwrap_or(&self.to))
    }
}

/// A use and the margin that has to stay free above it where a limit is lowered, in bytes.
pub fn with_margin(used_bytes: u64) -> u64 {
    used_bytes.saturating_add(used_bytes.div_ceil(100).saturating_mul(MARGIN_PERCENT))
}

/// A limit that is lower; none is the highest.
pub(super) fn is_lower(sizes: &Sizes, than: &Sizes) -> bool {
    sizes.limit_bytes().unwrap_or(u64::MAX) < than.limit_bytes().unwrap_or(u64::MAX)
}

/// Aims of a container that were given up.
fn aims(known: &Known, change: &ContainerChange) -> Vec<Sizes> {
    let aims = known.aims.iter().filter(|(name, _)| *name == change.name);
    aims.map(|(_, sizes)| sizes.clone()).collect()
}

/// From each of some to each of others.
fn paths(from: &[Sizes], to: &[Sizes], step_percent: u32) -> Vec<Sizes> {
    let to_each = |from: &Sizes| to.iter().flat_map(|to| path(from, to, step_percent)).collect::<Vec<_>>();
    from.iter().flat_map(to_each).collect()
}

/// From one to the other, both included; a limit goes down by at most so many hundredths at a time. The steps are
/// whole MiB and depend on nothing else, so that they are known again.
fn path(from: &Sizes, to: &Sizes, step_percent: u32) -> Vec<Sizes> {
    let (from, to) = (explicit(from), explicit(to));
    let mut path = vec![from.clone()];
    if let (Some(start), Some(end)) = (from.limit_bytes(), to.limit_bytes()) {
        let keep = u128::from(100 - step_percent.clamp(1, 100));
        let lower =
            |limit: u64| (u128::from(limit) * keep).div_ceil(100).div_ceil(u128::from(MIB)) as u64 * MIB;
        let mut limit = lower(start);
        let mut last = start;
        while limit > end && limit < last {
            path.push(between(&from, &to, limit));
            (last, limit) = (limit, lower(limit));
        }
    }
    path.push(to);
    path
}

/// As much is requested as is the limit.
pub(super) fn is_tied(sizes: &Sizes) -> bool {
    sizes.limit_bytes() == Some(sizes.requested_bytes())
}

/// A step: the request is the later one, but for a container that has as much requested as its limit on both ends: that
/// may decide the pod's class of service, which cannot change.
fn between(from: &Sizes, to: &Sizes, limit_bytes: u64) -> Sizes {
    let limit = Some(Quantity::of_bytes(limit_bytes));
    let request = if is_tied(from) && is_tied(to) { limit.clone() } else { to.request.clone() };
    Sizes { request, limit }
}
