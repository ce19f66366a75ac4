//! What to do about an autoscaler that goes by memory: whether its pods' base lets it come down again ([the
//! law](crate::inventory::autoscaler)), what it costs where not, and what would do instead.
//!
//! The base is what the pod that uses least uses now. At a busy hour part of that is load, and the base is lower than it seems: so
//! it is said where it is from.

#[cfg(test)]
mod tests;
mod words;

use super::Recommended;
use crate::inventory::autoscaler::{Amount, MemoryAutoscaler, MemoryTarget, Rest};
use crate::inventory::{Pod, Sizes, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How it stands with an autoscaler that goes by memory; sizes are of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScalingAdvice {
    /// The HorizontalPodAutoscaler's name.
    pub autoscaler: String,
    /// It goes by this container only; `None` is the whole pod, and so are sizes here.
    pub container: Option<String>,
    /// Its target in hundredths of the request; `None` where it is an amount.
    pub target_percent: Option<u32>,
    /// Its target in bytes; `None` where there is no request that it would be a share of.
    pub target_bytes: Option<u64>,
    /// What the pod that uses least uses now, in bytes; `None` where that is not known.
    pub base_bytes: Option<u64>,
    /// What pods may use, in bytes; `None` for without limit.
    pub limit_bytes: Option<u64>,
    /// Pods it has,
    pub replicas: u32,
    /// has at least,
    pub min_replicas: u32,
    /// and at most.
    pub max_replicas: u32,
    /// Its status says that it would have more than its most.
    pub is_held_at_max: bool,
    /// What it comes to.
    pub outcome: Outcome,
    /// Pods that it has without load, where that is known.
    pub resting_replicas: Option<u32>,
    /// What pods beyond its least request that no load asks for, in bytes; at the most, where its highest load decides.
    pub excess_request_bytes: u64,
    /// The least target that lets it come back to its least, in bytes; see
    /// [`least_target_bytes`](MemoryAutoscaler::least_target_bytes).
    pub least_target_bytes: Option<u64>,
    /// What would come of the sizes that its containers should have.
    pub resized: Option<Resized>,
    /// A query (PromQL) of its load, as an example of what to scale by instead.
    pub example_query: String,
}

/// What an autoscaler comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It goes to its most and stays there, whatever the load.
    PinsMax,
    /// It never takes a pod away: it stays where its highest load has brought it.
    NeverShrinks,
    /// Without load it keeps more than its least.
    RestsAboveMin,
    /// Without load it comes back to its least.
    Follows,
    /// What pods use is not known.
    UseUnknown,
    /// A container has no request that the target could be a share of, and the autoscaler does nothing by it.
    NoRequest,
}

/// What would come of other sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resized {
    /// The request that would be right, in bytes.
    pub request_bytes: u64,
    /// The target that it would make, in bytes.
    pub target_bytes: u64,
    /// What the autoscaler would come to.
    pub outcome: Outcome,
    /// The target to have with it, in bytes: that of now, or the least,
    pub keep_target_bytes: u64,
    /// which is so many hundredths of the new request, rounded up; `None` where the target is an amount.
    pub keep_target_percent: Option<u32>,
}

/// What pods of a workload have and use, as far as a target goes by it; in bytes.
struct Measured {
    /// On average, as the autoscaler has it; `None` where a container has none.
    request: Option<u64>,
    /// Of the pod that uses least.
    base: Option<u64>,
    /// The lowest.
    limit: Option<u64>,
}

/// How it stands with this autoscaler of a workload; of several targets the one that wants most pods counts.
pub fn advice(
    workload: &Workload,
    pods: &[&Pod],
    autoscaler: &MemoryAutoscaler,
    recommended: &BTreeMap<&str, &Recommended>,
) -> Option<ScalingAdvice> {
    let pods: Vec<&Pod> = pods.iter().copied().filter(|pod| !pod.is_leaving).collect();
    let ratio = |target: &MemoryTarget, of: &Measured| target.amount.ratio(of.base?, of.request.unwrap_or(0));
    let all = autoscaler.targets.iter().map(|target| {
        let measured = measure(workload, &pods, target);
        (target, ratio(target, &measured), measured)
    });
    // Where a ratio is not known it is below all others.
    let (target, ratio, of) = all.max_by(|(_, one, _), (_, other, _)| {
        let number = |ratio: &Option<f64>| ratio.unwrap_or(-1.0);
        number(one).total_cmp(&number(other))
    })?;
    let request_bytes = of.request.unwrap_or(0);
    let is_share = matches!(target.amount, Amount::Percent(_));
    let outcome = match (of.request, ratio) {
        (None, _) if is_share => Outcome::NoRequest,
        (_, None) => Outcome::UseUnknown,
        (_, Some(ratio)) => outcome(autoscaler, ratio),
    };
    let (resting_replicas, too_many) = resting(autoscaler, ratio);
    let least_target_bytes = of.base.and_then(|base| autoscaler.least_target_bytes(base));
    let target_bytes = (!is_share || of.request.is_some()).then(|| target.amount.bytes(request_bytes));
    let whole = measure(workload, &pods, &MemoryTarget { container: None, ..target.clone() });
    Some(ScalingAdvice {
        autoscaler: autoscaler.name.clone(),
        container: target.container.clone(),
        target_percent: percent(target.amount),
        target_bytes,
        base_bytes: of.base,
        limit_bytes: of.limit,
        replicas: workload.replicas,
        min_replicas: autoscaler.min_replicas,
        max_replicas: autoscaler.max_replicas,
        is_held_at_max: autoscaler.is_held_at_max,
        outcome,
        resting_replicas,
        excess_request_bytes: whole.request.unwrap_or(0).saturating_mul(u64::from(too_many)),
        least_target_bytes,
        resized: resized(workload, autoscaler, target, &of, recommended),
        example_query: words::query(&workload.id),
    })
}

fn percent(amount: Amount) -> Option<u32> {
    match amount {
        Amount::Percent(percent) => Some(percent),
        Amount::Bytes(_) => None,
    }
}

fn outcome(autoscaler: &MemoryAutoscaler, ratio: f64) -> Outcome {
    match autoscaler.rest(ratio) {
        Rest::AtMost => Outcome::PinsMax,
        Rest::WhereItIs => Outcome::NeverShrinks,
        Rest::At(replicas) if replicas > autoscaler.min_replicas => Outcome::RestsAboveMin,
        Rest::At(_) => Outcome::Follows,
    }
}

/// Pods without load, and how many of them are beyond the least, at the most.
fn resting(autoscaler: &MemoryAutoscaler, ratio: Option<f64>) -> (Option<u32>, u32) {
    let beyond = |replicas: u32| replicas.saturating_sub(autoscaler.min_replicas);
    match ratio.map(|ratio| autoscaler.rest(ratio)) {
        Some(Rest::AtMost) => (Some(autoscaler.max_replicas), beyond(autoscaler.max_replicas)),
        Some(Rest::WhereItIs) => (None, beyond(autoscaler.max_replicas)),
        Some(Rest::At(replicas)) => (Some(replicas), beyond(replicas)),
        None => (None, 0),
    }
}

fn measure(workload: &Workload, pods: &[&Pod], target: &MemoryTarget) -> Measured {
    let template = workload.containers.iter().map(|container| (container.name.as_str(), &container.sizes));
    let of_pod = |pod: &&'_ Pod| {
        let running = pod.containers.iter().filter(|running| target.counts(&running.name));
        running.map(|running| running.desired.clone()).collect()
    };
    let all: Vec<Vec<Sizes>> = match pods {
        [] => {
            vec![template.filter(|(name, _)| target.counts(name)).map(|(_, sizes)| sizes.clone()).collect()]
        }
        pods => pods.iter().map(of_pod).collect(),
    };
    let used = |pod: &&Pod| {
        let running = pod.containers.iter().filter(|running| target.counts(&running.name));
        sum(running.map(|running| running.used_bytes)).filter(|bytes| *bytes > 0)
    };
    Measured {
        request: sum(all.iter().map(|sizes| sum(sizes.iter().map(request))))
            .map(|sum| sum / all.len() as u64),
        base: pods.iter().filter_map(used).min(),
        limit: all.iter().filter_map(|sizes| sum(sizes.iter().map(Sizes::limit_bytes))).min(),
    }
}

/// `None` where one of them is not known, or there are none.
fn sum(all: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let mut all = all.peekable();
    all.peek()?;
    all.try_fold(0u64, |sum, bytes| Some(sum.saturating_add(bytes?)))
}

fn request(sizes: &Sizes) -> Option<u64> {
    Some(sizes.requested_bytes()).filter(|bytes| *bytes > 0)
}

/// Where a size is recommended for a container that the target goes by.
fn resized(
    workload: &Workload,
    autoscaler: &MemoryAutoscaler,
    target: &MemoryTarget,
    of: &Measured,
    recommended: &BTreeMap<&str, &Recommended>,
) -> Option<Resized> {
    let counted = || workload.containers.iter().filter(|container| target.counts(&container.name));
    counted().find(|container| recommended.contains_key(container.name.as_str()))?;
    let requests = counted().map(|container| {
        let wanted = recommended.get(container.name.as_str());
        wanted.map_or(container.sizes.requested_bytes(), |wanted| wanted.request.bytes())
    });
    let request_bytes = requests.fold(0, u64::saturating_add);
    let ratio = of.base.and_then(|base| target.amount.ratio(base, request_bytes));
    let least_bytes = of.base.and_then(|base| autoscaler.least_target_bytes(base)).unwrap_or(0);
    let keep_target_bytes = target.amount.bytes(of.request.unwrap_or(0)).max(least_bytes);
    let share = (u128::from(keep_target_bytes) * 100).div_ceil(u128::from(request_bytes.max(1)));
    let is_share = percent(target.amount).is_some();
    Some(Resized {
        request_bytes,
        target_bytes: target.amount.bytes(request_bytes),
        outcome: ratio.map_or(Outcome::UseUnknown, |ratio| outcome(autoscaler, ratio)),
        keep_target_bytes,
        keep_target_percent: is_share.then(|| u32::try_from(share).unwrap_or(u32::MAX)),
    })
}
