//! Terms: what the data can tell apart, and what is refused by name because it cannot.
//!
//! Roles that move together are one term: the sum of what they are held to take, times a factor that is fitted. So their
//! sum is right where they go on together, and none of them is given a value of its own that nothing shows.

use super::super::roles::Role;
use super::plain::{Formula, UNPUBLISHED_MB};
use super::rows::{Column, Rows};
use super::squares::{Sums, inflation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Above it a variance inflation factor says that a column follows from others (Marquardt, Technometrics 12, 1970).
const INFLATION_MAX: f64 = 10.0;
/// Slots, of ten minutes each, in which a role has to be there in another number than the usual.
const SLOTS_MIN: f64 = 12.0;

/// Why the data does not give a role a value of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// There was none of it.
    #[error("never seen")]
    NeverSeen,
    /// There were as many at all times.
    #[error("always {count} of them: not told from the base")]
    Constant {
        /// How many.
        count: u64,
    },
    /// Seen for too short a time.
    #[error("seen in another number than usual in only {slots:.0} slots of ten minutes")]
    TooFew {
        /// For how many slots.
        slots: f64,
    },
    /// It comes and goes with another.
    #[error("moves together with {role}: variance inflation {inflation:.0}")]
    MovesWith {
        /// With which most.
        role: Role,
        /// Variance inflation factor, up to about 1e9.
        inflation: f64,
    },
    /// What was found may be anything.
    #[error("too uncertain: between {low_mb:.1} and {high_mb:.1} MB")]
    TooUncertain {
        /// In MB.
        low_mb: f64,
        /// In MB.
        high_mb: f64,
    },
    /// Nothing was fitted at all.
    #[error("too few observations")]
    TooFewObservations,
}

/// A column that is fitted: a sum of the rows' columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// How much of each of the rows' columns is in it.
    pub parts: Vec<f64>,
    /// What it is held to be before the data is looked at.
    pub prior: f64,
}

/// What is fitted, what is not, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// What is fitted; the first is the base.
    pub terms: Vec<Term>,
    /// What columns that are not fitted are held to be; 0 for those that are.
    pub fixed: Vec<f64>,
    /// Roles that have no value of their own.
    pub refused: BTreeMap<Role, Refusal>,
}

impl Terms {
    /// What the rows can tell apart, given sums of all of them; whatever they cannot is held to be as in `prior`.
    pub fn new(rows: &Rows, sums: &Sums, prior: &Formula, has_hours: bool) -> Terms {
        let width = rows.columns.len();
        let mut terms = Terms { terms: Vec::new(), fixed: vec![0.0; width], refused: BTreeMap::new() };
        for (index, column) in rows.columns.iter().enumerate() {
            let value = held(column, prior);
            let refusal = match column {
                Column::Hour if !has_hours => {
                    terms.fixed[index] = value;
                    continue;
                }
                Column::Role(role) => too_few(rows, index).map(|refusal| (role.clone(), refusal)),
                _ => None,
            };
            if let Some((role, refusal)) = refusal {
                terms.fixed[index] = value;
                terms.refused.insert(role, refusal);
                continue;
            }
            let parts = (0..width).map(|other| f64::from(u8::from(other == index))).collect();
            terms.terms.push(Term { parts, prior: value });
        }
        terms.join(rows, sums, prior);
        let never =
            prior.roles_mb.keys().filter(|role| !rows.columns.contains(&Column::Role((*role).clone())));
        terms.refused.extend(never.map(|role| (role.clone(), Refusal::NeverSeen)));
        terms
    }

    /// Joins the two that move together most, until none do.
    fn join(&mut self, rows: &Rows, sums: &Sums, prior: &Formula) {
        while self.terms.len() > 2 {
            let correlations = correlations(&sums.mapped(&self.map()));
            let factors = inflation(&correlations);
            let worst = (0..factors.len())
                .max_by(|one, other| factors[*one].total_cmp(&factors[*other]))
                .unwrap_or(0);
            if factors[worst] <= INFLATION_MAX {
                return;
            }
            let near = |other: &usize| correlations.at(worst, *other).abs();
            let others = (0..factors.len()).filter(|other| *other != worst);
            let Some(partner) = others.max_by(|one, other| near(one).total_cmp(&near(other))) else { return };
            // The base has no correlations.
            self.join_pair(rows, (worst + 1, partner + 1), factors[worst], prior);
        }
    }

    fn join_pair(&mut self, rows: &Rows, (one, other): (usize, usize), inflation: f64, prior: &Formula) {
        let hour =
            |term: &Term| rows.columns.last() == Some(&Column::Hour) && term.parts.last() != Some(&0.0);
        // Hours that go with a role are no growth that could be told.
        if let Some(index) = [one, other].into_iter().find(|index| hour(&self.terms[*index])) {
            self.terms.remove(index);
            self.fixed[rows.columns.len() - 1] = prior.hour_mb;
            return;
        }
        let roles = |term: &Term| -> Vec<Role> {
            let columns = rows.columns.iter().zip(&term.parts).filter(|(_, part)| **part != 0.0);
            columns
                .filter_map(
                    |(column, _)| if let Column::Role(role) = column { Some(role.clone()) } else { None },
                )
                .collect()
        };
        let (left, right) = (roles(&self.terms[one]), roles(&self.terms[other]));
        for (these, those) in [(&left, &right), (&right, &left)] {
            for role in these {
                // Of terms without a role there is only one but hours.
                let with = those.first().cloned().or_else(|| Role::new("connections").ok());
                if let Some(with) = with {
                    let refusal = Refusal::MovesWith { role: with, inflation };
                    self.refused.entry(role.clone()).or_insert(refusal);
                }
            }
        }
        let (low, high) = (one.min(other), one.max(other));
        let gone = self.terms.remove(high);
        let kept = &self.terms[low];
        let parts = rows.columns.iter().zip(kept.parts.iter().zip(&gone.parts));
        let parts = parts
            .map(
                |(column, (one, other))| {
                    if *one != 0.0 || *other != 0.0 { stands_in(column, prior) } else { 0.0 }
                },
            )
            .collect();
        self.terms[low] = Term { parts, prior: 1.0 };
    }

    /// Holds a role to be what it was held to be before.
    pub fn refuse(&mut self, rows: &Rows, role: &Role, refusal: Refusal, prior: &Formula) {
        let Some(index) = rows.columns.iter().position(|column| *column == Column::Role(role.clone())) else {
            return;
        };
        self.terms.retain(|term| term.parts[index] == 0.0);
        self.fixed[index] = prior.role_mb(role);
        self.refused.insert(role.clone(), refusal);
    }

    /// The term that is a role's alone.
    pub fn of(&self, rows: &Rows, role: &Role) -> Option<usize> {
        let index = rows.columns.iter().position(|column| *column == Column::Role(role.clone()))?;
        self.terms.iter().position(|term| term.parts[index] != 0.0 && !self.refused.contains_key(role))
    }

    /// From the rows' columns and their memory to the terms and what of the memory is left for them.
    pub fn map(&self) -> Vec<Vec<f64>> {
        let with = |parts: &[f64], last: f64| parts.iter().copied().chain([last]).collect::<Vec<f64>>();
        let rest: Vec<f64> = self.fixed.iter().map(|value| -value).collect();
        self.terms.iter().map(|term| with(&term.parts, 0.0)).chain([with(&rest, 1.0)]).collect()
    }

    /// From a value for each term to one for each of the rows' columns.
    pub fn spread_out(&self, found: &[f64]) -> Vec<f64> {
        let mut values = self.fixed.clone();
        for (term, found) in self.terms.iter().zip(found) {
            values.iter_mut().zip(&term.parts).for_each(|(value, part)| *value += part * found);
        }
        values
    }
}

fn held(column: &Column, prior: &Formula) -> f64 {
    match column {
        Column::Base => prior.base_mb,
        Column::Role(role) => prior.role_mb(role),
        Column::Connection => prior.connection_mb,
        Column::Hour => prior.hour_mb,
    }
}

/// What a column is held to be within a term of several: never nothing, as that would be no term.
fn stands_in(column: &Column, prior: &Formula) -> f64 {
    let value = held(column, prior);
    if value > 0.0 { value } else { UNPUBLISHED_MB / 10.0 }
}

/// Whether a role was too seldom there in another number than usual.
fn too_few(rows: &Rows, column: usize) -> Option<Refusal> {
    let mut slots: BTreeMap<u64, f64> = BTreeMap::new();
    for (index, row) in rows.rows.iter().enumerate() {
        *slots.entry(rows.values(index)[column].round() as u64).or_default() += row.weight;
    }
    let (usual, most) = slots.iter().max_by(|one, other| one.1.total_cmp(other.1))?;
    let others = slots.values().sum::<f64>() - most;
    match slots.len() {
        1 => Some(Refusal::Constant { count: *usual }),
        _ if others < SLOTS_MIN => Some(Refusal::TooFew { slots: others }),
        _ => None,
    }
}

/// Of all terms but the base, which is the first; the memory is the last.
fn correlations(sums: &Sums) -> Sums {
    let width = sums.width() - 2;
    let total = sums.at(0, 0);
    let covariance =
        |row: usize, column: usize| sums.at(row, column) - sums.at(0, row) * sums.at(0, column) / total;
    let mut correlations = Sums::new(width);
    for row in 0..width {
        for column in 0..width {
            let product = covariance(row + 1, row + 1) * covariance(column + 1, column + 1);
            let value = if row == column { 1.0 } else { covariance(row + 1, column + 1) / product.sqrt() };
            correlations.add_at(row, column, if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 });
        }
    }
    correlations
}
