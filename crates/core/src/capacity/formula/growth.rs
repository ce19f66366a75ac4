//! Growth: whether a process takes more and more, whoever uses it.
//!
//! What people take is subtracted, and of each quarter of a day of a process the floor is kept, so that what a garbage
//! collector leaves lying about does not count. How floors rise with the time the process has run is Theil's and Sen's
//! slope, and whether they do, Mann's and Kendall's test ([`trend`]).

use super::fit::Fit;
use super::rows::Column;
use crate::sizing::HOUR_MS;
use crate::trend::trend;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const STRETCH_MS: i64 = 6 * HOUR_MS;
/// The floor is what so large a share of the rows is below.
const FLOOR_SHARE: f64 = 0.1;
/// Fewer rows than this have no floor.
const ROWS_MIN: usize = 5;
/// Fewer floors than this have no trend.
const FLOORS_MIN: usize = 8;
/// What grows by less than this share of the base in a day is no leak worth a word.
const SHARE_MIN: f64 = 0.005;

/// How memory grows with the time that a process has run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// By how much each day, in MB; may be below 0.
    pub mb_per_day: f64,
    /// Between these with a confidence of 99 %, in MB.
    pub low_mb_per_day: f64,
    /// See above.
    pub high_mb_per_day: f64,
    /// Whether it leaks: grows with a confidence of 99 %, and by more than half a per cent of the base each day.
    pub is_leak: bool,
    /// Of how many quarters of days floors were taken.
    pub floors: u32,
}

/// The growth that a fit with hours shows; `None` when there are too few floors or hours were not told from roles.
pub fn growth(fit: &Fit) -> Option<Growth> {
    let hour = fit.rows.columns.iter().position(|column| *column == Column::Hour)?;
    if !fit.terms.terms.iter().any(|term| term.parts[hour] != 0.0) {
        return None;
    }
    let mut stretches: BTreeMap<(usize, i64), Vec<(f64, f64)>> = BTreeMap::new();
    for (index, row) in fit.rows.rows.iter().enumerate() {
        let values = fit.rows.values(index);
        let of_people = super::fit::dot(&fit.values, values) - fit.values[hour] * values[hour];
        let rest_mb = row.memory_mb - of_people;
        stretches
            .entry((row.process, row.at_ms.div_euclid(STRETCH_MS)))
            .or_default()
            .push((values[hour] / 24.0, rest_mb));
    }
    let mut floors: Vec<(f64, f64)> = stretches.into_values().filter_map(floor).collect();
    floors.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    if floors.len() < FLOORS_MIN {
        return None;
    }
    let trend = trend(&floors)?;
    Some(Growth {
        mb_per_day: trend.slope,
        low_mb_per_day: trend.band.0,
        high_mb_per_day: trend.band.1,
        is_leak: trend.is_certain && trend.band.0 > 0.0 && trend.slope > SHARE_MIN * fit.values[0],
        floors: floors.len() as u32,
    })
}

/// The middle of a stretch, in days of running, and its floor.
fn floor(mut rows: Vec<(f64, f64)>) -> Option<(f64, f64)> {
    if rows.len() < ROWS_MIN {
        return None;
    }
    let days = rows.iter().map(|row| row.0).sum::<f64>() / rows.len() as f64;
    rows.sort_unstable_by(|one, other| one.1.total_cmp(&other.1));
    Some((days, rows[(rows.len() as f64 * FLOOR_SHARE) as usize].1))
}
