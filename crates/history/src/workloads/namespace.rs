//! A namespace: its containers with what they used, request and are limited to, and its kills.

use super::kills::Kills;
use super::latest::Latest;
use super::owners::{Owners, Workload};
use super::usage::{Usage, Used};
use super::{Found, Question, names, used};
use crate::{HistoryError, Labels, Range, Reader, Selector};
use plimsoll_core::rightsize::answer::Container;
use plimsoll_core::sizing::{HOUR_MS, OomKill};
use std::collections::HashSet;

/// The sizes of now are those of the last two hours, in milliseconds.
const NOW_MS: i64 = 2 * HOUR_MS;

/// A namespace of those that are asked for.
pub(super) struct Namespace<'a> {
    pub(super) reader: &'a Reader,
    pub(super) question: &'a Question,
    pub(super) name: &'a str,
}

impl Namespace<'_> {
    pub(super) fn read(&self) -> Result<Found, HistoryError> {
        let owners = self.owners()?;
        let mut found = Found::default();
        let mut usage = Usage::new(&owners, self.name, self.question.range);
        let selectors =
            [names::WORKING_SET, names::RSS].map(|metric| used(metric).equal("namespace", self.name));
        self.reader.read(&selectors, self.question.range, &mut usage)?;
        let labelled = self.labelled()?;
        let mut all: Vec<Used> =
            usage.finish().into_iter().filter(|used| used.id.container != "POD").collect();
        if let Some(labelled) = &labelled {
            all.retain(|used| !used.pods.is_disjoint(labelled));
        }
        self.add_kills(&mut all, &owners)?;
        let sizes = self.sizes()?;
        let scaled = self.scaled_by_memory()?;
        let starting = self.init_containers()?;
        for used in all {
            if used.pods.is_empty() {
                found.skipped.push((used.id, "no pod of it runs any more".into()));
            } else if scaled.contains(&(used.id.kind.clone(), used.id.workload.clone())) {
                let why =
                    "a horizontal autoscaler scales it by memory: another request would change its replicas";
                found.skipped.push((used.id, why.into()));
            } else if used.pods.iter().any(|pod| starting.contains(&(pod.clone(), used.id.container.clone())))
            {
                let why =
                    "an init container or native sidecar: it is sized where the pod's initContainers are";
                found.skipped.push((used.id, why.into()));
            } else {
                found.containers.push(sized(used, &sizes));
            }
        }
        found.remarks = self.remarks(&owners, &sizes, &found);
        Ok(found)
    }

    pub(super) fn of(&self, metric: &str) -> Selector {
        Selector::metric(metric).equal("namespace", self.name)
    }

    pub(super) fn labels(&self, selector: Selector) -> Result<Vec<Labels>, HistoryError> {
        self.reader.labels(&[selector], self.question.range)
    }

    pub(super) fn owners(&self) -> Result<Owners, HistoryError> {
        let of = |metric: &str| self.labels(self.of(metric));
        Ok(Owners::new(&of(names::POD_OWNER)?, &of(names::REPLICASET_OWNER)?, &of(names::JOB_OWNER)?))
    }

    /// Pods with the labels that were asked for; `None` where none were.
    pub(super) fn labelled(&self) -> Result<Option<HashSet<String>>, HistoryError> {
        if self.question.labels.is_empty() {
            return Ok(None);
        }
        let mut selector = self.of(names::POD_LABELS);
        for (label, value) in &self.question.labels {
            selector = selector.equal(&format!("label_{}", as_label(label)), value);
        }
        let pods = self.labels(selector)?;
        Ok(Some(pods.iter().map(|labels| labels.get("pod").to_string()).collect()))
    }

    fn sizes(&self) -> Result<Latest, HistoryError> {
        let memory = |metric: &str| self.of(metric).equal("resource", "memory");
        let mut selectors =
            [names::SPEC_REQUESTS, names::SPEC_LIMITS, names::STATUS_REQUESTS, names::STATUS_LIMITS]
                .map(memory)
                .to_vec();
        selectors.push(self.of(names::CGROUP_LIMIT).present("container"));
        let to_ms = self.question.range.to_ms;
        let mut latest = Latest::default();
        self.reader.read(&selectors, Range { from_ms: to_ms - NOW_MS, to_ms }, &mut latest)?;
        Ok(latest)
    }

    /// Kills with the workload and container; only a namespace in which something was killed is looked at more closely.
    pub(super) fn kills(&self, owners: &Owners) -> Result<Vec<(Workload, String, OomKill)>, HistoryError> {
        let reason = self.of(names::LAST_ENDED).equal("reason", "OOMKilled");
        if self.labels(reason.clone())?.is_empty() {
            return Ok(Vec::new());
        }
        let limits = self.of(names::SPEC_LIMITS).equal("resource", "memory");
        let mut kills = Kills::default();
        self.reader.read(&[reason, self.of(names::RESTARTS), limits], self.question.range, &mut kills)?;
        let known = kills.all().into_iter().filter_map(|kill| {
            let limit_bytes = kill.limit_bytes?;
            let oom_kill = OomKill { at_ms: kill.at_ms, limit_bytes, request_bytes: limit_bytes };
            Some((owners.of(&kill.pod), kill.container, oom_kill))
        });
        Ok(known.collect())
    }

    fn add_kills(&self, all: &mut [Used], owners: &Owners) -> Result<(), HistoryError> {
        for (workload, container, kill) in self.kills(owners)? {
            let is_of = |used: &&mut Used| {
                (&used.id.kind, &used.id.workload, &used.id.container)
                    == (&workload.kind, &workload.name, &container)
            };
            if let Some(used) = all.iter_mut().find(is_of) {
                used.profile.oom_kills.push(kill);
            }
        }
        Ok(())
    }

    /// Pod and container.
    fn init_containers(&self) -> Result<HashSet<(String, String)>, HistoryError> {
        let labels = self.labels(self.of(names::INIT_CONTAINERS))?;
        Ok(labels.iter().map(|one| (one.get("pod").to_string(), one.get("container").to_string())).collect())
    }

    fn scaled_by_memory(&self) -> Result<HashSet<(String, String)>, HistoryError> {
        let by_memory = self.labels(self.of(names::HPA_METRIC).equal("metric_name", "memory"))?;
        if by_memory.is_empty() {
            return Ok(HashSet::new());
        }
        const NAME: &str = "horizontalpodautoscaler";
        let scalers: HashSet<&str> = by_memory.iter().map(|labels| labels.get(NAME)).collect();
        let targets = self.labels(self.of(names::HPA_TARGET))?;
        let scaled = targets.iter().filter(|labels| scalers.contains(labels.get(NAME)));
        let target = |labels: &Labels| {
            (labels.get("scaletargetref_kind").to_string(), labels.get("scaletargetref_name").to_string())
        };
        Ok(scaled.map(target).collect())
    }

    fn remarks(&self, owners: &Owners, sizes: &Latest, found: &Found) -> Vec<String> {
        let mut remarks = Vec::new();
        if owners.is_empty() {
            remarks.push(format!(
                "{} is not there for namespace {}: workloads are guessed from the names of pods",
                names::POD_OWNER,
                self.name
            ));
        }
        if sizes.is_empty() {
            remarks.push(format!(
                "{} is not there for namespace {}: what is requested now is not known",
                names::SPEC_REQUESTS,
                self.name
            ));
        }
        if !found.containers.is_empty()
            && found.containers.iter().all(|one| one.profile.non_reclaimable_bytes.is_none())
        {
            remarks.push(format!(
                "{} is not there for namespace {}: page cache cannot be told from what programs hold",
                names::RSS,
                self.name
            ));
        }
        remarks
    }
}

/// What runs comes before what was wished for: the cgroup's limit and the pod's status before its specification.
fn sized(used: Used, sizes: &Latest) -> Container {
    let first = |metrics: &[&str]| {
        metrics.iter().find_map(|metric| sizes.highest(metric, used.pods.iter(), &used.id.container))
    };
    Container {
        request_bytes: first(&[names::STATUS_REQUESTS, names::SPEC_REQUESTS]),
        limit_bytes: first(&[names::STATUS_LIMITS, names::CGROUP_LIMIT, names::SPEC_LIMITS]),
        pods: used.pods.len() as u32,
        id: used.id,
        profile: used.profile,
    }
}

/// A Kubernetes label as kube-state-metrics writes it.
fn as_label(name: &str) -> String {
    name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect()
}
