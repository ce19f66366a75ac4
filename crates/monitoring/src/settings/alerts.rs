//! When an alert fires: thresholds, the time that is looked at (`within`), how long it must hold and goes on. Times are
//! Prometheus' durations: 30s, 5m, 1h30m.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When memory in use is said to be high.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Usage {
    /// `severity: warning`.
    pub warning: Tier,
    /// `severity: critical`.
    pub critical: Tier,
    /// `severity: critical`, `tier: emergency`.
    pub emergency: Tier,
}

/// One tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Above this share, between 0 and 1: what cannot be reclaimed of the limit, or what is promised of what there may be.
    pub above: f64,
    /// So long it must hold first.
    #[serde(rename = "for")]
    pub hold: String,
    /// So long it goes on after that.
    pub keep_firing_for: String,
}

/// How long an alert waits and goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// So long it must hold first.
    #[serde(rename = "for")]
    pub hold: String,
    /// So long it goes on after that.
    pub keep_firing_for: String,
}

/// When memory is said to leak: see [`crate::recording`] for what each goes by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Leak {
    /// The limit is so near, in hours, by what has grown for four hours.
    pub hours: f64,
    /// The same, for containers that have run for more than a day, and are above all that they used in it.
    pub hours_new_ground: f64,
    /// By what has grown for an hour and a half.
    pub minutes: f64,
    /// By what is more than at the same time yesterday.
    pub days: f64,
    /// So long it must hold first.
    #[serde(rename = "for")]
    pub hold: String,
    /// So long it goes on after that.
    pub keep_firing_for: String,
}

/// When a container is said to be under pressure: all three at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pressure {
    /// Share of the time in which all its tasks waited for memory.
    pub stalled_above: f64,
    /// The working set of the limit.
    pub used_above: f64,
    /// Pages a second that were read back after they had been let go.
    pub refaults_above: f64,
    /// Stalls and refaults are rates over this time; at least two scrapes.
    pub within: String,
    /// So long it must hold first.
    #[serde(rename = "for")]
    pub hold: String,
    /// So long it goes on after that.
    pub keep_firing_for: String,
}

/// When a kill for want of memory is told: at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Kills {
    /// Kills of this last time are told; above 0, at most an hour.
    pub within: String,
    /// So long it goes on after that.
    pub keep_firing_for: String,
}

/// When memory for people is said to be short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Capacity {
    /// Reservations were promised memory that is no longer there.
    pub degraded: Timing,
    /// So much of the memory that there may be is promised.
    pub nearly_full: Tier,
}

/// When pods are said not to be scaled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Scaling {
    /// Ahead of the schedule.
    pub ahead: Timing,
    /// A HorizontalPodAutoscaler that cannot.
    pub autoscaler: Timing,
}

/// When a size is said to have been lowered too far: at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sizing {
    /// Kills, and sizes taken back, of this last time are told; above 0.
    pub within: String,
    /// A limit below this share of the highest that it was, between 0 and 1, has been lowered.
    pub lowered_below: f64,
    /// The highest that it was in this last time; above 0.
    pub lowered_within: String,
    /// So long it goes on after that.
    pub keep_firing_for: String,
}

/// When parts of Plimsoll are said to be missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Presence {
    /// One of them is not scraped.
    pub target: Timing,
    /// None is known.
    pub absent: Timing,
}

impl Tier {
    pub(super) fn of(above: f64, hold: &str, keep_firing_for: &str) -> Tier {
        Tier { above, hold: hold.to_string(), keep_firing_for: keep_firing_for.to_string() }
    }
}

impl Timing {
    fn of(hold: &str, keep_firing_for: &str) -> Timing {
        Timing { hold: hold.to_string(), keep_firing_for: keep_firing_for.to_string() }
    }
}

impl Usage {
    /// Each tier by its name, the lowest first.
    pub fn tiers(&self) -> [(&'static str, &Tier); 3] {
        [("warning", &self.warning), ("critical", &self.critical), ("emergency", &self.emergency)]
    }
}

impl Default for Usage {
    fn default() -> Usage {
        Usage {
            warning: Tier::of(0.75, "10m", "5m"),
            critical: Tier::of(0.85, "5m", "5m"),
            emergency: Tier::of(0.95, "1m", "2m"),
        }
    }
}

impl Default for Leak {
    fn default() -> Leak {
        Leak {
            hours: 3.0,
            hours_new_ground: 6.0,
            minutes: 1.3,
            days: 14.0,
            hold: "5m".to_string(),
            keep_firing_for: "30m".to_string(),
        }
    }
}

impl Default for Pressure {
    fn default() -> Pressure {
        Pressure {
            stalled_above: 0.1,
            used_above: 0.9,
            refaults_above: 100.0,
            within: "2m".to_string(),
            hold: "2m".to_string(),
            keep_firing_for: "5m".to_string(),
        }
    }
}

impl Kills {
    /// An agent may have been away so long, and what it counted before is no news when it is back. Kills are looked for no
    /// further back than that.
    pub(crate) const AWAY: &str = "1h";
}

impl Default for Kills {
    fn default() -> Kills {
        Kills { within: "10m".to_string(), keep_firing_for: "10m".to_string() }
    }
}

impl Default for Capacity {
    fn default() -> Capacity {
        Capacity { degraded: Timing::of("1m", "5m"), nearly_full: Tier::of(0.9, "10m", "5m") }
    }
}

impl Default for Scaling {
    fn default() -> Scaling {
        Scaling { ahead: Timing::of("2m", "5m"), autoscaler: Timing::of("10m", "5m") }
    }
}

impl Default for Sizing {
    fn default() -> Sizing {
        Sizing {
            within: "15m".to_string(),
            lowered_below: 0.99,
            lowered_within: "1d".to_string(),
            keep_firing_for: "15m".to_string(),
        }
    }
}

impl Default for Presence {
    fn default() -> Presence {
        Presence { target: Timing::of("5m", "2m"), absent: Timing::of("15m", "2m") }
    }
}
