//! What people set: whose series are whose, when an alert fires, what memory costs.

mod check;

pub use check::SettingsError;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is set; everything has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The label that tells clusters apart; it is in every `by`, and may be empty everywhere.
    pub cluster_label: String,
    /// Whose series are whose.
    pub selectors: Selectors,
    /// Tiers of memory in use.
    pub usage: Usage,
    /// Tiers for containers of builds, which live for minutes.
    pub builds: Usage,
    /// When memory is said to leak.
    pub leak: Leak,
    /// When containers are said to be under pressure.
    pub pressure: Pressure,
    /// What memory costs.
    pub cost: Cost,
    /// Where runbooks are; the alert's name in lower case and `.md` are put after it.
    pub runbooks_url: String,
    /// Labels that all alerts get, a team's for instance.
    pub labels: std::collections::BTreeMap<String, String>,
    /// How often rules are evaluated; those that say when memory leaks count on one minute or less.
    pub interval: String,
}

/// Label matchers, as they stand between braces; empty for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Selectors {
    /// Of `plimsoll agent`.
    pub agent: String,
    /// Of `plimsoll serve`.
    pub service: String,
    /// Of `plimsoll controller`.
    pub controller: String,
    /// Which of ours are to be up.
    pub ours: String,
    /// Of cAdvisor in the kubelet, for nodes without an agent.
    pub cadvisor: String,
    /// Of kube-state-metrics.
    pub kube_state_metrics: String,
    /// Of node_exporter.
    pub node_exporter: String,
    /// Of what tells the price of nodes (OpenCost).
    pub prices: String,
    /// Pods of GitLab's runners and of their jobs.
    pub runner_pods: String,
    /// Containers that alerts are about.
    pub containers: String,
}

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
    /// Non-reclaimable memory of the limit, 0 to 1.
    pub above: f64,
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
    /// So long it must hold first.
    #[serde(rename = "for")]
    pub hold: String,
    /// So long it goes on after that.
    pub keep_firing_for: String,
}

/// What memory costs, where nobody tells (OpenCost's `node_total_hourly_cost` and `node_ram_hourly_cost` count first).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cost {
    /// A node, in money per month of 730 hours.
    pub node_month: f64,
    /// A GiB of memory, in money per hour.
    pub memory_gib_hour: f64,
    /// What money that is, on dashboards; OpenCost's prices are taken as they are.
    pub currency: Currency,
}

/// Money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// US dollars, which OpenCost reckons in by default.
    #[default]
    Usd,
    /// Euros.
    Eur,
    /// Pounds sterling.
    Gbp,
    /// Swiss francs.
    Chf,
    /// Yen.
    Jpy,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            cluster_label: "cluster".to_string(),
            selectors: Selectors::default(),
            usage: Usage::default(),
            builds: Usage {
                warning: Tier::of(0.75, "2m", "2m"),
                critical: Tier::of(0.85, "1m", "2m"),
                emergency: Tier::of(0.95, "15s", "2m"),
            },
            leak: Leak::default(),
            pressure: Pressure::default(),
            cost: Cost::default(),
            runbooks_url: "https://github.com/plimsoll-dev/plimsoll/blob/main/docs/runbooks/".to_string(),
            labels: std::collections::BTreeMap::new(),
            interval: "1m".to_string(),
        }
    }
}

impl Default for Selectors {
    fn default() -> Selectors {
        let own = |text: &str| text.to_string();
        Selectors {
            agent: own(""),
            service: own(""),
            controller: own(""),
            ours: own(r#"job=~"(.+/)?plimsoll(-.+)?""#),
            cadvisor: own(r#"job="kubelet",metrics_path="/metrics/cadvisor""#),
            kube_state_metrics: own(r#"job="kube-state-metrics""#),
            node_exporter: own(r#"job="node-exporter""#),
            prices: own(""),
            runner_pods: own(r#"pod=~"(.+-)?runner-.+""#),
            containers: own(""),
        }
    }
}

impl Tier {
    fn of(above: f64, hold: &str, keep_firing_for: &str) -> Tier {
        Tier { above, hold: hold.to_string(), keep_firing_for: keep_firing_for.to_string() }
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
            hold: "2m".to_string(),
            keep_firing_for: "5m".to_string(),
        }
    }
}

impl Default for Cost {
    fn default() -> Cost {
        // Four nodes of 240 a month; memory at what OpenCost takes for it without a cloud's prices: custom.json, RAM.
        Cost { node_month: 60.0, memory_gib_hour: 0.004237, currency: Currency::default() }
    }
}
