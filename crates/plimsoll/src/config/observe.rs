//! `capacity.observe` in `plimsoll.yaml`: where it is seen what the app uses.

use super::file::Span;
use plimsoll_core::capacity::observing::Names;
use plimsoll_core::capacity::roles::Role;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// Pods that are asked by one.
const TARGETS_MAX: usize = 200;
const EVERY: Duration = Duration::from_secs(30);
/// More often than each second is too often, and what is older than five minutes is not what is used now.
const EVERY_SECONDS: (u64, u64) = (1, 300);

/// Where it is seen what the app uses: `scrape` or `prometheus`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ObserveFile {
    /// Pages of metrics, each of a pod, such as http://backend-0.backend:3000/metrics.
    scrape: Vec<String>,
    /// A Prometheus, or what answers its queries, that scrapes the pods.
    prometheus: Option<String>,
    /// Only series of the Prometheus with these labels.
    labels: BTreeMap<String, String>,
    /// How often, such as 30s.
    every: Option<Span>,
    /// A file with the bearer token that is sent.
    token_file: Option<PathBuf>,
    /// Certificates of the authority that is trusted instead of the system's, in PEM.
    ca: Option<PathBuf>,
    /// Which metric means what.
    names: NamesFile,
}

/// Which metric means what; what is left out is called as hyperstudy, prom-client and socket.io-prometheus-metrics have it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct NamesFile {
    /// How many there are of each role: hyperstudy_active_users_online.
    roles: Option<String>,
    /// The label that names the role: role.
    role_label: Option<String>,
    /// The label that says of participants whether they have video: video_enabled.
    video_label: Option<String>,
    /// Roles that are called otherwise there: their name, and the one that reservations have.
    rename: BTreeMap<String, String>,
    /// Resident memory: process_resident_memory_bytes.
    memory: Option<String>,
    /// When the process started: process_start_time_seconds.
    started: Option<String>,
    /// Connections: socket_io_connected.
    connections: Option<String>,
    /// A metric that has the app's version: hyperstudy_app_info.
    version: Option<String>,
    /// The label of it that is the version: version.
    version_label: Option<String>,
    /// The label by which a Prometheus tells pods apart: pod.
    pod_label: Option<String>,
}

/// Where it is seen what the app uses, validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observe {
    /// Whom to ask.
    pub from: Watched,
    /// How often.
    pub every: Duration,
    /// A file with the bearer token that is sent.
    pub token_file: Option<PathBuf>,
    /// Certificates of the authority that is trusted instead of the system's.
    pub ca: Option<PathBuf>,
    /// Which metric means what.
    pub names: Names,
}

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watched {
    /// Pods themselves, by the URLs of their metrics.
    Pods(Vec<String>),
    /// A Prometheus.
    Prometheus {
        /// Its URL.
        url: String,
        /// Labels that the series have.
        labels: BTreeMap<String, String>,
    },
}

impl ObserveFile {
    /// Checks what types cannot say.
    pub(super) fn validate(self) -> Result<Observe, String> {
        let every = self.every.map_or(EVERY, |span| span.0);
        let (least, most) = EVERY_SECONDS;
        if !(least..=most).contains(&every.as_secs()) || every.subsec_nanos() > 0 {
            return Err(format!(
                "capacity.observe.every: {} s is out of range\nuse whole seconds, {least}s to 5m",
                every.as_secs_f64()
            ));
        }
        let from = match (self.scrape, self.prometheus) {
            (pods, None) if !pods.is_empty() => Watched::Pods(targets(pods)?),
            (pods, Some(url)) if pods.is_empty() => Watched::Prometheus { url, labels: named(self.labels)? },
            _ => {
                return Err(
                    "capacity.observe: it takes either scrape or prometheus\nname the metrics of the pods, or the server that scrapes them"
                        .to_string(),
                );
            }
        };
        Ok(Observe { from, every, token_file: self.token_file, ca: self.ca, names: self.names.validate()? })
    }
}

fn targets(pods: Vec<String>) -> Result<Vec<String>, String> {
    if pods.len() > TARGETS_MAX {
        return Err(format!(
            "capacity.observe.scrape: more than {TARGETS_MAX}\nhave a Prometheus scrape them, and name that"
        ));
    }
    let mut seen = BTreeSet::new();
    match pods.iter().find(|url| !seen.insert(url.as_str())) {
        Some(twice) => Err(format!("capacity.observe.scrape: '{twice}' is there twice\nname each pod once")),
        None => Ok(pods),
    }
}

fn named(labels: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    match labels.keys().find(|label| !is_name(label)) {
        Some(label) => Err(format!("capacity.observe.labels: '{label}' is no label\nwrite NAME: value")),
        None => Ok(labels),
    }
}

impl NamesFile {
    fn validate(self) -> Result<Names, String> {
        let names = Names::default();
        let key = "capacity.observe.names";
        let or = |field: &str, given: Option<String>, default: String| match given {
            Some(name) if !is_name(&name) => Err(format!(
                "{key}.{field}: '{name}' is no name of a metric or label\nwrite it as it is served"
            )),
            given => Ok(given.unwrap_or(default)),
        };
        let role = |(name, ours): (String, String)| {
            Ok((name, Role::new(&ours).map_err(|error| format!("{key}.rename: {error}"))?))
        };
        Ok(Names {
            roles: or("roles", self.roles, names.roles)?,
            role_label: or("role_label", self.role_label, names.role_label)?,
            video_label: or("video_label", self.video_label, names.video_label)?,
            rename: self.rename.into_iter().map(role).collect::<Result<_, String>>()?,
            memory: or("memory", self.memory, names.memory)?,
            started: or("started", self.started, names.started)?,
            connections: or("connections", self.connections, names.connections)?,
            version: or("version", self.version, names.version)?,
            version_label: or("version_label", self.version_label, names.version_label)?,
            pod_label: or("pod_label", self.pod_label, names.pod_label)?,
        })
    }
}

/// A metric's, or a label's without the colon.
fn is_name(text: &str) -> bool {
    let is_of_it = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == ':';
    text.starts_with(|first: char| is_of_it(first) && !first.is_ascii_digit()) && text.chars().all(is_of_it)
}
