//! `capacity` in `plimsoll.yaml`: what `plimsoll serve` may promise.

use super::ahead::{Ahead, AheadFile, all_differ};
use super::file::{Size, Span, within};
use super::observe::{Observe, ObserveFile};
use plimsoll_core::capacity::booking::admit::{Quota, Quotas};
use plimsoll_core::capacity::booking::demand::Risk;
use plimsoll_core::capacity::booking::price::{Money, PriceSheet};
use plimsoll_core::capacity::booking::span::Margins;
use plimsoll_core::capacity::booking::supply::Nodes;
use plimsoll_core::capacity::formula::plain::Formula;
use plimsoll_core::capacity::roles::Role;
use plimsoll_core::size::{GIB, MIB};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Pods that the plan of the second team begins and ends with (its HorizontalPodAutoscaler).
const PODS: (u32, u32) = (2, 10);

/// What may be promised: pods of one app, and what people take in them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CapacityFile {
    /// Memory limit of one pod, such as 512Mi.
    pod_limit: Option<Size>,
    /// Rooms in one pod, at most.
    pod_rooms: Option<u64>,
    /// People in one pod, at most.
    pod_participants: Option<u64>,
    /// Where pods run; one place with 2 to 10 pods if it is left out.
    regions: Vec<RegionFile>,
    /// What one of a role takes in MB (10^6 bytes), over the published values.
    role_mb: BTreeMap<String, f64>,
    /// What a pod takes with nobody in it, in MB.
    base_mb: Option<f64>,
    /// The chance that somebody of a role shows up, 0 to 1.
    show_up: BTreeMap<String, f64>,
    /// The chance to be short of memory that is taken, 0.000001 to 0.5.
    risk: Option<f64>,
    /// How long before its start a reservation holds capacity, such as 30m.
    lead: Option<Span>,
    /// How long after its end.
    tail: Option<Span>,
    /// Days ahead that may be reserved.
    #[schemars(range(min = 1, max = 1000))]
    horizon_days: Option<u32>,
    /// Reservations of one owner that hold capacity at the same moment, at most.
    per_owner: Option<u32>,
    /// What a node costs.
    node_price: Option<PriceFile>,
    /// By what pods are ready before people come; a region may say otherwise.
    ahead: AheadFile,
    /// Where it is seen what the app uses.
    observe: Option<ObserveFile>,
}

/// One place where pods run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RegionFile {
    /// What it is called.
    name: String,
    /// Pods now.
    pods: Option<u32>,
    /// Pods it may be scaled to.
    most_pods: Option<u32>,
    /// Nodes now; without, nodes do not limit pods.
    nodes: Option<u32>,
    /// Nodes it may be scaled to.
    most_nodes: Option<u32>,
    /// Memory of one node for these pods.
    node_memory: Option<Size>,
    /// By what its pods are ready before people come, over what is said for all.
    ahead: AheadFile,
}

/// What a node costs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    /// For an hour, as text: "0.0893".
    hourly: String,
    /// Its memory.
    memory: Size,
    /// Hours of a month after which it is free.
    monthly_cap_hours: Option<u32>,
    /// ISO 4217; USD if it is left out.
    currency: Option<String>,
}

/// What may be promised, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// Memory limit of one pod, in bytes.
    pub pod_limit_bytes: u64,
    /// Rooms in one pod, at most.
    pub pod_rooms: Option<u64>,
    /// People in one pod, at most.
    pub pod_participants: Option<u64>,
    /// Where pods run, at least one place.
    pub regions: Vec<Region>,
    /// What people take, before anything was observed.
    pub formula: Formula,
    /// The chance that somebody of a role shows up.
    pub show_up: BTreeMap<Role, f64>,
    /// The chance to be short of memory, where a request does not say.
    pub risk: Risk,
    /// Lead and tail, where a request does not say.
    pub margins: Margins,
    /// What owners may have.
    pub quotas: Quotas,
    /// What a node costs.
    pub price: PriceSheet,
    /// Where it is seen what the app uses.
    pub observe: Option<Observe>,
}

/// One place where pods run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// What it is called; empty where there is one only.
    pub name: String,
    /// Pods now, and at most.
    pub pods: (u32, u32),
    /// Its nodes; without, they do not limit pods.
    pub nodes: Option<Nodes>,
    /// How it is scaled ahead of the schedule.
    pub ahead: Ahead,
}

impl Default for Capacity {
    fn default() -> Capacity {
        Capacity {
            pod_limit_bytes: 512 * MIB,
            pod_rooms: None,
            pod_participants: None,
            regions: vec![Region {
                name: String::new(),
                pods: PODS,
                nodes: None,
                ahead: Ahead { dry_run: true, least_pods: PODS.0, scaler: None },
            }],
            formula: Formula::backend(),
            show_up: BTreeMap::new(),
            risk: Risk::DEFAULT,
            margins: Margins::default(),
            quotas: Quotas::default(),
            price: PriceSheet::default(),
            observe: None,
        }
    }
}

impl CapacityFile {
    /// Checks what types cannot say.
    pub(super) fn validate(self) -> Result<Capacity, String> {
        within("capacity.horizon_days", self.horizon_days, 1, 1000)?;
        let default = Capacity::default();
        let mut formula = default.formula;
        for (role, mb) in roles("capacity.role_mb", self.role_mb, 0.0, 1_000_000.0)? {
            formula.roles_mb.insert(role, mb);
        }
        formula.base_mb = match self.base_mb {
            Some(mb) if !(0.0..=1_000_000.0).contains(&mb) => {
                return Err(format!("capacity.base_mb: {mb} is out of range\nuse 0 to 1000000"));
            }
            mb => mb.unwrap_or(formula.base_mb),
        };
        let pod_limit_bytes = self.pod_limit.map_or(default.pod_limit_bytes, |size| size.0);
        if pod_limit_bytes as f64 <= formula.base_mb * 1e6 {
            return Err(format!(
                "capacity.pod_limit: {} MiB are not more than the {} MB that a pod takes with nobody in it\nraise it",
                pod_limit_bytes / MIB,
                formula.base_mb
            ));
        }
        let risk = self.risk.map(Risk::try_from).transpose();
        let risk = risk.map_err(|error| format!("capacity.risk: {error}"))?.unwrap_or(default.risk);
        let ms = |span: Option<Span>, or: i64| span.map_or(or, |span| span.0.as_millis() as i64);
        let margins = Margins {
            lead_ms: ms(self.lead, default.margins.lead_ms),
            tail_ms: ms(self.tail, default.margins.tail_ms),
        };
        let quota = Quota {
            concurrent: self.per_owner,
            horizon_days: self.horizon_days.unwrap_or(Quota::default().horizon_days),
            ..Quota::default()
        };
        Ok(Capacity {
            pod_limit_bytes,
            pod_rooms: self.pod_rooms,
            pod_participants: self.pod_participants,
            regions: regions(self.regions, &self.ahead)?,
            formula,
            show_up: roles("capacity.show_up", self.show_up, 0.0, 1.0)?,
            risk,
            margins,
            quotas: Quotas { default: quota, ..Quotas::default() },
            price: self.node_price.map(PriceFile::validate).transpose()?.unwrap_or(default.price),
            observe: self.observe.map(ObserveFile::validate).transpose()?,
        })
    }
}

impl PriceFile {
    fn validate(self) -> Result<PriceSheet, String> {
        let hourly =
            Money::try_from(self.hourly).map_err(|error| format!("capacity.node_price.hourly: {error}"))?;
        Ok(PriceSheet {
            provider: String::new(),
            memory_bytes: self.memory.0,
            hourly,
            monthly_cap_hours: self.monthly_cap_hours,
            currency: self.currency.unwrap_or(PriceSheet::default().currency),
            ..PriceSheet::default()
        })
    }
}

/// One without a name where none is given.
fn regions(mut files: Vec<RegionFile>, ahead: &AheadFile) -> Result<Vec<Region>, String> {
    if files.is_empty() {
        files.push(RegionFile::default());
    }
    let mut found: Vec<Region> = Vec::new();
    for (index, file) in files.into_iter().enumerate() {
        let key = format!("capacity.regions[{index}]");
        let pods = (file.pods.unwrap_or(PODS.0), file.most_pods.or(file.pods).unwrap_or(PODS.1));
        within(&format!("{key}.pods"), Some(pods.0), 0, pods.1)?;
        within(&format!("{key}.most_pods"), Some(pods.1), 1, 1000)?;
        if found.iter().any(|other| other.name == file.name) {
            return Err(format!(
                "{key}.name: '{}' is there twice\ngive each region a name of its own",
                file.name
            ));
        }
        let nodes = file.nodes.map(|now| Nodes {
            now,
            most: file.most_nodes.unwrap_or(now).max(now),
            bytes: file.node_memory.map_or(3 * GIB, |size| size.0),
        });
        let ahead = ahead.in_region(&format!("{key}.ahead"), &file.ahead, pods)?;
        found.push(Region { name: file.name, pods, nodes, ahead });
    }
    all_differ(&found)?;
    Ok(found)
}

fn roles(
    key: &str,
    named: BTreeMap<String, f64>,
    least: f64,
    most: f64,
) -> Result<BTreeMap<Role, f64>, String> {
    let role = |(name, value): (String, f64)| {
        let role = Role::new(&name).map_err(|error| format!("{key}: {error}"))?;
        if (least..=most).contains(&value) {
            Ok((role, value))
        } else {
            Err(format!("{key}.{name}: {value} is out of range\nuse {least} to {most}"))
        }
    };
    named.into_iter().map(role).collect()
}
