//! Learning: from observations to a profile of each version of an app.
//!
//! A version begins with what was known of the one before it. Where memory drifts away within a version, what came before is
//! past, and the profile is of what came after. It is a batch: run it each night, and whenever a version is new.

use super::drift::{Drift, drift};
use super::fit::{Fit, fit};
use super::growth::{Growth, growth};
use super::observation::Observation;
use super::plain::Formula;
use super::profile::{HISTORY_MAX, Past, Profile};
use super::stay::stay;
use std::collections::BTreeMap;

/// Observations that are looked at, the latest.
pub const OBSERVATIONS_MAX: usize = 500_000;
/// Versions that are learned, the latest.
pub const VERSIONS_MAX: usize = 16;
/// Drifts that are found within one version; more are none, but an app that the formula does not fit.
const DRIFTS_MAX: usize = 6;

/// A profile of each version, the one that was seen first at the front; empty when there is no observation that makes sense.
///
/// `known` is the latest profile from an earlier time: of its own version what came before its last drift is not looked at
/// again, and to others it is the version before. `published` is what is held of a version that has none before it.
pub fn learn(observations: &[Observation], known: Option<&Profile>, published: &Formula) -> Vec<Profile> {
    let mut observations: Vec<&Observation> =
        observations.iter().filter(|seen| seen.check().is_ok()).collect();
    observations.sort_by(|one, other| (one.at_ms, &one.pod).cmp(&(other.at_ms, &other.pod)));
    observations.dedup_by(|one, other| (one.at_ms, &one.pod) == (other.at_ms, &other.pod));
    let observations = &observations[observations.len().saturating_sub(OBSERVATIONS_MAX)..];
    let mut versions: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
    observations.iter().for_each(|seen| versions.entry(&seen.version).or_default().push(seen));
    let mut versions: Vec<(&str, Vec<&Observation>)> = versions.into_iter().collect();
    versions.sort_by_key(|(_, seen)| seen[0].at_ms);
    let mut profiles: Vec<Profile> = Vec::new();
    for (version, seen) in versions.iter().rev().take(VERSIONS_MAX).rev() {
        let known = known.filter(|known| known.app_version == *version || known.since_ms < seen[0].at_ms);
        let profile = match (profiles.last().or(known), known) {
            (_, Some(known)) if known.app_version == *version => again(known, seen, published),
            (Some(before), _) => {
                let history = before.history.iter().cloned().chain([before.past()]).collect();
                one(version, seen, &from(&before.formula(), published), Vec::new(), history)
            }
            (None, _) => one(version, seen, published, Vec::new(), Vec::new()),
        };
        profiles.push(profile);
    }
    profiles
}

/// Of a version that has a profile already: what it knew at its beginning is held again.
fn again(known: &Profile, observations: &[&Observation], published: &Formula) -> Profile {
    let held = known.history.last().map_or(published.clone(), |past| from(&past.formula, published));
    let is_past = |seen: &&&Observation| !known.drifts.is_empty() && seen.at_ms < known.since_ms;
    let rest: Vec<&Observation> = observations.iter().filter(|seen| !is_past(seen)).copied().collect();
    if rest.is_empty() {
        return known.clone();
    }
    one(&known.app_version, &rest, &held, known.drifts.clone(), known.history.clone())
}

/// Of one version, whose observations are in the order of time.
fn one(
    version: &str,
    observations: &[&Observation],
    held: &Formula,
    mut drifts: Vec<Drift>,
    mut history: Vec<Past>,
) -> Profile {
    let mut held = held.clone();
    let mut rest = observations;
    let mut profile = loop {
        let Some((fit, growth)) = fitted(rest, &held) else {
            let share =
                drifts.last().filter(|_| rest.len() < observations.len()).map_or(0.0, |drift| drift.share);
            break Profile::assumed(version, &times(&held, 1.0 + share));
        };
        let found = if drifts.len() < DRIFTS_MAX { drift(&fit) } else { None };
        let Some(found) = found else { break Profile::fitted(version, &fit, growth, &held) };
        let (before, after) = rest.split_at(rest.partition_point(|seen| seen.at_ms < found.since_ms));
        if before.is_empty() || after.is_empty() {
            break Profile::fitted(version, &fit, growth, &held);
        }
        if let Some((fit, growth)) = fitted(before, &held) {
            let past = span(Profile::fitted(version, &fit, growth, &held), before).rounded();
            held = from(&past.formula(), &held);
            history.push(past.past());
        }
        drifts.push(found);
        rest = after;
    };
    profile = span(profile, rest);
    profile.drifts = drifts;
    history.drain(..history.len().saturating_sub(HISTORY_MAX));
    profile.history = history;
    profile.rounded()
}

/// A fit, with hours where memory grows with them and without where it does not.
fn fitted(observations: &[&Observation], held: &Formula) -> Option<(Fit, Option<Growth>)> {
    let stay = stay(observations, held.connection_mb > 0.0);
    let with = fit(observations, stay, held, true)?;
    let growth = growth(&with);
    match growth {
        Some(Growth { is_leak: true, .. }) => Some((with, growth)),
        Some(_) => Some((fit(observations, stay, &Formula { hour_mb: 0.0, ..held.clone() }, false)?, growth)),
        // As before, until it can be told.
        None => Some((fit(observations, stay, held, false)?, None)),
    }
}

fn span(mut profile: Profile, observations: &[&Observation]) -> Profile {
    profile.since_ms = observations.first().map_or(0, |seen| seen.at_ms);
    profile.until_ms = observations.last().map_or(0, |seen| seen.at_ms);
    profile.observations = observations.iter().filter(|seen| seen.memory_bytes.is_some()).count() as u64;
    profile
}

/// What an earlier fit hands on: connections that came to nothing in it are asked about again.
fn from(earlier: &Formula, published: &Formula) -> Formula {
    let is_lost = earlier.connection_mb <= 0.0;
    Formula {
        connection_mb: if is_lost { published.connection_mb } else { earlier.connection_mb },
        ..earlier.clone()
    }
}

fn times(formula: &Formula, factor: f64) -> Formula {
    let factor = factor.clamp(0.1, 10.0);
    Formula {
        base_mb: formula.base_mb * factor,
        roles_mb: formula.roles_mb.iter().map(|(role, mb)| (role.clone(), mb * factor)).collect(),
        connection_mb: formula.connection_mb * factor,
        hour_mb: formula.hour_mb,
    }
}
