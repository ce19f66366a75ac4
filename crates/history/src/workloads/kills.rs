//! Kills for want of memory: a container was started again, and the reason it ended for is `OOMKilled`.
//!
//! `container_oom_events_total` would be simpler, but is always 0: cAdvisor takes the container away before it is counted.

use super::names;
use crate::{Labels, Point, Sink};
use std::collections::{BTreeMap, HashMap};

/// The reason may be shown so much later than the restart, in milliseconds: where only hours are read, in the next one.
const TOGETHER_MS: i64 = 65 * 60_000;
/// A reason that was gone for so long has come anew, in milliseconds.
const ANEW_MS: i64 = 60 * 60_000;

/// Reasons, restarts and limits of each pod's container, by time.
#[derive(Debug, Clone, Default)]
pub struct Kills {
    lives: HashMap<(String, String), Life>,
    current: ((String, String), Kind),
}

#[derive(Debug, Clone, Default)]
struct Life {
    reasons: BTreeMap<i64, bool>,
    restarts: BTreeMap<i64, u64>,
    limits: BTreeMap<i64, u64>,
}

#[derive(Debug, Clone, Copy, Default)]
enum Kind {
    #[default]
    Reason,
    Restarts,
    Limit,
}

/// A kill of a pod's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// When it was seen, in milliseconds since 1970.
    pub at_ms: i64,
    /// The limit it had, in bytes, where it is known.
    pub limit_bytes: Option<u64>,
}

impl Kills {
    /// All kills, by time.
    pub fn all(&self) -> Vec<Kill> {
        let mut kills: Vec<Kill> = self
            .lives
            .iter()
            .flat_map(|((pod, container), life)| {
                life.kills().into_iter().map(|at_ms| Kill {
                    pod: pod.clone(),
                    container: container.clone(),
                    at_ms,
                    limit_bytes: life.limits.range(..=at_ms).next_back().map(|(_, limit)| *limit),
                })
            })
            .collect();
        kills.sort_unstable_by(|one, other| (one.at_ms, &one.pod).cmp(&(other.at_ms, &other.pod)));
        kills
    }
}

impl Life {
    fn kills(&self) -> Vec<i64> {
        if self.restarts.is_empty() {
            return self.reasons_anew();
        }
        let steps = self.restarts.iter().zip(self.restarts.iter().skip(1));
        let restarted =
            steps.filter(|((_, before), (_, after))| after > before).map(|(_, (at_ms, _))| *at_ms);
        // What was shown before it is the reason of the end before.
        let was_killed = |at_ms: &i64| {
            self.reasons.range(at_ms..=&(at_ms + TOGETHER_MS)).next().is_some_and(|(_, is_oom)| *is_oom)
        };
        restarted.filter(was_killed).collect()
    }

    fn reasons_anew(&self) -> Vec<i64> {
        let mut last = None;
        let seen = self.reasons.iter().filter(|(_, is_oom)| **is_oom).map(|(at_ms, _)| *at_ms);
        seen.filter(|at_ms| last.replace(*at_ms).is_none_or(|before| at_ms - before > ANEW_MS)).collect()
    }
}

impl Sink for Kills {
    fn series(&mut self, labels: &Labels) {
        let label = |name: &str| labels.get(name).to_string();
        let kind = match labels.get("__name__") {
            names::RESTARTS => Kind::Restarts,
            names::LAST_ENDED => Kind::Reason,
            _ => Kind::Limit,
        };
        self.current = ((label("pod"), label("container")), kind);
    }

    fn points(&mut self, points: &[Point]) {
        let (key, kind) = &self.current;
        let life = self.lives.entry(key.clone()).or_default();
        for point in points {
            match kind {
                Kind::Reason => drop(life.reasons.insert(point.at_ms, point.value > 0.0)),
                Kind::Restarts => drop(life.restarts.insert(point.at_ms, point.value as u64)),
                Kind::Limit => drop(life.limits.insert(point.at_ms, point.value as u64)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn kills(metrics: &[(&str, &[(i64, f64)])]) -> Vec<(i64, Option<u64>)> {
        let mut kills = Kills::default();
        for (metric, points) in metrics {
            let pairs = [("__name__", *metric), ("pod", "p"), ("container", "c")];
            kills.series(&Labels::new(
                pairs.map(|(name, value)| (name.to_string(), value.to_string())).to_vec(),
            ));
            let points =
                points.iter().map(|(minute, value)| Point { at_ms: minute * MINUTE_MS, value: *value });
            kills.points(&points.collect::<Vec<_>>());
        }
        kills.all().into_iter().map(|kill| (kill.at_ms / MINUTE_MS, kill.limit_bytes)).collect()
    }

    #[test]
    fn a_restart_with_its_reason() {
        let check = |metrics: &[(&str, &[(i64, f64)])], expect: &[(i64, Option<u64>)]| {
            assert_eq!(kills(metrics), expect)
        };
        let restarts: &[(i64, f64)] = &[(0, 3.0), (1, 3.0), (2, 4.0), (3, 4.0), (90, 5.0)];
        let limits: &[(i64, f64)] = &[(0, 512.0), (60, 1024.0)];
        check(
            &[(names::RESTARTS, restarts), (names::LAST_ENDED, &[(3, 1.0)]), (names::SPEC_LIMITS, limits)],
            &[(2, Some(512))],
        );
        check(
            &[
                (names::RESTARTS, restarts),
                (names::LAST_ENDED, &[(3, 1.0), (92, 1.0)]),
                (names::SPEC_LIMITS, limits),
            ],
            &[(2, Some(512)), (90, Some(1024))],
        );
        // It ended for another reason: older versions show this one with the value 0.
        check(&[(names::RESTARTS, restarts), (names::LAST_ENDED, &[(3, 0.0)])], &[]);
        // Killed, and then ended by itself: the reason of before is shown no more.
        check(
            &[(names::RESTARTS, restarts), (names::LAST_ENDED, &[(2, 1.0), (89, 1.0), (90, 0.0)])],
            &[(2, None)],
        );
        // Of each hour only the highest is known.
        check(
            &[(names::RESTARTS, &[(60, 1.0), (120, 2.0)]), (names::LAST_ENDED, &[(180, 1.0)])],
            &[(120, None)],
        );
        // The reason stays when nothing happens any more.
        check(
            &[(names::RESTARTS, &[(0, 3.0), (900, 3.0)]), (names::LAST_ENDED, &[(0, 1.0), (900, 1.0)])],
            &[],
        );
        // Without restarts, each time it comes anew.
        check(&[(names::LAST_ENDED, &[(3, 1.0), (4, 1.0), (900, 1.0)])], &[(3, None), (900, None)]);
    }
}
