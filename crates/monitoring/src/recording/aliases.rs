//! The same by the names of the second team's plan, so that what they have built on these goes on working.

use super::group as named;
use crate::names;
use crate::rule::{Group, Rule};
use crate::settings::Settings;

/// Bytes of their megabyte.
const MB: &str = "1e6";

pub(super) fn group(settings: &Settings) -> Group {
    named(
        settings,
        "aliases",
        vec![
            Rule::record("hyperstudy:memory_efficiency_ratio", names::CLUSTER_EFFICIENCY),
            Rule::record(
                "hyperstudy:memory_per_participant_mb",
                format!("{} / {MB}", names::PARTICIPANT_EACH),
            ),
            Rule::record("hyperstudy:predicted_memory_mb", format!("{} / {MB}", names::PREDICTED)),
        ],
    )
}
