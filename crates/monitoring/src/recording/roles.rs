//! Memory by role of user, as `plimsoll serve` knows it: sums and counts are recorded, and divided last. All replicas of the
//! service tell the same, so the most of what they tell is taken, never the sum.

use super::group as named;
use super::promql::with;
use crate::names;
use crate::rule::{Group, Rule};
use crate::settings::Settings;

/// Roles of those who take part, however.
const PARTICIPANTS: &str = r#"role=~"participant.*""#;

pub(super) fn group(settings: &Settings) -> Group {
    let cluster = &settings.cluster_label;
    let service = &settings.selectors.service;
    let of = |metric: &str| with(metric, service);
    let by_role = |metric: &str| format!("max by ({cluster}, role) ({})", of(metric));
    let whole = |metric: &str| format!("max by ({cluster}) ({})", of(metric));
    let participants = |name: &str| format!("sum by ({cluster}) ({name}{{{PARTICIPANTS}}})");
    named(
        settings,
        "roles",
        vec![
            Rule::record(names::ROLE_PEOPLE, by_role("plimsoll_capacity_people")),
            Rule::record(
                names::ROLE_MEMORY,
                format!(
                    "{} * on ({cluster}, role) {}",
                    names::ROLE_PEOPLE,
                    by_role("plimsoll_capacity_profile_role_bytes")
                ),
            ),
            Rule::record(
                names::ROLE_EACH,
                format!("{} / on ({cluster}, role) ({} > 0)", names::ROLE_MEMORY, names::ROLE_PEOPLE),
            ),
            Rule::record(
                names::PARTICIPANT_EACH,
                format!("{} / ({} > 0)", participants(names::ROLE_MEMORY), participants(names::ROLE_PEOPLE)),
            ),
            Rule::record(
                names::PREDICTED,
                format!(
                    "{} * on ({cluster}) {}\n+ on ({cluster}) (sum by ({cluster}) ({}) or on ({cluster}) 0 * {})",
                    whole("plimsoll_capacity_profile_base_bytes"),
                    whole("plimsoll_capacity_observed_pods"),
                    names::ROLE_MEMORY,
                    whole("plimsoll_capacity_observed_pods"),
                ),
            ),
            Rule::record(names::OBSERVED, whole("plimsoll_capacity_used_bytes")),
            Rule::record(
                names::PREDICTION_ERROR,
                format!(
                    "({p} - on ({cluster}) {o}) / on ({cluster}) ({o} > 0)",
                    p = names::PREDICTED,
                    o = names::OBSERVED
                ),
            ),
        ],
    )
}
