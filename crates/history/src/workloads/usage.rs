//! Usage: folds the samples of a namespace into one profile for each container of each workload.

use super::names;
use super::owners::Owners;
use crate::{Labels, Point, Range, Sink};
use plimsoll_core::rightsize::answer::Id;
use plimsoll_core::rightsize::profile::{Profile, START_UP_MS};
use plimsoll_core::sizing::HOUR_MS;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// A life that began this long after the range did was seen to begin, in milliseconds.
const BEGAN_MS: i64 = HOUR_MS;
/// A pod of which something was read in this time before the end still runs, in milliseconds.
const RUNS_MS: i64 = HOUR_MS;

/// See the module.
#[derive(Debug)]
pub struct Usage<'a> {
    owners: &'a Owners,
    namespace: &'a str,
    range: Range,
    ids: HashMap<Id, usize>,
    profiles: Vec<Profile>,
    running: Vec<HashSet<String>>,
    lives: HashMap<u64, Life, BuildHasherDefault<DefaultHasher>>,
    current: Current,
}

/// One container of one pod from a start to an end: a series.
#[derive(Debug, Clone, Copy)]
struct Life {
    first_ms: i64,
    /// The hour under way, and its highest use.
    hour: i64,
    highest: f64,
}

#[derive(Debug, Clone, Default)]
struct Current {
    life: u64,
    container: usize,
    pod: String,
    is_rss: bool,
}

/// What was read of a container.
#[derive(Debug, Clone)]
pub struct Used {
    /// Which.
    pub id: Id,
    /// What it has used.
    pub profile: Profile,
    /// Pods that still run it.
    pub pods: HashSet<String>,
}

impl<'a> Usage<'a> {
    /// Nothing read yet.
    pub fn new(owners: &'a Owners, namespace: &'a str, range: Range) -> Usage<'a> {
        Usage {
            owners,
            namespace,
            range,
            ids: HashMap::new(),
            profiles: Vec::new(),
            running: Vec::new(),
            lives: HashMap::default(),
            current: Current::default(),
        }
    }

    /// All that was read, by name.
    pub fn finish(mut self) -> Vec<Used> {
        let mut used: Vec<(Id, usize)> = std::mem::take(&mut self.ids).into_iter().collect();
        used.sort_unstable();
        let take = |(id, index): (Id, usize)| {
            let profile = std::mem::replace(&mut self.profiles[index], Profile::new(0, 0));
            Used { id, profile, pods: std::mem::take(&mut self.running[index]) }
        };
        used.into_iter().map(take).collect()
    }

    fn container(&mut self, labels: &Labels) -> usize {
        let id = self.owners.container(self.namespace, labels);
        let next = self.profiles.len();
        let index = *self.ids.entry(id).or_insert(next);
        if index == next {
            self.profiles.push(Profile::new(self.range.from_ms, self.range.to_ms));
            self.running.push(HashSet::new());
        }
        index
    }

    fn take_used(&mut self, points: &[Point]) {
        let profile = &mut self.profiles[self.current.container];
        let first = points.first().map_or(0, |point| point.at_ms);
        let life = self.lives.entry(self.current.life).or_insert(Life {
            first_ms: first,
            hour: i64::MIN,
            highest: 0.0,
        });
        let began = life.first_ms > self.range.from_ms + BEGAN_MS;
        for point in points {
            let hour = point.at_ms.div_euclid(HOUR_MS);
            if hour != life.hour {
                if life.hour != i64::MIN && began {
                    let age_hours = (life.hour - life.first_ms.div_euclid(HOUR_MS)).max(0);
                    profile.ages.take(age_hours as u64, life.highest);
                }
                (life.hour, life.highest) = (hour, f64::NEG_INFINITY);
            }
            // Of an hour in which nothing was a start-up only what is higher than before it says something.
            let age_ms = began.then(|| point.at_ms - life.first_ms);
            if point.value > life.highest || age_ms.is_some_and(|age_ms| age_ms < START_UP_MS + HOUR_MS) {
                profile.take(point.at_ms, age_ms, point.value);
            }
            life.highest = life.highest.max(point.value);
        }
        if points.last().is_some_and(|last| last.at_ms > self.range.to_ms - RUNS_MS) {
            self.running[self.current.container].insert(self.current.pod.clone());
        }
    }

    fn take_rss(&mut self, points: &[Point]) {
        let highest = points.iter().map(|point| point.value as u64).max();
        let held = &mut self.profiles[self.current.container].non_reclaimable_bytes;
        *held = (*held).max(highest);
    }
}

impl Sink for Usage<'_> {
    fn series(&mut self, labels: &Labels) {
        self.current = Current {
            life: self.lives.hasher().hash_one(labels),
            container: self.container(labels),
            pod: labels.get("pod").to_string(),
            is_rss: labels.get("__name__") == names::RSS,
        };
    }

    fn points(&mut self, points: &[Point]) {
        if self.current.is_rss { self.take_rss(points) } else { self.take_used(points) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE_MS: i64 = 60_000;
    const RANGE: Range = Range { from_ms: 0, to_ms: 24 * HOUR_MS };

    proptest! {
        /// Whatever is passed over, nothing is lost: the profile is that of all readings.
        #[test]
        fn as_if_all_readings_were_taken(
            first_minute in 0i64..300,
            readings in prop::collection::vec((1i64..40, prop_oneof![Just(0.0), 0f64..1e10]), 1..200),
            piece in 1usize..50,
        ) {
            let mut at_ms = first_minute * MINUTE_MS;
            let points: Vec<Point> = readings
                .into_iter()
                .map(|(minutes, value)| {
                    at_ms += minutes * MINUTE_MS;
                    Point { at_ms, value }
                })
                .collect();
            let owners = Owners::default();
            let mut usage = Usage::new(&owners, "shop", RANGE);
            let pairs = [("__name__", names::WORKING_SET), ("pod", "web-0"), ("container", "app")];
            usage.series(&Labels::new(pairs.map(|(name, value)| (name.to_string(), value.to_string())).to_vec()));
            points.chunks(piece).for_each(|piece| usage.points(piece));
            let used = usage.finish().remove(0);

            let mut expect = Profile::new(RANGE.from_ms, RANGE.to_ms);
            let first_ms = points[0].at_ms;
            let began = first_ms > RANGE.from_ms + BEGAN_MS;
            for point in &points {
                expect.take(point.at_ms, began.then(|| point.at_ms - first_ms), point.value);
            }
            prop_assert_eq!(&used.profile.used, &expect.used);
            prop_assert_eq!(
                (used.profile.start_up_bytes, used.profile.later_bytes),
                (expect.start_up_bytes, expect.later_bytes)
            );
        }
    }
}
