//! Comparison: what several ways to reckon memory say of days they have not seen, by one ruler.

use super::learn::learn;
use super::observation::Observation;
use super::plain::{Formula, MB};
use super::profile::Profile;
use super::retained::{Retained, Stay};
use super::rows::Rows;
use super::squares::{Sums, nnls};

/// How one way did.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Its name.
    pub way: &'static str,
    /// What it takes for the base and for each role, in MB.
    pub coefficients: Vec<(String, f64)>,
    /// Mean distance of what was expected from what was used, as a share of that.
    pub error_share: f64,
    /// Share of the time that memory was below the line that 95 % should be below.
    pub covered_share: f64,
    /// Of the busy half of it.
    pub covered_busy_share: f64,
    /// How far the line was above what was used on average, in MB.
    pub over_mb: f64,
}

impl Score {
    /// What it takes for `base` or a role, in MB.
    pub fn mb(&self, name: &str) -> Option<f64> {
        self.coefficients.iter().find(|(of, _)| of == name).map(|(_, mb)| *mb)
    }
}

/// The ways, ours the last, learned from observations before a moment and held against those after it, in the order of time. Of observations of
/// several versions ours learns each from that moment's past.
pub fn compare(observations: &[Observation], until_ms: i64, published: &Formula) -> Vec<Score> {
    let (past, future) = observations.split_at(observations.partition_point(|seen| seen.at_ms < until_ms));
    let counted = counted(past);
    let profiles = learn(past, None, published);
    let plain = |way, formula: &Formula, times: f64| {
        let says = |seen: &Observation| {
            let mb = formula.memory_mb(&seen.counts, seen.connections.unwrap_or(0));
            (mb, times * mb)
        };
        score(way, formula, future, says)
    };
    let mut results = vec![
        plain("published formula", published, 1.0),
        plain("published formula x 1.2", published, 1.2),
        plain("least squares on counts x 1.2", &counted, 1.2),
    ];
    if let Some(latest) = profiles.last() {
        results.push(ours(latest, &profiles, past, future));
    }
    results
}

fn ours(latest: &Profile, profiles: &[Profile], past: &[Observation], future: &[Observation]) -> Score {
    let of = |seen: &Observation| {
        profiles.iter().find(|known| known.app_version == seen.version).unwrap_or(latest)
    };
    // States go on from where the past left them.
    let mut states: Vec<(String, Retained)> = Vec::new();
    let mut outlook = |seen: &Observation| {
        let profile = of(seen);
        let index =
            states.iter().position(|(version, _)| *version == profile.app_version).unwrap_or_else(|| {
                states.push((profile.app_version.clone(), Retained::new(profile.stay)));
                states.len() - 1
            });
        states[index].1.take(seen);
        let outlook = profile.outlook_of(&seen.pod, &states[index].1, seen.connections.unwrap_or(0));
        (outlook.expected_mb, profile.line_mb(&outlook, 0.95))
    };
    past.iter().for_each(|seen| {
        outlook(seen);
    });
    score("plimsoll", &latest.formula(), future, outlook)
}

/// Least squares on counts as they are, with nothing else known.
fn counted(observations: &[Observation]) -> Formula {
    let observations: Vec<&Observation> = observations.iter().collect();
    let rows = Rows::new(&observations, Stay::NOT, false);
    let width = rows.columns.len() - 1;
    let mut matrix = Sums::new(width);
    let mut right = vec![0.0; width];
    for (index, row) in rows.rows.iter().enumerate() {
        let values = &rows.values(index)[..width];
        matrix.take(values, 1.0);
        right.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * row.memory_mb);
    }
    let found = nnls(&matrix, &right);
    let role = |(column, mb): (&super::rows::Column, &f64)| match column {
        super::rows::Column::Role(role) => Some((role.clone(), *mb)),
        _ => None,
    };
    let roles_mb = rows.columns.iter().zip(&found).filter_map(role).collect();
    Formula { base_mb: found.first().copied().unwrap_or(0.0), roles_mb, connection_mb: 0.0, hour_mb: 0.0 }
}

/// `says` gives what is expected and the line above it, in MB.
fn score(
    way: &'static str,
    formula: &Formula,
    future: &[Observation],
    mut says: impl FnMut(&Observation) -> (f64, f64),
) -> Score {
    let mut rows: Vec<[f64; 3]> = Vec::new();
    for seen in future {
        let (expected_mb, line_mb) = says(seen);
        rows.extend(seen.memory_bytes.map(|bytes| [bytes as f64 / MB, expected_mb, line_mb]));
    }
    let share = |rows: &[[f64; 3]], of: &dyn Fn(&[f64; 3]) -> f64| {
        rows.iter().map(of).sum::<f64>() / rows.len().max(1) as f64
    };
    let error_share = share(&rows, &|[used, expected, _]| (used - expected).abs() / used);
    let over_mb = share(&rows, &|[used, _, line]| line - used);
    let is_covered = |[used, _, line]: &[f64; 3]| f64::from(u8::from(used <= line));
    let covered_share = share(&rows, &is_covered);
    rows.sort_unstable_by(|one, other| one[0].total_cmp(&other[0]));
    let covered_busy_share = share(&rows[rows.len() / 2..], &is_covered);
    let mut coefficients = vec![("base".to_string(), formula.base_mb)];
    coefficients.extend(formula.roles_mb.iter().map(|(role, mb)| (role.to_string(), *mb)));
    Score { way, coefficients, error_share, covered_share, covered_busy_share, over_mb }
}
