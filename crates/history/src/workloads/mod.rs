//! Workloads: which containers there are, what they have used, what they request and are limited to, and what was killed.
//!
//! A namespace is read at a time, four at once: who owns its pods, the sizes of the last hour, then two weeks of use, each
//! sample folded into a [profile](plimsoll_core::rightsize::profile) as it comes.

mod kills;
mod latest;
mod merged;
pub mod names;
mod owners;
mod review;
mod usage;

use super::{HistoryError, Labels, Range, Reader, Selector};
use kills::Kills;
use latest::Latest;
use merged::Merged;
use owners::{Owners, Workload};
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::rightsize::answer::{Container, Id};
use plimsoll_core::sizing::{HOUR_MS, OomKill};
use std::collections::{BTreeSet, HashSet};
use usage::{Usage, Used};

pub use review::{Review, review};

/// The sizes of now are those of the last two hours, in milliseconds.
const NOW_MS: i64 = 2 * HOUR_MS;
/// Of more containers than this, something is wrong with what was asked.
const CONTAINERS_MAX: usize = 1_000_000;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// These namespaces; all where none is named.
    pub namespaces: Vec<String>,
    /// Only pods with these labels.
    pub labels: Vec<(String, String)>,
    /// From when to when.
    pub range: Range,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// By name.
    pub containers: Vec<Container>,
    /// Containers that are left alone, and why.
    pub skipped: Vec<(Id, String)>,
    /// What could not be known, and what that means.
    pub remarks: Vec<String>,
}

/// Reads all that is asked for; `progress` is told how many namespaces are done, of how many.
pub fn read(
    reader: &Reader,
    question: &Question,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Found, HistoryError> {
    let namespaces = namespaces(reader, question)?;
    let of = |namespace: &String| Namespace { reader, question, name: namespace }.read();
    let parts = reader.each(&namespaces, of, &|done| progress(done, namespaces.len()))?;
    let mut found = Found::default();
    let mut remarks = BTreeSet::new();
    for part in parts {
        found.containers.extend(part.containers);
        found.skipped.extend(part.skipped);
        remarks.extend(part.remarks);
        if found.containers.len() > CONTAINERS_MAX {
            return Err(reader
                .failed("there are more than a million containers", "name the namespaces with --namespace"));
        }
    }
    found.remarks = remarks.into_iter().collect();
    Ok(found)
}

/// The series of all that is asked for, one for each container of each workload: `namespace/workload/container`.
pub fn series(
    reader: &Reader,
    question: &Question,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Packed>, HistoryError> {
    let namespaces = namespaces(reader, question)?;
    let of = |name: &String| {
        let namespace = Namespace { reader, question, name };
        let owners = namespace.owners()?;
        let mut merged = Merged::new(&owners, name);
        reader.read(&[used(names::WORKING_SET).equal("namespace", name)], question.range, &mut merged)?;
        let mut series = merged.finish();
        for (workload, container, kill) in namespace.kills(&owners)? {
            let id = merged::id(name, &workload, &container);
            if let Some(killed) = series.iter_mut().find(|series| series.id == id) {
                killed.oom_kills.push(kill);
            }
        }
        Ok(series)
    };
    let parts = reader.each(&namespaces, of, &|done| progress(done, namespaces.len()))?;
    Ok(parts.into_iter().flatten().collect())
}

fn used(metric: &str) -> Selector {
    Selector::metric(metric).present("container").present("pod")
}

fn namespaces(reader: &Reader, question: &Question) -> Result<Vec<String>, HistoryError> {
    let known = reader.values("namespace", &used(names::WORKING_SET), question.range)?;
    if known.is_empty() {
        return Err(reader.failed(
            &format!(
                "there is no {} with the labels namespace, pod and container in this time",
                names::WORKING_SET
            ),
            "have the kubelet's cAdvisor scraped, or choose another --window or --as-of",
        ));
    }
    if let Some(unknown) = question.namespaces.iter().find(|namespace| !known.contains(*namespace)) {
        let known = known.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(reader.failed(
            &format!("there is no memory of a container in namespace '{unknown}'; there is in {known}"),
            "correct --namespace",
        ));
    }
    let asked =
        |namespace: &String| question.namespaces.is_empty() || question.namespaces.contains(namespace);
    Ok(known.into_iter().filter(asked).collect())
}

struct Namespace<'a> {
    reader: &'a Reader,
    question: &'a Question,
    name: &'a str,
}

impl Namespace<'_> {
    fn read(&self) -> Result<Found, HistoryError> {
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

    fn of(&self, metric: &str) -> Selector {
        Selector::metric(metric).equal("namespace", self.name)
    }

    fn labels(&self, selector: Selector) -> Result<Vec<Labels>, HistoryError> {
        self.reader.labels(&[selector], self.question.range)
    }

    fn owners(&self) -> Result<Owners, HistoryError> {
        let of = |metric: &str| self.labels(self.of(metric));
        Ok(Owners::new(&of(names::POD_OWNER)?, &of(names::REPLICASET_OWNER)?, &of(names::JOB_OWNER)?))
    }

    /// Pods with the labels that were asked for; `None` where none were.
    fn labelled(&self) -> Result<Option<HashSet<String>>, HistoryError> {
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
    fn kills(&self, owners: &Owners) -> Result<Vec<(Workload, String, OomKill)>, HistoryError> {
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
