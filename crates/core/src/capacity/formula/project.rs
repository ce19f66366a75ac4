//! Projections: how much memory so many people will take.

use super::super::load::Load;
use super::super::roles::{Counts, Role};
use super::observation::Observation;
use super::plain::{MB, UNPUBLISHED_MB};
use super::profile::{Coefficient, Profile};
use super::retained::Retained;
use super::terms::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Of what a role takes that has no value of its own, how far that may be off: a standard deviation.
const DOUBT_SHARE: f64 = 0.25;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// How many of each role there will be, over all pods.
    pub counts: Counts,
    /// Over how many pods they are spread, evenly; 0 counts as 1.
    pub pods: u32,
    /// Connections over all pods.
    pub connections: u64,
    /// How long each pod will have run by then, in hours; `None` for as long as usual.
    pub uptime_hours: Option<f64>,
}

/// How much memory will be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// What is expected, in bytes.
    pub expected_bytes: u64,
    /// The line that memory is below in half of the time, in bytes.
    pub p50_bytes: u64,
    /// In 95 % of it.
    pub p95_bytes: u64,
    /// In 99 % of it.
    pub p99_bytes: u64,
    /// The plain sum with the coefficients in force, in MB.
    pub formula_mb: f64,
    /// Whether nothing was observed that says so.
    pub is_assumed: bool,
    /// Roles of which more are asked about than were ever seen in so many pods.
    pub beyond: Vec<Role>,
}

/// What is expected of some pods, and how uncertain that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// In MB.
    pub expected_mb: f64,
    /// By how much memory was seen to differ, in MB.
    pub spread_mb: f64,
    /// A standard deviation of what was not seen, in MB.
    pub doubt_mb: f64,
}

impl Outlook {
    /// Of nothing.
    pub const NONE: Outlook = Outlook { expected_mb: 0.0, spread_mb: 0.0, doubt_mb: 0.0 };

    /// Of both together. They differ independently of each other, but what was not seen of an app is the same in all its pods.
    pub fn and(self, other: Outlook) -> Outlook {
        Outlook {
            expected_mb: self.expected_mb + other.expected_mb,
            spread_mb: self.spread_mb.hypot(other.spread_mb),
            doubt_mb: self.doubt_mb + other.doubt_mb,
        }
    }
}

impl Profile {
    /// How much memory is used when so many are there.
    pub fn project(&self, ask: &Ask) -> Projection {
        let pods = f64::from(ask.pods.max(1));
        let units: BTreeMap<Role, f64> =
            ask.counts.iter().map(|(role, count)| (role.clone(), count as f64)).collect();
        let hours = ask.uptime_hours.filter(|hours| hours.is_finite()).unwrap_or(self.uptime_hours).max(0.0);
        let outlook = self.outlook(&units, pods, ask.connections as f64, hours);
        let bytes = |level: f64| bytes(self.line_mb(&outlook, level));
        let is_beyond = |role: &&Role| {
            let seen = self.roles.get(*role).map_or(0.0, |coefficient| coefficient.seen_max);
            units[*role] / pods > seen
        };
        Projection {
            expected_bytes: self::bytes(outlook.expected_mb),
            p50_bytes: bytes(0.5),
            p95_bytes: bytes(0.95),
            p99_bytes: bytes(0.99),
            formula_mb: self.formula().memory_mb(&ask.counts, ask.connections) + self.base.mb * (pods - 1.0),
            is_assumed: self.is_assumed(),
            beyond: units.keys().filter(is_beyond).cloned().collect(),
        }
    }

    /// What a pod is expected to use at an observation of it that was [taken in](Retained::take); `None` where connections
    /// count and were not read.
    pub fn outlook_at(&self, seen: &Observation, retained: &Retained) -> Option<Outlook> {
        let connections = match self.connection {
            Some(_) => seen.connections?,
            None => 0,
        };
        Some(self.outlook_of(&seen.pod, retained, connections))
    }

    /// What a pod is expected to use now, given who has been in it.
    pub fn outlook_of(&self, pod: &str, retained: &Retained, connections: u64) -> Outlook {
        let units = retained.of_pod(pod).map(|(role, state)| (role.clone(), state)).collect();
        self.outlook(&units, 1.0, connections as f64, retained.uptime_hours(pod))
    }

    /// The line that memory is below in a share of the time, in MB.
    pub fn line_mb(&self, outlook: &Outlook, level: f64) -> f64 {
        let reach_mb = self.band.reach_mb(level, outlook.spread_mb, outlook.doubt_mb);
        (outlook.expected_mb + reach_mb).max(0.0)
    }

    /// Pods are taken to be uncertain independently of each other.
    fn outlook(&self, units: &BTreeMap<Role, f64>, pods: f64, connections: f64, hours: f64) -> Outlook {
        let of_roles: f64 = units.iter().map(|(role, count)| self.role_mb(role) * count).sum();
        let connection_mb = self.connection.as_ref().map_or(0.0, |coefficient| coefficient.mb);
        let expected_mb =
            pods * (self.base.mb + self.hour_mb * hours) + of_roles + connection_mb * connections;
        Outlook {
            expected_mb,
            spread_mb: self.band.spread.at(expected_mb / pods) * pods.sqrt(),
            doubt_mb: self.doubt_mb(units, pods).hypot(self.hours_doubt_mb(hours) * pods),
        }
    }

    fn role_mb(&self, role: &Role) -> f64 {
        self.roles.get(role).map_or(UNPUBLISHED_MB, |coefficient| coefficient.mb)
    }

    /// What was not seen: roles without a value of their own, more than ever, and another mix of those that move together.
    fn doubt_mb(&self, units: &BTreeMap<Role, f64>, pods: f64) -> f64 {
        if self.band.is_assumed {
            // The spread has it in it.
            return 0.0;
        }
        let of_role = |(role, count): (&Role, &f64)| match self.roles.get(role) {
            Some(coefficient) => doubt_of(coefficient, count / pods) * pods,
            None => DOUBT_SHARE * UNPUBLISHED_MB * count,
        };
        let of_mix = |joined: &super::profile::Joined| {
            let taken = |role: &Role| self.role_mb(role) * units.get(role).copied().unwrap_or(0.0);
            let all: f64 = joined.shares.keys().map(taken).sum();
            let moved: f64 =
                joined.shares.iter().map(|(role, share)| (taken(role) - share * all).abs()).sum();
            DOUBT_SHARE * moved / 2.0
        };
        let doubts = units.iter().map(of_role).chain(self.joined.iter().map(of_mix));
        doubts.map(|doubt_mb| doubt_mb * doubt_mb).sum::<f64>().sqrt()
    }

    /// Of what hours of running add, as long as nothing shows whether they do.
    fn hours_doubt_mb(&self, hours: f64) -> f64 {
        let is_open = self.growth.is_none() && !self.band.is_assumed;
        if is_open { DOUBT_SHARE * self.hour_mb * hours } else { 0.0 }
    }

    /// What a pod takes by itself after so many hours.
    pub fn base_load(&self, hours: f64) -> Load {
        let mean_mb = self.base.mb + self.hour_mb * hours.max(0.0);
        let spread_mb = self.band.spread.at(mean_mb);
        Load { mean_bytes: mean_mb * MB, variance_bytes2: (spread_mb * MB).powi(2) }
    }

    /// What one of a role adds. The spread grows with what is expected, and the sum of variances does not; so a variance is
    /// taken that makes the sum right at the highest use that was seen, and too high rather than too low below it.
    pub fn load(&self, role: &Role) -> Load {
        let mean_mb = self.role_mb(role);
        let low = self.base.mb;
        // Of what was never seen, as far as the base again.
        let high = self.highest_mb.max(2.0 * low).max(low + 1.0);
        let spread = |at_mb: f64| self.band.spread.at(at_mb);
        let each_mb = (spread(high).powi(2) - spread(low).powi(2)) / (high - low);
        let seen = self.roles.get(role).is_some_and(|coefficient| coefficient.refused.is_none());
        let doubt_mb = if seen || self.band.is_assumed { 0.0 } else { DOUBT_SHARE * mean_mb };
        Load {
            mean_bytes: mean_mb * MB,
            variance_bytes2: (each_mb * mean_mb + doubt_mb * doubt_mb) * MB * MB,
        }
    }

    /// How many standard deviations of a sum of loads the line of a level lies above its mean.
    pub fn reach(&self, level: f64) -> f64 {
        self.band.score(level)
    }
}

/// How far off a role's share of a pod may be beyond what was seen, in MB: a standard deviation.
fn doubt_of(coefficient: &Coefficient, count: f64) -> f64 {
    let more = (count - coefficient.seen_max).max(0.0);
    match (&coefficient.refused, coefficient.interval_mb) {
        // Of those the mix counts.
        (Some(Refusal::MovesWith { .. }), _) => 0.0,
        (Some(Refusal::Constant { .. }), _) => DOUBT_SHARE * coefficient.mb * more,
        (Some(_), _) => DOUBT_SHARE * coefficient.mb * count,
        (None, Some((_, high_mb))) => (high_mb - coefficient.mb) / 2.0 * more,
        (None, None) => DOUBT_SHARE * coefficient.mb * more,
    }
}

fn bytes(mb: f64) -> u64 {
    (mb * MB).ceil() as u64
}
