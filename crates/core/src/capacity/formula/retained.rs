//! Retained counts: memory stays up for a while after people have left, as if some of them were still there.
//!
//! Of each role a pod has a state `e = max(n, a e + (1 - a) n)` with `a = exp(-dt / tau)`: it follows the count `n` up at
//! once and down slowly. It begins anew with a process. Where a share `s` of the memory is all that stays and the rest is
//! freed at once, there is memory for `n + s (e - n)`.

use super::super::roles::{ROLES_MAX, Role};
use super::observation::Observation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MINUTE_MS: f64 = 60_000.0;
/// Less than this of one is nobody.
const GONE: f64 = 1e-6;

/// How memory stays after people have left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stay {
    /// For how long, in minutes: the time in which it falls to a third (1/e); 0 where nothing stays.
    pub tau_minutes: f64,
    /// How much of it, as a share; the rest is freed at once.
    pub share: f64,
}

impl Stay {
    /// Nothing does.
    pub const NOT: Stay = Stay { tau_minutes: 0.0, share: 1.0 };
}

/// A role in a process.
#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    count: f64,
    held: f64,
}

/// States of one process.
#[derive(Debug, Clone, Default, PartialEq)]
struct Process {
    version: String,
    at_ms: i64,
    /// When it was first seen, or started where that is known.
    since_ms: i64,
    uptime_ms: Option<u64>,
    states: BTreeMap<Role, State>,
}

/// States of each pod of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Retained {
    stay: Stay,
    pods: BTreeMap<String, Process>,
}

/// Most pods whose state is held; the one not seen for longest is forgotten.
const PODS_MAX: usize = 1_000;

impl Retained {
    /// Nobody was there yet.
    pub fn new(stay: Stay) -> Retained {
        Retained { stay, pods: BTreeMap::new() }
    }

    /// Takes in an observation. One that is older than what is known of its pod changes nothing.
    pub fn take(&mut self, seen: &Observation) {
        if !self.pods.contains_key(&seen.pod) {
            if self.pods.len() >= PODS_MAX {
                let oldest = self.pods.iter().min_by_key(|(_, process)| process.at_ms);
                oldest.map(|(pod, _)| pod.clone()).and_then(|pod| self.pods.remove(&pod));
            }
            self.pods.insert(seen.pod.clone(), Process::default());
        }
        let Some(process) = self.pods.get_mut(&seen.pod) else { return };
        if process.at_ms > seen.at_ms {
            return;
        }
        if process.version != seen.version || has_restarted(process, seen) {
            let age_ms = seen.uptime_ms.unwrap_or(0) as i64;
            *process = Process {
                version: seen.version.clone(),
                since_ms: seen.at_ms - age_ms,
                ..Process::default()
            };
            process.at_ms = seen.at_ms;
        }
        let minutes = (seen.at_ms - process.at_ms) as f64 / MINUTE_MS;
        let tau_minutes = self.stay.tau_minutes;
        let keep = if tau_minutes > 0.0 { (-minutes / tau_minutes).exp() } else { 0.0 };
        for (role, state) in &mut process.states {
            let count = seen.counts.of(role) as f64;
            *state = State { count, held: count.max(keep * state.held + (1.0 - keep) * count) };
        }
        process.states.retain(|_, state| state.held > GONE);
        for (role, count) in seen.counts.iter().filter(|(_, count)| *count > 0) {
            if process.states.len() < 2 * ROLES_MAX {
                let count = count as f64;
                process.states.entry(role.clone()).or_insert(State { count, held: count });
            }
        }
        process.at_ms = seen.at_ms;
        process.uptime_ms = seen.uptime_ms.or(process.uptime_ms);
    }

    /// How many of a role a pod holds memory for.
    pub fn of(&self, pod: &str, role: &Role) -> f64 {
        self.pods.get(pod).and_then(|process| process.states.get(role)).map_or(0.0, |state| self.units(state))
    }

    /// The roles that a pod holds memory for, and for how many of each.
    pub fn of_pod(&self, pod: &str) -> impl Iterator<Item = (&Role, f64)> {
        let states = self.pods.get(pod).into_iter().flat_map(|process| &process.states);
        states.map(|(role, state)| (role, self.units(state)))
    }

    fn units(&self, state: &State) -> f64 {
        state.count + self.stay.share * (state.held - state.count)
    }

    /// For how many hours a pod's process has run, at least: where uptimes are not told, since it was first seen.
    pub fn uptime_hours(&self, pod: &str) -> f64 {
        self.pods.get(pod).map_or(0.0, |process| (process.at_ms - process.since_ms) as f64 / 3_600_000.0)
    }

    /// When a pod's process was first seen, or started where that is known: which of its processes it is.
    pub fn since_ms(&self, pod: &str) -> i64 {
        self.pods.get(pod).map_or(0, |process| process.since_ms)
    }
}

/// An uptime that is less than it was. What clocks round away does not count.
fn has_restarted(process: &Process, seen: &Observation) -> bool {
    matches!((process.uptime_ms, seen.uptime_ms), (Some(before), Some(now)) if now + 1_000 < before)
}

#[cfg(test)]
mod tests {
    use super::super::super::roles::Counts;
    use super::*;

    fn seen(minute: i64, version: &str, uptime_minutes: u64, experimenters: u64) -> Observation {
        Observation {
            at_ms: minute * 60_000,
            pod: "backend-0".to_string(),
            version: version.to_string(),
            memory_bytes: None,
            counts: Counts::new([(Role::EXPERIMENTER, experimenters)].into()).unwrap(),
            uptime_ms: Some(uptime_minutes * 60_000),
            connections: None,
        }
    }

    #[test]
    fn up_at_once_and_down_slowly() {
        let mut retained = Retained::new(Stay { tau_minutes: 25.0, share: 1.0 });
        let mut check = |observation: Observation, expect: f64| {
            retained.take(&observation);
            let state = retained.of("backend-0", &Role::EXPERIMENTER);
            assert!((state - expect).abs() < 1e-9, "{state}");
        };
        check(seen(0, "1", 0, 4), 4.0);
        check(seen(10, "1", 10, 10), 10.0);
        check(seen(35, "1", 35, 0), 10.0 / std::f64::consts::E);
        // A scrape that was missed makes no difference to what is left.
        check(seen(85, "1", 85, 0), 10.0 / std::f64::consts::E.powi(3));
        check(seen(84, "1", 84, 9), 10.0 / std::f64::consts::E.powi(3));
        // Another process, and another version.
        check(seen(86, "1", 0, 0), 0.0);
        check(seen(90, "1", 4, 5), 5.0);
        check(seen(91, "2", 5, 1), 1.0);
        assert_eq!(retained.uptime_hours("backend-0"), 5.0 / 60.0);
    }

    #[test]
    fn a_share_of_it_stays() {
        let mut retained = Retained::new(Stay { tau_minutes: 25.0, share: 0.5 });
        let mut check = |observation: Observation, expect: f64| {
            retained.take(&observation);
            assert_eq!(retained.of_pod("backend-0").map(|(_, units)| units).sum::<f64>(), expect);
        };
        check(seen(0, "1", 0, 8), 8.0);
        // At once, as no time has passed.
        check(seen(0, "1", 0, 2), 5.0);
    }
}
