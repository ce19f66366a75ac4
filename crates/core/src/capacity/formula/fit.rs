//! The fit: what each term takes, found by non-negative least squares that lean on what was held before.

use super::observation::Observation;
use super::plain::Formula;
use super::retained::Stay;
use super::rows::{Column, Rows};
use super::squares::{Sums, nnls};
use super::terms::{Refusal, Terms};

/// How much the prior weighs: as many observations of ten minutes that say what it says.
pub const PRIOR_SLOTS: f64 = 2.0;
/// The least that is fitted: two hours, in four blocks.
const SLOTS_MIN: f64 = 12.0;
const BLOCKS_MIN: usize = 4;
/// Parts of the time that are left out in turn, at most.
const PARTS_MAX: usize = 40;
/// Half of an interval of 95 %, in standard errors.
const Z_95: f64 = 1.96;
/// A role whose half interval is more than this share of its value is too uncertain to be told.
const UNCERTAIN_SHARE: f64 = 0.5;
/// No app is steadier than so many MB, and so much of what it uses.
const SPREAD_MIN_MB: f64 = 0.05;
const SPREAD_MIN_SHARE: f64 = 0.002;

/// How far memory lies from what is expected, by how much is expected: `flat_mb + share * expected`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Spread {
    /// Whatever is expected, in MB.
    pub flat_mb: f64,
    /// Of what is expected.
    pub share: f64,
}

impl Spread {
    /// At so much that is expected.
    pub fn at(self, expected_mb: f64) -> f64 {
        self.flat_mb + self.share * expected_mb.max(0.0)
    }
}

/// What was fitted to observations of one version.
#[derive(Debug, Clone)]
pub struct Fit {
    /// What it was fitted to.
    pub rows: Rows,
    /// How memory stays.
    pub stay: Stay,
    /// What could be told apart.
    pub terms: Terms,
    /// What was found, by the rows' columns.
    pub values: Vec<f64>,
    /// Standard errors, by term, from leaving parts of the time out in turn.
    pub errors: Vec<f64>,
    /// How far rows lie from it.
    pub spread: Spread,
    /// What each row is expected to be by a fit that has not seen its part of the time, in MB.
    pub expected_mb: Vec<f64>,
    /// In how many parts time was cut.
    pub parts: usize,
}

/// Fits observations of one version, in the order of time; `None` when there are too few. `has_hours` is whether
/// what an hour of running adds is fitted; else it is held to be what the prior says.
pub fn fit(observations: &[&Observation], stay: Stay, prior: &Formula, has_hours: bool) -> Option<Fit> {
    let rows = Rows::new(observations, stay, prior.connection_mb > 0.0);
    if rows.slots() < SLOTS_MIN || rows.blocks < BLOCKS_MIN {
        return None;
    }
    let mut spread = Spread { flat_mb: 0.0, share: 1.0 };
    let first: Vec<f64> = rows.columns.iter().map(|column| held(column, prior)).collect();
    let mut parts = Parts::new(&rows, |values| spread.at(dot(&first, values)));
    let mut terms = Terms::new(&rows, &parts.all(None), prior, has_hours);
    let mut found = parts.solve(&terms, None);
    for _ in 0..2 {
        let values = terms.spread_out(&found);
        spread = spread_of(&rows, &values);
        parts = Parts::new(&rows, |row| spread.at(dot(&values, row)));
        found = parts.solve(&terms, None);
    }
    let mut errors = parts.errors(&terms);
    for (role, refusal) in too_uncertain(&rows, &terms, &found, &errors) {
        terms.refuse(&rows, &role, refusal, prior);
        found = parts.solve(&terms, None);
        errors = parts.errors(&terms);
    }
    let values = terms.spread_out(&found);
    let expected_mb = parts.expected(&rows, &terms);
    Some(Fit { stay, values, errors, spread, expected_mb, parts: parts.count, terms, rows })
}

fn held(column: &Column, prior: &Formula) -> f64 {
    match column {
        Column::Base => prior.base_mb.max(1.0),
        Column::Role(role) => prior.role_mb(role),
        Column::Connection => prior.connection_mb,
        Column::Hour => prior.hour_mb,
    }
}

/// The products of two lists, summed.
pub fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// What is to be explained, and by what: the last column apart.
pub fn split(all: &Sums) -> (Sums, Vec<f64>) {
    let width = all.width() - 1;
    let mut matrix = Sums::new(width);
    for row in 0..width {
        (0..width).for_each(|column| matrix.add_at(row, column, all.at(row, column)));
    }
    (matrix, (0..width).map(|row| all.at(row, width)).collect())
}

/// Time cut in parts, each with the sums of its rows.
struct Parts {
    count: usize,
    blocks: usize,
    sums: Vec<Sums>,
    slots: Vec<f64>,
}

impl Parts {
    fn new(rows: &Rows, spread_mb: impl Fn(&[f64]) -> f64) -> Parts {
        let count = rows.blocks.min(PARTS_MAX);
        let mut parts = Parts {
            count,
            blocks: rows.blocks,
            sums: vec![Sums::new(rows.columns.len() + 1); count],
            slots: vec![0.0; count],
        };
        let floor = |values: &[f64]| spread_mb(values).max(SPREAD_MIN_MB);
        for (block, sums) in rows.sums(floor).iter().enumerate() {
            let part = parts.of(block);
            parts.sums[part].merge(sums);
        }
        for row in &rows.rows {
            let part = parts.of(row.block);
            parts.slots[part] += row.weight;
        }
        parts
    }

    /// The part that a block is in.
    fn of(&self, block: usize) -> usize {
        block * self.count / self.blocks
    }

    /// Sums of all but one.
    fn all(&self, without: Option<usize>) -> Sums {
        let mut all = Sums::new(self.sums[0].width());
        let parts = self.sums.iter().enumerate().filter(|(part, _)| Some(*part) != without);
        parts.for_each(|(_, sums)| all.merge(sums));
        all
    }

    /// A value for each term, from all parts but one and the prior.
    fn solve(&self, terms: &Terms, without: Option<usize>) -> Vec<f64> {
        let slots = self.slots.iter().enumerate().filter(|(part, _)| Some(*part) != without);
        let slots: f64 = slots.map(|(_, slots)| slots).sum();
        let (mut matrix, mut right) = split(&self.all(without).mapped(&terms.map()));
        for (index, term) in terms.terms.iter().enumerate() {
            // Where there was none of it, only the prior speaks.
            let pull = (PRIOR_SLOTS / slots.max(1.0) * matrix.at(index, index))
                .max(1e-9 * matrix.at(0, 0))
                .max(1e-12);
            matrix.add_at(index, index, pull);
            right[index] += pull * term.prior;
        }
        nnls(&matrix, &right)
    }

    /// Standard errors by the jackknife over parts of the time (Kuensch, Annals of Statistics 17, 1989): parts are long
    /// enough that they depend little on each other.
    fn errors(&self, terms: &Terms) -> Vec<f64> {
        let found: Vec<Vec<f64>> = (0..self.count).map(|part| self.solve(terms, Some(part))).collect();
        let count = self.count as f64;
        (0..terms.terms.len())
            .map(|index| {
                let mean = found.iter().map(|values| values[index]).sum::<f64>() / count;
                let squares: f64 = found.iter().map(|values| (values[index] - mean).powi(2)).sum();
                (squares * (count - 1.0) / count).sqrt()
            })
            .collect()
    }

    /// What rows are expected to be by all parts but their own, in MB.
    fn expected(&self, rows: &Rows, terms: &Terms) -> Vec<f64> {
        let values: Vec<Vec<f64>> =
            (0..self.count).map(|part| terms.spread_out(&self.solve(terms, Some(part)))).collect();
        let of =
            |(index, row): (usize, &super::rows::Row)| dot(&values[self.of(row.block)], rows.values(index));
        rows.rows.iter().enumerate().map(of).collect()
    }
}

/// How far rows lie from what is expected: least squares on the distances, which weigh by what is expected.
fn spread_of(rows: &Rows, values: &[f64]) -> Spread {
    let mut all = Sums::new(3);
    for (index, row) in rows.rows.iter().enumerate() {
        let expected_mb = dot(values, rows.values(index)).max(1.0);
        let distance_mb = (row.memory_mb - expected_mb).abs();
        all.take(&[1.0, expected_mb, distance_mb], row.weight / (expected_mb * expected_mb));
    }
    let (matrix, right) = split(&all);
    let found = nnls(&matrix, &right);
    Spread { flat_mb: found[0].max(SPREAD_MIN_MB), share: found[1].max(SPREAD_MIN_SHARE) }
}

/// Roles whose interval is too wide for a value of their own.
fn too_uncertain(
    rows: &Rows,
    terms: &Terms,
    found: &[f64],
    errors: &[f64],
) -> Vec<(super::super::roles::Role, Refusal)> {
    let is_wide =
        |index: usize| Z_95 * errors[index] > UNCERTAIN_SHARE * found[index].max(terms.terms[index].prior);
    let of = |column: &Column| {
        let Column::Role(role) = column else { return None };
        let index = terms.of(rows, role).filter(|index| is_wide(*index))?;
        let (low_mb, high_mb) = interval(found[index], errors[index]);
        Some((role.clone(), Refusal::TooUncertain { low_mb, high_mb }))
    };
    rows.columns.iter().filter_map(of).collect()
}

/// Between what a value lies with a confidence of 95 %.
pub fn interval(value: f64, error: f64) -> (f64, f64) {
    ((value - Z_95 * error).max(0.0), value + Z_95 * error)
}
