//! What people set: whose series are whose, when an alert fires, what memory costs.

mod alerts;
mod check;
mod duration;

pub use alerts::{Capacity, Kills, Leak, Presence, Pressure, Scaling, Sizing, Tier, Timing, Usage};
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
    /// When kills for want of memory are told.
    pub kills: Kills,
    /// When memory for people is said to be short.
    pub capacity: Capacity,
    /// When pods are said not to be scaled.
    pub scaling: Scaling,
    /// When sizes are said to be too small.
    pub sizing: Sizing,
    /// When parts of Plimsoll are said to be missing.
    pub presence: Presence,
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
            kills: Kills::default(),
            capacity: Capacity::default(),
            scaling: Scaling::default(),
            sizing: Sizing::default(),
            presence: Presence::default(),
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

impl Default for Cost {
    fn default() -> Cost {
        // Four nodes of 240 a month; memory at what OpenCost takes for it without a cloud's prices: custom.json, RAM.
        Cost { node_month: 60.0, memory_gib_hour: 0.004237, currency: Currency::default() }
    }
}
