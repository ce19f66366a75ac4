//! Counters of kills: by how much each has risen in each hour.
//!
//! Of each series the highest of an hour is kept. A counter that falls has begun anew. One that appears after others of the
//! agents' had been there begins with its first kill, which a rise alone would not show; where it follows on a series of
//! the same name - the agent has moved to another address, and knew what it had counted - it goes on from there.

use crate::{Labels, Point, Range, Sink};
use plimsoll_core::report::seen::{Kills, Whose};
use plimsoll_core::sizing::HOUR_MS;
use std::collections::{BTreeMap, HashMap};

/// Labels by which kills are told apart; all others say where the agent is.
const WHOSE: [&str; 7] =
    ["namespace", "workload_kind", "workload", "container", "ci_project", "ci_job", "ci_stage"];

/// See the module.
#[derive(Debug)]
pub struct Counters {
    range: Range,
    series: HashMap<Labels, BTreeMap<i64, u64>>,
    current: Labels,
}

impl Counters {
    /// Nothing read yet.
    pub fn new(range: Range) -> Counters {
        Counters { range, series: HashMap::new(), current: Labels::default() }
    }

    /// All kills.
    pub fn finish(self) -> Vec<Kills> {
        let first_hour = |hours: &BTreeMap<i64, u64>| hours.keys().next().copied();
        let Some(watched_hour) = self.series.values().filter_map(first_hour).min() else { return Vec::new() };
        let mut by_whom: BTreeMap<[String; 7], Vec<BTreeMap<i64, u64>>> = BTreeMap::new();
        for (labels, hours) in self.series {
            by_whom.entry(WHOSE.map(|name| labels.get(name).to_string())).or_default().push(hours);
        }
        let mut all = Vec::new();
        for (names, mut series) in by_whom {
            series.sort_unstable();
            for (hour, count) in rises(&series, watched_hour) {
                let [_, _, _, container, ..] = &names;
                let (whose, at_ms) = (whose(&names), hour * HOUR_MS);
                all.push(Kills { whose, container: container.clone(), at_ms, count, is_counted: true });
            }
        }
        all
    }
}

fn whose([namespace, kind, workload, container, project, job, _]: &[String; 7]) -> Whose {
    if !job.is_empty() {
        Whose::Job { project: project.clone(), job: job.clone() }
    } else if !workload.is_empty() {
        let (namespace, kind, workload) = (namespace.clone(), kind.clone(), workload.clone());
        Whose::Workload { namespace, kind, workload }
    } else {
        Whose::Container(container.clone())
    }
}

/// Hour and rise of series of one name, in the order of their first hour.
fn rises(series: &[BTreeMap<i64, u64>], watched_hour: i64) -> Vec<(i64, u64)> {
    let mut all = Vec::new();
    // The last hour and value of series that nothing has followed on yet.
    let mut ended: Vec<(i64, u64)> = Vec::new();
    for hours in series {
        let Some((first, value)) = hours.first_key_value() else { continue };
        let before =
            ended.iter().position(|(hour, last)| hour <= first && last <= value).map(|at| ended.remove(at).1);
        let mut last = before.or_else(|| (*first > watched_hour).then_some(0)).unwrap_or(*value);
        for (hour, value) in hours {
            let rise = if *value >= last { value - last } else { *value };
            all.extend((rise > 0).then_some((*hour, rise)));
            last = *value;
        }
        ended.extend(hours.keys().next_back().map(|hour| (*hour, last)));
    }
    all
}

impl Sink for Counters {
    fn series(&mut self, labels: &Labels) {
        self.current = labels.clone();
    }

    fn points(&mut self, points: &[Point]) {
        let hours = self.series.entry(self.current.clone()).or_default();
        for point in points.iter().filter(|point| self.range.has(point.at_ms)) {
            let highest = hours.entry(point.at_ms.div_euclid(HOUR_MS)).or_default();
            *highest = (*highest).max(point.value.max(0.0) as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Workload, agent, and what it counts at hours.
    type Counted<'a> = (&'a str, &'a str, &'a [(i64, f64)]);

    /// Hour and kills of the first workload, of series with an address each.
    fn killed(series: &[Counted]) -> Vec<(i64, u64)> {
        let mut counters = Counters::new(Range { from_ms: 0, to_ms: 100 * HOUR_MS });
        for (workload, instance, points) in series {
            let pairs = [
                ("namespace", "shop"),
                ("workload_kind", "Deployment"),
                ("workload", workload),
                ("instance", instance),
            ];
            counters.series(&Labels::new(pairs.map(|(name, value)| (name.into(), value.into())).to_vec()));
            let points: Vec<Point> = points
                .iter()
                .map(|(hour, value)| Point { at_ms: hour * HOUR_MS + 1, value: *value })
                .collect();
            // Pieces come in any order, and twice.
            points.rchunks(2).for_each(|piece| counters.points(piece));
            counters.points(&points);
        }
        let is_web =
            |kills: &Kills| matches!(&kills.whose, Whose::Workload { workload, .. } if workload == "web");
        let mut all: Vec<_> =
            counters.finish().into_iter().filter(is_web).map(|it| (it.at_ms / HOUR_MS, it.count)).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn counters_rise() {
        let check = |name: &str, series: &[Counted], expect: &[(i64, u64)]| {
            assert_eq!(killed(series), expect, "{name}");
        };
        check("what was before is not told", &[("web", "a", &[(0, 5.0), (1, 5.0)])], &[]);
        check("a rise", &[("web", "a", &[(0, 5.0), (1, 5.0), (2, 7.0), (9, 8.0)])], &[(2, 2), (9, 1)]);
        check("begun anew", &[("web", "a", &[(0, 5.0), (3, 0.0), (4, 2.0)])], &[(4, 2)]);
        check("begun anew with kills", &[("web", "a", &[(0, 5.0), (3, 1.0)])], &[(3, 1)]);
        let other: Counted = ("api", "a", &[(0, 0.0), (9, 0.0)]);
        check("begins with its first kill", &[other, ("web", "a", &[(4, 1.0), (5, 1.0)])], &[(4, 1)]);
        check("nobody watched before", &[("web", "a", &[(4, 3.0), (5, 3.0)])], &[]);
        check(
            "the agent has moved",
            &[other, ("web", "a", &[(0, 3.0), (4, 3.0)]), ("web", "b", &[(5, 3.0), (6, 4.0)])],
            &[(6, 1)],
        );
        check(
            "it moved and forgot",
            &[other, ("web", "a", &[(0, 3.0), (4, 3.0)]), ("web", "b", &[(5, 0.0), (6, 1.0)])],
            &[(6, 1)],
        );
        check(
            "two agents",
            &[other, ("web", "a", &[(0, 0.0), (4, 1.0)]), ("web", "b", &[(0, 0.0), (4, 1.0)])],
            &[(4, 1), (4, 1)],
        );
    }

    #[test]
    fn whose_it_is() {
        let names = |of: [&str; 7]| whose(&of.map(String::from));
        assert_eq!(
            names(["ci", "", "", "build", "group/app", "link", "build"]),
            Whose::Job { project: "group/app".into(), job: "link".into() }
        );
        assert_eq!(names(["", "", "", "web.service", "", "", ""]), Whose::Container("web.service".into()));
    }
}
