//! How long memory stays after people have left, and how much of it: what leaves the least unexplained.

use super::fit::split;
use super::observation::Observation;
use super::retained::Stay;
use super::rows::{Column, Rows};
use super::squares::{Sums, nnls};

/// Where the search begins, in minutes.
const TAUS_MINUTES: [f64; 20] = [
    0.0, 2.0, 5.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0, 37.0, 45.0, 60.0, 80.0, 110.0, 150.0, 240.0, 400.0,
    700.0, 1_000.0, 1_440.0,
];
/// How often it goes closer, each time twice as close.
const CLOSER: usize = 4;
/// Shares that are tried, evenly from 1 down.
const SHARES: u32 = 20;

/// How memory stays after people have left.
pub fn stay(observations: &[&Observation], has_connections: bool) -> Stay {
    let counted = Rows::new(observations, Stay::NOT, has_connections);
    let at = |tau_minutes: f64| {
        let held = Rows::new(observations, Stay { tau_minutes, share: 1.0 }, has_connections);
        let (left, share) = unexplained(&counted, &held);
        (left, Stay { tau_minutes, share })
    };
    type Tried = (f64, Stay);
    let least = |one: Tried, other: Tried| if other.0 < one.0 { other } else { one };
    let Some(mut best) = TAUS_MINUTES.into_iter().map(at).reduce(least) else { return Stay::NOT };
    let index = TAUS_MINUTES.iter().position(|tau| *tau == best.1.tau_minutes).unwrap_or(0);
    let mut low = TAUS_MINUTES[index.saturating_sub(1)];
    let mut high = TAUS_MINUTES[(index + 1).min(TAUS_MINUTES.len() - 1)];
    for _ in 0..CLOSER {
        let middle = best.1.tau_minutes;
        let (left, right) = (at((low + middle) / 2.0), at((middle + high) / 2.0));
        let next = least(best, least(left, right));
        (low, high) = match next.1.tau_minutes {
            tau if tau == middle => (left.1.tau_minutes, right.1.tau_minutes),
            tau if tau < middle => (low, middle),
            _ => (middle, high),
        };
        best = next;
    }
    best.1
}

/// What least squares on all columns leave with the best share, in shares of memory, so that busy hours do not outweigh the
/// rest; and that share.
fn unexplained(counted: &Rows, held: &Rows) -> (f64, f64) {
    let width = held.columns.len();
    let mut all = Sums::new(2 * width + 1);
    let mut values = Vec::new();
    for (index, row) in held.rows.iter().enumerate() {
        values.clear();
        values.extend(held.values(index));
        values.extend(counted.values(index));
        values.push(row.memory_mb);
        // By what was seen, which is the same for whatever is tried.
        all.take(&values, row.weight / (row.memory_mb * row.memory_mb));
    }
    let of = |share: f64| (left(&all.mapped(&mix(&held.columns, share))), share);
    let shares = (1..=SHARES).rev().map(|step| f64::from(step) / f64::from(SHARES));
    shares.map(of).reduce(|one, other| if other.0 < one.0 { other } else { one }).unwrap_or((0.0, 1.0))
}

/// Columns that mix what is held with what is counted.
fn mix(columns: &[Column], share: f64) -> Vec<Vec<f64>> {
    let width = columns.len();
    let mut map = vec![vec![0.0; 2 * width + 1]; width + 1];
    for (index, column) in columns.iter().enumerate() {
        let share = if matches!(column, Column::Role(_)) { share } else { 1.0 };
        map[index][index] = share;
        map[index][width + index] = 1.0 - share;
    }
    map[width][2 * width] = 1.0;
    map
}

/// The sum of squares that non-negative least squares leave.
fn left(all: &Sums) -> f64 {
    let (matrix, right) = split(all);
    let found = nnls(&matrix, &right);
    let explained = |row: usize| {
        let product: f64 = (0..found.len()).map(|column| matrix.at(row, column) * found[column]).sum();
        found[row] * (2.0 * right[row] - product)
    };
    all.at(found.len(), found.len()) - (0..found.len()).map(explained).sum::<f64>()
}
