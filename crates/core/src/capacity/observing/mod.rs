//! Observing: what the metrics of a pod say about who is in it and what it uses.
//!
//! [`exposition`] reads the text that a process shows of itself; here it is said which of its metrics means what. Samples that a
//! Prometheus has collected go the same way.

pub mod exposition;

use super::formula::observation::Observation;
use super::roles::{Counts, Role, RoleError};
use exposition::Sample;
use std::collections::{BTreeMap, BTreeSet};

/// The role that is split by whether their video is on.
const SPLIT: &str = "participant";
const VERSION_UNKNOWN: &str = "unknown";

/// Which metric means what. Several series of one are summed, as of the processes of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// How many there are of each role.
    pub roles: String,
    /// The label of it that names the role.
    pub role_label: String,
    /// The label of it that says of participants whether their video is on: `true` or `false`.
    pub video_label: String,
    /// Roles that are called otherwise there: their name, and ours.
    pub rename: BTreeMap<String, Role>,
    /// Resident memory, in bytes.
    pub memory: String,
    /// When the process started, in seconds since 1970.
    pub started: String,
    /// Connections it holds.
    pub connections: String,
    /// A metric that has the app's version.
    pub version: String,
    /// The label of it that is the version.
    pub version_label: String,
    /// The label by which a Prometheus tells pods apart.
    pub pod_label: String,
}

impl Default for Names {
    /// As the second team's plan, Node's prom-client and socket.io-prometheus-metrics call them.
    fn default() -> Names {
        Names {
            roles: "hyperstudy_active_users_online".to_string(),
            role_label: "role".to_string(),
            video_label: "video_enabled".to_string(),
            rename: BTreeMap::new(),
            memory: "process_resident_memory_bytes".to_string(),
            started: "process_start_time_seconds".to_string(),
            connections: "socket_io_connected".to_string(),
            version: "hyperstudy_app_info".to_string(),
            version_label: "version".to_string(),
            pod_label: "pod".to_string(),
        }
    }
}

impl Names {
    /// The metrics that are looked at.
    pub fn metrics(&self) -> [&str; 5] {
        [&self.roles, &self.memory, &self.started, &self.connections, &self.version]
    }
}

/// Why a look at a pod is no observation. The next one may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Nobody says who is there.
    #[error("there is no {0}: who is there is not known")]
    Roles(String),
    /// A role that this process has shown before is not there; that is not the same as nobody.
    #[error("{metric} has no {role} any more: a role that nobody has is to be shown as 0")]
    Gone {
        /// Which metric.
        metric: String,
        /// Which role.
        role: Role,
    },
    /// A series without the label that names its role.
    #[error("{metric}: a series without the label {label}")]
    Unnamed {
        /// Which metric.
        metric: String,
        /// Which label.
        label: String,
    },
    /// A count that is none.
    #[error("{metric} of {role} is {value}: not a number of people")]
    NoCount {
        /// Which metric.
        metric: String,
        /// Which role.
        role: String,
        /// What it is.
        value: String,
    },
    /// A role that cannot be one.
    #[error("{metric}: {}", .error.to_string().replace('\n', "; "))]
    NoRole {
        /// Which metric.
        metric: String,
        /// What is wrong with it.
        error: RoleError,
    },
    /// A value that no process has.
    #[error("{0}: {1}")]
    Nonsense(&'static str, String),
}

/// What a pod has shown before.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    process: Option<(String, Option<i64>)>,
    roles: BTreeSet<Role>,
}

impl Shown {
    /// What its metrics say, at a moment in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Missing`]; then nothing is known of this moment, which is not the same as nobody and nothing.
    pub fn observe(
        &mut self,
        names: &Names,
        pod: &str,
        at_ms: i64,
        samples: &[Sample],
    ) -> Result<Observation, Missing> {
        let counts = counts(names, samples)?;
        let of = |metric: &'_ str| {
            let values = samples.iter().filter(|sample| sample.metric == metric).map(|sample| sample.value);
            values.filter(|value| value.is_finite() && *value >= 0.0).collect::<Vec<f64>>()
        };
        let sum =
            |metric: &str| Some(of(metric)).filter(|all| !all.is_empty()).map(|all| all.iter().sum::<f64>());
        // Of several processes the one that started last: what it has not seen begins anew.
        let started_ms =
            of(&names.started).into_iter().reduce(f64::max).map(|seconds| (seconds * 1e3) as i64);
        let version = version(names, samples);
        let process = Some((version.clone(), started_ms));
        if self.process != process {
            *self = Shown { process, roles: BTreeSet::new() };
        }
        if let Some(role) = self.roles.iter().find(|role| counts.iter().all(|(other, _)| other != *role)) {
            return Err(Missing::Gone { metric: names.roles.clone(), role: role.clone() });
        }
        self.roles.extend(counts.iter().map(|(role, _)| role.clone()));
        let observation = Observation {
            at_ms,
            pod: pod.to_string(),
            version,
            memory_bytes: sum(&names.memory).filter(|bytes| *bytes >= 1.0).map(|bytes| bytes as u64),
            counts,
            uptime_ms: started_ms.map(|started_ms| u64::try_from(at_ms - started_ms).unwrap_or(0)),
            connections: sum(&names.connections).map(|count| count as u64),
        };
        observation.check().map_err(|(field, reason)| Missing::Nonsense(field, reason))?;
        Ok(observation)
    }
}

fn counts(names: &Names, samples: &[Sample]) -> Result<Counts, Missing> {
    let metric = || names.roles.clone();
    let mut counts: BTreeMap<Role, u64> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.metric == names.roles) {
        let Some(name) = sample.labels.get(&names.role_label).filter(|name| !name.is_empty()) else {
            return Err(Missing::Unnamed { metric: metric(), label: names.role_label.clone() });
        };
        let video = sample.labels.get(&names.video_label).map_or("", String::as_str);
        let name = split(name, video);
        let role = match names.rename.get(&name) {
            Some(role) => role.clone(),
            None => Role::new(&name).map_err(|error| Missing::NoRole { metric: metric(), error })?,
        };
        let value = sample.value;
        if !(value >= 0.0 && value.fract() == 0.0 && value <= 1e15) {
            return Err(Missing::NoCount { metric: metric(), role: name, value: value.to_string() });
        }
        *counts.entry(role).or_default() += value as u64;
    }
    if counts.is_empty() {
        return Err(Missing::Roles(metric()));
    }
    Counts::new(counts).map_err(|error| Missing::NoRole { metric: metric(), error })
}

/// Participants with and without video are two roles.
fn split(role: &str, video: &str) -> String {
    match (role, video) {
        (SPLIT, "true" | "1" | "yes" | "on") => Role::PARTICIPANT_VIDEO.to_string(),
        (SPLIT, "false" | "0" | "no" | "off") => Role::PARTICIPANT_NO_VIDEO.to_string(),
        _ => role.to_string(),
    }
}

fn version(names: &Names, samples: &[Sample]) -> String {
    let found = samples.iter().find(|sample| sample.metric == names.version && sample.value != 0.0);
    let version =
        found.and_then(|sample| sample.labels.get(&names.version_label)).filter(|it| !it.is_empty());
    version.map_or(VERSION_UNKNOWN.to_string(), Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"# HELP hyperstudy_active_users_online Users online
# TYPE hyperstudy_active_users_online gauge
hyperstudy_active_users_online{role="participant",video_enabled="true"} 12
hyperstudy_active_users_online{role="participant",video_enabled="false"} 0
hyperstudy_active_users_online{role="experimenter",video_enabled="false"} 2
process_resident_memory_bytes 314572800
process_start_time_seconds 1700000000.5
socket_io_connected 14
hyperstudy_app_info{version="1.4.2"} 1
nodejs_version_info{version="v20.1.0"} 1
"#;
    const AT_MS: i64 = 1_700_000_600_000;

    fn look(shown: &mut Shown, names: &Names, page: &str) -> Result<Observation, Missing> {
        let samples = exposition::read(page, |metric| names.metrics().contains(&metric)).unwrap();
        shown.observe(names, "backend-0", AT_MS, &samples)
    }

    #[test]
    fn what_a_page_says() {
        let check = |names: &Names, page: &str, expect: Result<&str, &str>| {
            let found =
                look(&mut Shown::default(), names, page).map(|it| serde_json::to_string(&it).unwrap());
            let found = found.map_err(|error| error.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expect, "{page}");
        };
        let names = Names::default();
        check(
            &names,
            PAGE,
            Ok(
                r#"{"at_ms":1700000600000,"pod":"backend-0","version":"1.4.2","memory_bytes":314572800,"counts":{"experimenter":2,"participant_no_video":0,"participant_video":12},"uptime_ms":599500,"connections":14}"#,
            ),
        );
        // What is not there is not known, and is no 0.
        check(
            &names,
            "hyperstudy_active_users_online{role=\"admin\"} 0\n",
            Ok(r#"{"at_ms":1700000600000,"pod":"backend-0","version":"unknown","counts":{"admin":0}}"#),
        );
        check(
            &names,
            "hyperstudy_active_users_online{role=\"admin\"} 1\nprocess_resident_memory_bytes NaN\n",
            Ok(r#"{"at_ms":1700000600000,"pod":"backend-0","version":"unknown","counts":{"admin":1}}"#),
        );
        let renamed = Names {
            rename: BTreeMap::from([("participant".to_string(), Role::PARTICIPANT_VIDEO)]),
            ..Names::default()
        };
        check(
            &renamed,
            "hyperstudy_active_users_online{role=\"participant\"} 3\n",
            Ok(
                r#"{"at_ms":1700000600000,"pod":"backend-0","version":"unknown","counts":{"participant_video":3}}"#,
            ),
        );
        let nobody = "there is no hyperstudy_active_users_online: who is there is not known";
        check(&names, "process_resident_memory_bytes 1e8\n", Err(nobody));
        check(&names, "", Err(nobody));
        check(
            &names,
            "hyperstudy_active_users_online 3\n",
            Err("hyperstudy_active_users_online: a series without the label role"),
        );
        for value in ["NaN", "-1", "2.5", "+Inf"] {
            let page = format!("hyperstudy_active_users_online{{role=\"admin\"}} {value}\n");
            let found = look(&mut Shown::default(), &names, &page).unwrap_err();
            assert!(matches!(found, Missing::NoCount { .. }), "{value}: {found}");
        }
    }

    #[test]
    fn a_role_that_is_gone_is_not_nobody() {
        let (mut shown, names) = (Shown::default(), Names::default());
        let page = |started: u32, roles: &[&str]| {
            let line = |role: &&str| format!("hyperstudy_active_users_online{{role=\"{role}\"}} 1\n");
            roles.iter().map(line).collect::<String>() + &format!("process_start_time_seconds {started}\n")
        };
        assert!(look(&mut shown, &names, &page(5, &["admin", "experimenter"])).is_ok());
        let gone = look(&mut shown, &names, &page(5, &["admin"])).unwrap_err();
        assert_eq!(gone, Missing::Gone { metric: names.roles.clone(), role: Role::EXPERIMENTER });
        assert!(look(&mut shown, &names, &page(5, &["admin", "experimenter"])).is_ok());
        // Another process has not shown it yet.
        assert!(look(&mut shown, &names, &page(6, &["admin"])).is_ok());
    }
}
