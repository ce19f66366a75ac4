//! What a container should get, within what its workload, its LimitRanges and the way of the change allow.

use super::Case;
use crate::inventory::qos::Class;
use crate::inventory::quantity::Quantity;
use crate::inventory::{Container, Sizes};
use crate::plan::LeftAloneCode::{self, LimitRange, NoWayBack};
use crate::plan::{ContainerChange, Recommended, Way};
use crate::rollout::with_margin;
use crate::size::{MIB, whole_mib};

/// What is less than this away, in bytes,
const NEAR_BYTES: u64 = 16 * MIB;
/// and less than one part in so many, is right as it is.
const NEAR_PARTS: u128 = 20;

/// So near to what is there, in bytes, that it is no change: less than 16 MiB and less than a twentieth away.
pub fn is_near(there_bytes: u64, wanted_bytes: u64) -> bool {
    let away = there_bytes.abs_diff(wanted_bytes);
    away == 0 || away < NEAR_BYTES && u128::from(away) * NEAR_PARTS < u128::from(there_bytes)
}

/// New sizes of a container.
pub struct Proposal<'a> {
    pub container: &'a Container,
    pub after: Sizes,
    pub floor_bytes: u64,
    pub evidence: &'a str,
    /// Where and why they are not as recommended.
    pub notes: Vec<String>,
}

impl Proposal<'_> {
    /// It comes out so near to what the container has that it is no change.
    pub fn is_near(&self) -> bool {
        let before = &self.container.sizes;
        let limits = match (before.limit_bytes(), self.after.limit_bytes()) {
            (None, None) => true,
            (Some(before), Some(after)) => before >= self.floor_bytes && is_near(before, after),
            _ => false,
        };
        limits && is_near(before.requested_bytes(), self.after.requested_bytes())
    }

    pub fn is_as_before(&self) -> bool {
        self.after.same(&self.container.sizes)
    }

    pub fn into_change(self) -> ContainerChange {
        let notes = self.notes.iter().map(String::as_str);
        ContainerChange {
            name: self.container.name.clone(),
            before: self.container.sizes.clone(),
            after: self.after,
            floor_bytes: self.floor_bytes,
            evidence: std::iter::once(self.evidence).chain(notes).collect::<Vec<_>>().join("; "),
        }
    }
}

/// What a container should get; else why it stays as it is.
pub fn proposal<'a>(
    case: &Case<'a>,
    container: &'a Container,
    recommended: &'a Recommended,
) -> Result<Proposal<'a>, (LeftAloneCode, String)> {
    let before = &container.sizes;
    let has_nothing = before.limit.is_none() && before.request.is_none();
    if has_nothing && case.way == Way::InPlace && case.class != Class::BestEffort {
        let reason = "it has neither request nor limit, and what a running pod is given cannot be taken away again; \
                      plan it as a rollout";
        return Err((NoWayBack, reason.to_string()));
    }
    let floor_bytes = recommended.floor_bytes.max(used_bytes(case, &container.name));
    let mut notes = Vec::new();
    let limit = limit(case, container, recommended, floor_bytes, &mut notes);
    let request = request(case, recommended, limit.as_ref(), &mut notes);
    let (after, moved) =
        case.bounds.fit(Sizes { request: Some(request), limit }, floor_bytes).map_err(|range| {
            let reason = format!(
                "LimitRange '{}' does not allow what it needs, which is at least {}; widen it first",
                range.name,
                in_mib(floor_bytes)
            );
            (LimitRange, reason)
        })?;
    notes.extend(moved);
    let mut proposal =
        Proposal { container, after, floor_bytes, evidence: recommended.evidence.as_str(), notes };
    if proposal.is_near() {
        proposal.after = before.clone();
    }
    Ok(proposal)
}

/// The most that a pod uses now, and what a rollout keeps free above it below a limit that it lowers, in bytes; 0 where that is
/// not known.
fn used_bytes(case: &Case, container: &str) -> u64 {
    let running =
        case.pods.iter().flat_map(|pod| &pod.containers).filter(|running| running.name == container);
    with_margin(running.filter_map(|running| running.used_bytes).max().unwrap_or(0))
}

/// Never below the floor.
fn limit(
    case: &Case,
    container: &Container,
    recommended: &Recommended,
    floor_bytes: u64,
    notes: &mut Vec<String>,
) -> Option<Quantity> {
    let before = container.sizes.limit.as_ref();
    // To most of what runs containers no bytes are no limit.
    let wanted = recommended.limit.as_ref().filter(|limit| limit.bytes() > 0);
    if before.is_none() && wanted.is_some() && case.way == Way::InPlace {
        notes.push("no limit is set: from a running pod it could not be taken away again".to_string());
        return None;
    }
    let limit = wanted.or(before)?;
    if limit.bytes() >= floor_bytes {
        return Some(limit.clone());
    }
    notes.push(format!("the limit is the least that is safe instead of {limit}"));
    Some(in_mib(floor_bytes))
}

/// Never above the limit, and the same where the class of service asks for it.
fn request(
    case: &Case,
    recommended: &Recommended,
    limit: Option<&Quantity>,
    notes: &mut Vec<String>,
) -> Quantity {
    match limit {
        Some(limit) if case.class == Class::Guaranteed && limit.bytes() != recommended.request.bytes() => {
            notes.push("the request equals the limit, so that its class stays Guaranteed".to_string());
            limit.clone()
        }
        Some(limit) if limit.bytes() < recommended.request.bytes() => {
            notes.push("the request is not above the limit".to_string());
            limit.clone()
        }
        _ => recommended.request.clone(),
    }
}

/// Rounded up to whole MiB where there is room for it.
fn in_mib(bytes: u64) -> Quantity {
    Quantity::of_bytes(whole_mib(bytes))
}
