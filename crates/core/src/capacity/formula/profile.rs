//! Profiles: what is known of the memory of one version of an app, in the form in which it is stored.

use super::super::roles::Role;
use super::band::Band;
use super::drift::Drift;
use super::fit::{Fit, interval};
use super::growth::Growth;
use super::plain::Formula;
use super::retained::Stay;
use super::rows::Column;
use super::terms::Refusal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the stored form; a newer one is set aside, never overwritten.
pub const VERSION: u32 = 1;
/// Earlier fits kept, the latest.
pub const HISTORY_MAX: usize = 12;

/// What one more of something takes, and how that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// What is reckoned with, in MB.
    pub mb: f64,
    /// Between these with a confidence of 95 %, in MB; `None` where the data does not say.
    pub interval_mb: Option<(f64, f64)>,
    /// Most that a pod was seen to hold memory for.
    pub seen_max: f64,
    /// Why the data gives it no value of its own, so that what was held before stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
}

/// Roles that move together: their sum is known, their parts are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// The share of each in what they took together.
    pub shares: BTreeMap<Role, f64>,
    /// How many times what was held before they take together; their coefficients have it in them.
    pub factor: f64,
}

/// An earlier fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Version of the app.
    pub app_version: String,
    /// From when on it held, in milliseconds since 1970.
    pub since_ms: i64,
    /// Until when.
    pub until_ms: i64,
    /// What was fitted.
    pub formula: Formula,
    /// How memory stayed.
    pub stay: Stay,
}

/// What is known of the memory of one version of an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// [`VERSION`].
    pub version: u32,
    /// Version of the app.
    pub app_version: String,
    /// Since when it is so: the first observation, or the first after a drift, in milliseconds since 1970.
    pub since_ms: i64,
    /// The last observation, in milliseconds since 1970.
    pub until_ms: i64,
    /// Observations with a memory that it is made of.
    pub observations: u64,
    /// Of so many independent ones, by ten minutes of a pod.
    pub slots: f64,
    /// What a pod takes with nobody in it.
    pub base: Coefficient,
    /// What one of each role takes.
    pub roles: BTreeMap<Role, Coefficient>,
    /// What a connection takes; `None` where connections do not count by themselves.
    pub connection: Option<Coefficient>,
    /// What each hour of running adds, in MB; 0 without a leak.
    pub hour_mb: f64,
    /// How long a process had run in the middle of what was seen, in hours.
    pub uptime_hours: f64,
    /// Roles that move together.
    pub joined: Vec<Joined>,
    /// How memory stays after people have left.
    pub stay: Stay,
    /// How memory grows with the time of running; `None` where that cannot be told.
    pub growth: Option<Growth>,
    /// Between what memory lies.
    pub band: Band,
    /// Most that was expected of a pod, in MB.
    pub highest_mb: f64,
    /// How far off it was on average for times it had not seen, as a share; `None` where nothing was fitted.
    pub error_share: Option<f64>,
    /// Changes that were found in this version, the earliest first; it is fitted to what came after the last.
    pub drifts: Vec<Drift>,
    /// Earlier fits, the oldest first, at most [`HISTORY_MAX`].
    pub history: Vec<Past>,
}

impl Profile {
    /// Of a version that too little was observed of: what was held before stands in.
    pub fn assumed(app_version: &str, held: &Formula) -> Profile {
        let coefficient = |mb: f64| Coefficient {
            mb,
            interval_mb: None,
            seen_max: 0.0,
            refused: Some(Refusal::TooFewObservations),
        };
        Profile {
            version: VERSION,
            app_version: app_version.to_string(),
            since_ms: 0,
            until_ms: 0,
            observations: 0,
            slots: 0.0,
            base: coefficient(held.base_mb),
            roles: held.roles_mb.iter().map(|(role, mb)| (role.clone(), coefficient(*mb))).collect(),
            connection: (held.connection_mb > 0.0).then(|| coefficient(held.connection_mb)),
            hour_mb: held.hour_mb,
            uptime_hours: 0.0,
            joined: Vec::new(),
            stay: Stay::NOT,
            growth: None,
            band: Band::assumed(),
            highest_mb: 0.0,
            error_share: None,
            drifts: Vec::new(),
            history: Vec::new(),
        }
    }

    /// Takes over what was fitted, and what was held before of whatever could not be.
    pub fn fitted(app_version: &str, fit: &Fit, growth: Option<Growth>, held: &Formula) -> Profile {
        let mut profile = Profile::assumed(app_version, held);
        let rows = &fit.rows;
        for (index, column) in rows.columns.iter().enumerate() {
            let found = coefficient(fit, index, column);
            match column {
                Column::Base => profile.base = found,
                Column::Connection => profile.connection = Some(found),
                Column::Hour => profile.hour_mb = found.mb,
                Column::Role(role) => {
                    profile.roles.insert(role.clone(), found);
                }
            }
        }
        for (role, refusal) in &fit.terms.refused {
            if let Some(coefficient) = profile.roles.get_mut(role) {
                coefficient.refused = Some(refusal.clone());
            }
        }
        let hour = rows.columns.len() - 1;
        let mut hours: Vec<f64> = (0..rows.rows.len()).map(|index| rows.values(index)[hour]).collect();
        hours.sort_unstable_by(f64::total_cmp);
        profile.uptime_hours = hours[hours.len() / 2];
        profile.observations = rows.rows.len() as u64;
        profile.slots = rows.slots();
        profile.joined = joined(fit);
        profile.stay = fit.stay;
        profile.growth = growth;
        profile.band = Band::of(fit);
        profile.highest_mb = fit.expected_mb.iter().copied().fold(0.0, f64::max);
        let error =
            |(row, expected): (&super::rows::Row, &f64)| (row.memory_mb - expected).abs() / row.memory_mb;
        let errors: f64 = rows.rows.iter().zip(&fit.expected_mb).map(error).sum();
        profile.error_share = Some(errors / rows.rows.len() as f64);
        profile
    }

    /// With nine significant digits of each number: what is stored and read again is the same, and small.
    pub fn rounded(mut self) -> Profile {
        let coefficients =
            [&mut self.base].into_iter().chain(self.roles.values_mut()).chain(&mut self.connection);
        for coefficient in coefficients {
            round(&mut coefficient.mb);
            round(&mut coefficient.seen_max);
            coefficient.interval_mb = coefficient.interval_mb.map(|(low, high)| (nine(low), nine(high)));
            match &mut coefficient.refused {
                Some(Refusal::TooFew { slots: value })
                | Some(Refusal::MovesWith { inflation: value, .. }) => round(value),
                Some(Refusal::TooUncertain { low_mb, high_mb }) => {
                    [low_mb, high_mb].into_iter().for_each(round)
                }
                _ => (),
            }
        }
        for joined in &mut self.joined {
            joined.shares.values_mut().for_each(round);
            round(&mut joined.factor);
        }
        if let Some(growth) = &mut self.growth {
            let days = [&mut growth.mb_per_day, &mut growth.low_mb_per_day, &mut growth.high_mb_per_day];
            days.into_iter().for_each(round);
        }
        self.drifts.iter_mut().for_each(|drift| round(&mut drift.share));
        self.band.scores.iter_mut().for_each(round);
        let spread = &mut self.band.spread;
        [&mut spread.flat_mb, &mut spread.share].into_iter().for_each(round);
        let others = [&mut self.slots, &mut self.hour_mb, &mut self.uptime_hours, &mut self.highest_mb];
        others.into_iter().chain([&mut self.stay.tau_minutes]).for_each(round);
        self.error_share = self.error_share.map(nine);
        self
    }

    /// The coefficients in force, as a plain formula.
    pub fn formula(&self) -> Formula {
        Formula {
            base_mb: self.base.mb,
            roles_mb: self.roles.iter().map(|(role, coefficient)| (role.clone(), coefficient.mb)).collect(),
            connection_mb: self.connection.as_ref().map_or(0.0, |coefficient| coefficient.mb),
            hour_mb: self.hour_mb,
        }
    }

    /// Roles that the data gives no value of their own, and why.
    pub fn refused(&self) -> impl Iterator<Item = (&Role, &Refusal)> {
        self.roles.iter().filter_map(|(role, coefficient)| Some((role, coefficient.refused.as_ref()?)))
    }

    /// Whether nothing of it was observed.
    pub fn is_assumed(&self) -> bool {
        self.band.is_assumed
    }

    /// What is kept of it when another fit takes its place.
    pub fn past(&self) -> Past {
        Past {
            app_version: self.app_version.clone(),
            since_ms: self.since_ms,
            until_ms: self.until_ms,
            formula: self.formula(),
            stay: self.stay,
        }
    }
}

fn round(value: &mut f64) {
    *value = nine(*value);
}

fn nine(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(value)
}

fn coefficient(fit: &Fit, index: usize, column: &Column) -> Coefficient {
    let alone = match column {
        Column::Role(role) => fit.terms.of(&fit.rows, role),
        _ => fit.terms.terms.iter().position(|term| term.parts[index] != 0.0),
    };
    let values = (0..fit.rows.rows.len()).map(|row| fit.rows.values(row)[index]);
    Coefficient {
        mb: fit.values[index],
        interval_mb: alone.map(|term| interval(fit.values[index], fit.errors[term])),
        seen_max: values.fold(0.0, f64::max),
        refused: None,
    }
}

/// Terms of more than one role.
fn joined(fit: &Fit) -> Vec<Joined> {
    let rows = &fit.rows;
    let mean = |column: usize| -> f64 {
        let taken = rows.rows.iter().enumerate().map(|(index, row)| row.weight * rows.values(index)[column]);
        taken.sum::<f64>() * fit.values[column]
    };
    let of = |term: &super::terms::Term| {
        let members: Vec<(Role, usize)> = rows
            .columns
            .iter()
            .enumerate()
            .filter_map(|(index, column)| match column {
                Column::Role(role) if term.parts[index] != 0.0 => Some((role.clone(), index)),
                _ => None,
            })
            .collect();
        let (_, first) = members.get(1)?;
        let all: f64 = members.iter().map(|(_, index)| mean(*index)).sum();
        let share = |index: usize| if all > 0.0 { mean(index) / all } else { 1.0 / members.len() as f64 };
        Some(Joined {
            shares: members.iter().map(|(role, index)| (role.clone(), share(*index))).collect(),
            factor: fit.values[*first] / term.parts[*first],
        })
    };
    fit.terms.terms.iter().filter_map(of).collect()
}
