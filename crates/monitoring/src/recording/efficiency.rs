//! Efficiency: what is used of what is requested. One definition, for a container's namespace and for a cluster: sums first, divided last.

use super::group as named;
use super::promql::Keys;
use crate::names;
use crate::rule::{Group, Rule};
use crate::settings::Settings;

pub(super) fn group(settings: &Settings) -> Group {
    let cluster = &settings.cluster_label;
    let keys = Keys::of(settings);
    // What is asked for by pods that are over, or used by containers that ask for nothing, is left out on both sides.
    let used = format!("{} and on ({}) {}", names::NONRECLAIMABLE, keys.all, names::REQUEST);
    let requested = format!("{} and on ({}) {}", names::REQUEST, keys.all, names::NONRECLAIMABLE);
    named(
        settings,
        "efficiency",
        vec![
            Rule::record(names::NAMESPACE_USED, format!("sum by ({cluster}, namespace) ({used})")),
            Rule::record(names::NAMESPACE_REQUESTED, format!("sum by ({cluster}, namespace) ({requested})")),
            Rule::record(
                names::NAMESPACE_EFFICIENCY,
                format!(
                    "{} / on ({cluster}, namespace) ({} > 0)",
                    names::NAMESPACE_USED,
                    names::NAMESPACE_REQUESTED
                ),
            ),
            Rule::record(names::CLUSTER_USED, format!("sum by ({cluster}) ({})", names::NAMESPACE_USED)),
            Rule::record(
                names::CLUSTER_REQUESTED,
                format!("sum by ({cluster}) ({})", names::NAMESPACE_REQUESTED),
            ),
            Rule::record(
                names::CLUSTER_EFFICIENCY,
                format!("{} / on ({cluster}) ({} > 0)", names::CLUSTER_USED, names::CLUSTER_REQUESTED),
            ),
        ],
    )
}
