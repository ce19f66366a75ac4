//! Evidence: windows that have become past, and which candidates would have held in them.

use super::{Grid, LOOKS, Looks, MARGINS, USUAL_LOOK};
use crate::size::whole_mib;
use crate::sizing::Sample;
use crate::sizing::peaks::SlidingMax;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A window that is past, as a decision at its start would have met it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// When it ended, in milliseconds since 1970.
    pub end_ms: i64,
    /// The least margin over each look that was not passed in it: an index into [`MARGINS`], or their number.
    pub held_from: [u8; LOOKS],
    /// Mean use in it, as a multiple of the highest of each look.
    pub mean: [f32; LOOKS],
    /// The same of its own highest, which is what nobody could have known.
    pub mean_of_highest: f32,
    /// How long each look had really seen when it began, in windows.
    pub seen: [f32; LOOKS],
    /// How far its highest use was from that of as long a time before it and twice that, as a share.
    pub moved: f32,
}

impl Window {
    /// One that ended at this time: what the looks showed at its start and how many windows they had seen, its highest use and
    /// its mean, in bytes.
    pub fn new(end_ms: i64, looks: [u64; LOOKS], seen: [f32; LOOKS], highest: u64, mean: f64) -> Window {
        Window {
            end_ms,
            held_from: looks.map(|look| held_from(look, highest)),
            mean: looks.map(|look| (mean / look as f64) as f32),
            mean_of_highest: (mean / highest as f64) as f32,
            seen,
            moved: (highest as f64 / looks[1] as f64 - 1.0).abs() as f32,
        }
    }
}

/// What looks show when some of them show nothing: what the next longer one does. `None` when nothing was used for so long
/// that the usual rule has nothing to go by.
pub fn filled(mut seen: [u64; LOOKS]) -> Option<[u64; LOOKS]> {
    let mut longer = Some(seen[USUAL_LOOK]).filter(|bytes| *bytes > 0)?;
    for bytes in seen[..USUAL_LOOK].iter_mut().rev() {
        *bytes = if *bytes > 0 { *bytes } else { longer };
        longer = *bytes;
    }
    Some(seen)
}

/// What became known by a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// A window began at this time, in milliseconds since 1970.
    Began(i64),
    /// A window is past. One in which nothing was read or used says nothing, and is left out.
    Ended(Window),
}

/// Turns samples into windows, and says what the looks show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tracker {
    looks: [SlidingMax; LOOKS],
    spans_ms: [i64; LOOKS],
    first_ms: Option<i64>,
    window_ms: i64,
    /// Windows start so far apart: they overlap where decisions are rare, because evidence is dear then.
    stride_ms: i64,
    next_start_ms: Option<i64>,
    open: VecDeque<Open>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Open {
    start_ms: i64,
    looks: [u64; LOOKS],
    seen: [f32; LOOKS],
    highest: u64,
    sum: f64,
    samples: u32,
}

impl Tracker {
    /// For windows of `window_ms`, one each `stride_ms`.
    pub fn new(looks: Looks, window_ms: i64, stride_ms: i64) -> Tracker {
        Tracker {
            looks: looks.0.map(SlidingMax::new),
            spans_ms: looks.0,
            first_ms: None,
            window_ms,
            stride_ms: stride_ms.max(1),
            next_start_ms: None,
            open: VecDeque::new(),
        }
    }

    /// Takes a sample, never older than the one before.
    pub fn observe(&mut self, sample: Sample, seen: &mut impl FnMut(Seen)) {
        self.first_ms.get_or_insert(sample.at_ms);
        // The first window starts when there has been as much to look at as it lasts.
        let next_start_ms = *self.next_start_ms.get_or_insert(sample.at_ms + self.window_ms);
        self.close(sample.at_ms, seen);
        if sample.at_ms >= next_start_ms {
            self.start(sample.at_ms, next_start_ms, seen);
        }
        self.looks.iter_mut().for_each(|look| look.push(sample));
        for open in &mut self.open {
            open.highest = open.highest.max(sample.bytes);
            open.sum += sample.bytes as f64;
            open.samples += 1;
        }
    }

    /// Highest use of each look as of `at_ms`, in bytes; a look that shows nothing shows what the next longer one does.
    /// `None` when nothing was used for so long that the usual rule has nothing to go by.
    pub fn looks(&mut self, at_ms: i64) -> Option<[u64; LOOKS]> {
        filled(self.looks.each_mut().map(|look| look.max(at_ms).map_or(0, |highest| highest.bytes)))
    }

    fn start(&mut self, at_ms: i64, due_ms: i64, began: &mut impl FnMut(Seen)) {
        let start_ms = due_ms + (at_ms - due_ms) / self.stride_ms * self.stride_ms;
        self.next_start_ms = Some(start_ms + self.stride_ms);
        if let Some(looks) = self.looks(start_ms) {
            let age_ms = start_ms - self.first_ms.unwrap_or(start_ms);
            let seen =
                self.spans_ms.map(|span_ms| (span_ms.min(age_ms) as f64 / self.window_ms as f64) as f32);
            began(Seen::Began(start_ms));
            self.open.push_back(Open { start_ms, looks, seen, highest: 0, sum: 0.0, samples: 0 });
        }
    }

    /// Tells of the windows that are past as of this time.
    pub fn close(&mut self, at_ms: i64, ended: &mut impl FnMut(Seen)) {
        while self.open.front().is_some_and(|open| open.start_ms + self.window_ms <= at_ms) {
            let Some(open) = self.open.pop_front() else { return };
            // Nothing was read in it, or nothing was used: it says nothing.
            if open.highest > 0 {
                let mean = open.sum / f64::from(open.samples);
                let end_ms = open.start_ms + self.window_ms;
                ended(Seen::Ended(Window::new(end_ms, open.looks, open.seen, open.highest, mean)));
            }
        }
    }
}

/// What the windows of one container have shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Own {
    /// Windows seen.
    pub windows: f64,
    /// The candidates that would have been passed, each counted as [`add_passed`] does.
    pub passed: Grid,
    mean: [f64; LOOKS],
    mean_of_highest: f64,
    seen: [f64; LOOKS],
    restlessness: f64,
}

/// Restlessness is the mean of the last so many windows.
const RESTLESSNESS_WINDOWS: f64 = 40.0;
/// Containers are told apart by restlessness from 0.01 % on, by doublings.
const CALMEST: f64 = 1e-4;
/// Classes of restlessness.
pub const CLASSES: usize = 16;

impl Default for Own {
    fn default() -> Self {
        Own {
            windows: 0.0,
            passed: Grid::default(),
            mean: [0.0; LOOKS],
            mean_of_highest: 0.0,
            seen: [1.0; LOOKS],
            restlessness: 0.0,
        }
    }
}

impl Own {
    /// Adds a window.
    pub fn add(&mut self, window: &Window) {
        self.windows += 1.0;
        add_passed(&mut self.passed, window);
        self.mean.iter_mut().zip(window.mean).for_each(|(sum, mean)| *sum += f64::from(mean));
        self.mean_of_highest += f64::from(window.mean_of_highest);
        self.seen = window.seen.map(f64::from);
        self.restlessness +=
            (f64::from(window.moved) - self.restlessness) / self.windows.min(RESTLESSNESS_WINDOWS);
    }

    /// How much its highest use moves from window to window, as a class; `None` before the first.
    pub fn class(&self) -> Option<usize> {
        let doublings = (self.restlessness.max(CALMEST) / CALMEST).log2().floor() as usize;
        (self.windows > 0.0).then_some(doublings.min(CLASSES - 1))
    }

    /// Mean use as a multiple of what a look shows.
    pub fn mean(&self, look: usize) -> f64 {
        self.mean[look] / self.windows.max(1.0)
    }

    /// Mean use as a multiple of the highest of each window.
    pub fn mean_of_highest(&self) -> f64 {
        self.mean_of_highest / self.windows.max(1.0)
    }

    /// How long a look has really seen, in windows, as of the last one.
    pub fn seen(&self, look: usize) -> f64 {
        self.seen[look]
    }
}

/// Counts each candidate that was passed in a window, as often as its look had seen windows before: what is the highest
/// of n is passed by the next with a chance of 1 in n + 1 if all are alike (the law of records: Renyi, 1962), so that only
/// chance times n can be compared between a young container and an old one, or with its own youth.
pub fn add_passed(passed: &mut Grid, window: &Window) {
    for ((passed, held_from), seen) in passed.iter_mut().zip(window.held_from).zip(window.seen) {
        passed[..usize::from(held_from)].iter_mut().for_each(|passed| *passed += f64::from(seen));
    }
}

/// The limit of a candidate, in bytes: whole MiB, as limits are written and as the usual rule does.
pub fn limit_bytes(look_bytes: u64, margin: f64) -> u64 {
    whole_mib((look_bytes as f64 * (1.0 + margin)).ceil() as u64)
}

fn held_from(look_bytes: u64, highest_bytes: u64) -> u8 {
    MARGINS.partition_point(|margin| limit_bytes(look_bytes, *margin) < highest_bytes) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::MIB;
    use crate::sizing::{DAY_MS, HOUR_MS};

    fn windows(bytes: impl Iterator<Item = (i64, u64)>) -> Vec<Window> {
        let mut tracker = Tracker::new(Looks::of_horizon(4 * HOUR_MS), 4 * HOUR_MS, HOUR_MS);
        let mut windows = Vec::new();
        for (hour, bytes) in bytes {
            tracker.observe(Sample { at_ms: hour * HOUR_MS, bytes: bytes * MIB }, &mut |seen| {
                windows.extend(match seen {
                    Seen::Ended(window) => Some(window),
                    Seen::Began(_) => None,
                });
            });
        }
        windows
    }

    #[test]
    fn a_step_is_seen_by_the_windows_that_hold_it() {
        let seen = windows((0..20).map(|hour| (hour, if hour < 10 { 100 } else { 130 })));
        let held: Vec<(i64, f64)> = seen
            .iter()
            .map(|window| (window.end_ms / HOUR_MS, MARGINS[usize::from(window.held_from[0])]))
            .collect();
        assert_eq!(&held[..4], [(8, 0.0), (9, 0.0), (10, 0.0), (11, 0.3)]);
        // From hour 11 on the looks have seen the step.
        assert_eq!(held.iter().filter(|(_, margin)| *margin > 0.0).count(), 4);
    }

    #[test]
    fn a_gap_says_nothing() {
        let seen = windows((0..10).chain(40..50).map(|hour| (hour, 100)));
        assert!(seen.iter().all(|window| window.held_from == [0; LOOKS]), "{seen:?}");
        assert!(seen.iter().all(|window| !(16..=40).contains(&(window.end_ms / HOUR_MS))), "{seen:?}");
    }

    #[test]
    fn after_14_days_of_nothing_there_is_nothing_to_go_by() {
        let mut tracker = Tracker::new(Looks::of_horizon(DAY_MS), DAY_MS, DAY_MS);
        tracker.observe(Sample { at_ms: 0, bytes: 100 * MIB }, &mut |_| ());
        let mut check = |day, expect| assert_eq!(tracker.looks(day * DAY_MS).is_some(), expect, "{day}");
        check(13, true);
        check(14, false);
    }

    #[test]
    fn limits_are_whole_mib() {
        let check = |look, margin, expect| assert_eq!(limit_bytes(look, margin), expect, "{look} {margin}");
        check(100 * MIB, 0.15, 115 * MIB);
        check(100 * MIB + 1, 0.0, 101 * MIB);
        check(u64::MAX, 0.0, u64::MAX);
    }

    #[test]
    fn own_evidence_counts_candidates() {
        let mut own = Own::default();
        assert_eq!(own.class(), None);
        windows((0..20).map(|hour| (hour, if hour < 10 { 100 } else { 130 })))
            .iter()
            .for_each(|window| own.add(window));
        let at = |margin: f64| MARGINS.iter().position(|known| *known == margin).unwrap();
        assert_eq!((own.passed[0][at(0.25)], own.passed[0][at(0.3)]), (4.0, 0.0));
        assert!(own.class() > Some(5));
    }
}
