//! Workloads: which containers there are, what they have used, what they request and are limited to, and what was killed.
//!
//! A namespace is read at a time, four at once: who owns its pods, the sizes of the last hour, then two weeks of use, each
//! sample folded into a [profile](plimsoll_core::rightsize::profile) as it comes.

mod kills;
mod latest;
mod merged;
pub mod names;
mod namespace;
mod owners;
mod review;
mod usage;

use super::{HistoryError, Range, Reader, Selector};
use merged::Merged;
use namespace::Namespace;
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::rightsize::answer::{Container, Id};
use std::collections::BTreeSet;

pub use review::{Review, review};

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
