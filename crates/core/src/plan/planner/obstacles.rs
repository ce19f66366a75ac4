//! Who and what stands in the way of a workload's change as a whole, and what somebody should know of one that goes ahead.

use super::{Case, left_alone};
use crate::inventory::autoscaler;
use crate::inventory::qos::Class;
use crate::inventory::{Container, Hand, Workload};
use crate::plan::LeftAloneCode::{self, *};
use crate::plan::scaling::{self, ScalingAdvice};
use crate::plan::{LeftAlone, Recommended, Way};
use std::collections::BTreeMap;

/// What stands in the way, each with what to do instead; none for nothing.
pub fn obstacles(case: &Case, wanted: &BTreeMap<&str, &Recommended>) -> Vec<LeftAlone> {
    let id = &case.workload.id;
    let of_hand = |hand: &Hand| match hand {
        Hand::MemoryAutoscaler(autoscaler) => Some(scaled(case, autoscaler, wanted)),
        other => {
            in_the_way(other, case.class, case.way).map(|(code, reason)| left_alone(id, None, code, reason))
        }
    };
    let mut all: Vec<_> = case.workload.hands.iter().filter_map(of_hand).collect();
    if !case.workload.is_settled {
        let reason = "a rollout is under way, or not all of its pods are ready; plan it when they are";
        all.push(left_alone(id, None, Unsettled, reason));
    }
    all
}

/// Who scales by memory counts with the sizes that are there.
fn scaled(
    case: &Case,
    autoscaler: &autoscaler::MemoryAutoscaler,
    wanted: &BTreeMap<&str, &Recommended>,
) -> LeftAlone {
    let advice = scaling::advice(case.workload, case.pods, autoscaler, wanted);
    let plain = || format!("HorizontalPodAutoscaler '{}' goes by memory", autoscaler.name);
    let reason = advice.as_ref().map_or_else(plain, ScalingAdvice::reason);
    LeftAlone {
        scaling: advice.map(Box::new),
        ..left_alone(&case.workload.id, None, MemoryAutoscaler, reason)
    }
}

/// The others.
fn in_the_way(hand: &Hand, class: Class, way: Way) -> Option<(LeftAloneCode, String)> {
    match hand {
        Hand::VerticalAutoscaler(name) => Some((
            VerticalAutoscaler,
            format!(
                "VerticalPodAutoscaler '{name}' sets its sizes, and would set them back; turn it to Off first"
            ),
        )),
        Hand::MemoryPolicy(name) => Some((
            MemoryPolicy,
            format!(
                "MemoryPolicy '{name}' has its sizes follow use; turn it off, or exclude the workload, first"
            ),
        )),
        Hand::Source(mark) if way == Way::Rollout => Some((
            SourceElsewhere,
            format!(
                "'{mark}' keeps its template, and would set it back; patch it at that source, or change it in place"
            ),
        )),
        Hand::StaticManager(node) if way == Way::InPlace && class == Class::Guaranteed => Some((
            StaticManager,
            format!(
                "the static memory manager of node '{node}' pins its pods, and they cannot be resized while they run; \
                 plan it as a rollout"
            ),
        )),
        Hand::Swap(node) if way == Way::InPlace && class != Class::Guaranteed => Some((
            Swap,
            format!(
                "its pods may swap on node '{node}', and cannot be resized while they run; plan it as a rollout"
            ),
        )),
        Hand::MemoryAutoscaler(_) | Hand::Source(_) | Hand::StaticManager(_) | Hand::Swap(_) => None,
    }
}

/// What somebody should know before these containers are changed.
pub fn warnings(workload: &Workload, changed: &[&Container], way: Way, wished: Option<Way>) -> Vec<String> {
    let mut all = Vec::new();
    if way == Way::Rollout && wished == Some(Way::InPlace) {
        all.push(
            "the server cannot size pods in place, so the template is changed and its pods are replaced"
                .to_string(),
        );
    }
    for hand in &workload.hands {
        if let (Hand::Source(mark), Way::InPlace) = (hand, way) {
            all.push(format!("'{mark}' keeps its template, which stays as it is: only pods are sized"));
        }
    }
    for container in changed {
        let name = &container.name;
        if way == Way::InPlace && container.restarts_on_resize {
            all.push(format!("container '{name}' starts anew when it is resized: its resizePolicy says so"));
        }
        if !container.fixed_bounds.is_empty() {
            let bounds = container.fixed_bounds.join(", ");
            all.push(format!("container '{name}' bounds itself by {bounds}, which does not follow its size"));
        }
    }
    all
}
