//! Made-up histories whose truth is known, for benchmarks and tests: people come in sessions, memory stays after they have
//! left, a garbage collector makes it a saw, processes leak and restart. All of its chance comes from one seed.

use super::super::roles::{Counts, Role};
use super::observation::Observation;
use super::plain::{Formula, MB};
use super::retained::{Retained, Stay};
use std::collections::BTreeMap;

const DAY_MINUTES: u64 = 1_440;
/// exp(-1 / 180): of what has wandered, what is left after a minute.
const WANDER_KEPT: f64 = 0.994_459_9;
/// Monday, 2 November 2026.
const BEGIN_MS: i64 = 1_793_577_600_000;

/// How roles come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// Each at its own times.
    Apart,
    /// An experimenter for about five participants, give or take one.
    Tracking,
    /// An experimenter for each five participants, never more nor less.
    Locked,
}

/// From a day on, all takes so many times as much, in another version or in the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// From 0.
    pub day: u64,
    /// Of the app; `None` to stay with the one before.
    pub version: Option<String>,
    /// Times as much as at the beginning.
    pub factor: f64,
}

/// What a made-up app is like.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// What it takes.
    pub formula: Formula,
    /// How memory stays after people have left.
    pub stay: Stay,
    /// How high the collector's saw is, as a share.
    pub ripple_share: f64,
    /// How far memory wanders without a reason, as a standard deviation and a share; it forgets in three hours.
    pub wander_share: f64,
    /// Each so many days processes restart; 0 for never.
    pub restart_days: u64,
    /// Of a thousand scrapes, how many are missed.
    pub missed_per_mille: u64,
    /// How roles come.
    pub mix: Mix,
    /// In the order of days.
    pub changes: Vec<Change>,
    /// How many pods there are.
    pub pods: u64,
    /// How many days it lasts.
    pub days: u64,
}

impl Truth {
    /// Four weeks of one pod: memory stays for 25 minutes, 0.02 MB a minute leak until a restart each second day, and the saw
    /// is 12 % high (facts in the team's research on memory by role).
    pub fn usual() -> Truth {
        let mut formula = Formula::backend();
        formula.roles_mb.remove(&Role::ADMIN);
        formula.hour_mb = 1.2;
        Truth {
            formula,
            stay: Stay { tau_minutes: 25.0, share: 1.0 },
            ripple_share: 0.12,
            wander_share: 0.0,
            restart_days: 2,
            missed_per_mille: 10,
            mix: Mix::Tracking,
            changes: Vec::new(),
            pods: 1,
            days: 28,
        }
    }

    /// What it takes and nothing else.
    pub fn clean() -> Truth {
        let mut truth = Truth { ripple_share: 0.0, restart_days: 0, mix: Mix::Apart, ..Truth::usual() };
        truth.formula.hour_mb = 0.0;
        truth
    }

    /// An observation each minute.
    pub fn observations(&self, seed: u64) -> Vec<Observation> {
        let mut chance = Chance(seed);
        let mut seen: Vec<Observation> = (0..self.pods.max(1))
            .flat_map(|pod| self.of_pod(&format!("backend-{pod}"), &mut chance))
            .collect();
        seen.sort_by_key(|seen| seen.at_ms);
        seen
    }

    fn of_pod(&self, pod: &str, chance: &mut Chance) -> Vec<Observation> {
        let mut retained = Retained::new(self.stay);
        let mut sessions: Vec<Session> = Vec::new();
        let mut saw = Saw { at: 0, every: 1 };
        let mut wandered = 0.0;
        let mut all = Vec::new();
        for minute in 0..self.days * DAY_MINUTES {
            sessions.retain(|session| session.until > minute);
            sessions.extend(self.session(minute, chance));
            let change = self.changes.iter().rev().find(|change| change.day <= minute / DAY_MINUTES);
            let version = change.and_then(|change| change.version.clone()).unwrap_or_else(|| "1".to_string());
            let began =
                change.filter(|change| change.version.is_some()).map_or(0, |change| change.day * DAY_MINUTES);
            let age = (minute - began)
                % (self.restart_days * DAY_MINUTES).max(u64::MAX * u64::from(self.restart_days == 0));
            let mut seen = Observation {
                at_ms: BEGIN_MS + minute as i64 * 60_000,
                pod: pod.to_string(),
                version,
                memory_bytes: None,
                counts: counts(&sessions),
                uptime_ms: Some(age * 60_000),
                connections: None,
            };
            retained.take(&seen);
            let people: f64 =
                retained.of_pod(pod).map(|(role, units)| self.formula.role_mb(role) * units).sum();
            let still = self.formula.base_mb + people + self.formula.hour_mb * age as f64 / 60.0;
            wandered = WANDER_KEPT * wandered + (1.0 - WANDER_KEPT * WANDER_KEPT).sqrt() * chance.normal();
            let factor = change.map_or(1.0, |change| change.factor)
                * (1.0 + self.ripple_share * saw.next(chance))
                * (1.0 + self.wander_share * wandered);
            seen.memory_bytes = Some((still * factor * MB) as u64);
            if !chance.happens(self.missed_per_mille) {
                all.push(seen);
            }
        }
        all
    }

    /// Sessions begin by day more than by night, and less on Saturdays and Sundays.
    fn session(&self, minute: u64, chance: &mut Chance) -> Option<Session> {
        let (day, hour) = (minute / DAY_MINUTES, minute % DAY_MINUTES / 60);
        let often = if (8..20).contains(&hour) { 25 } else { 2 };
        if !chance.happens(if day % 7 < 5 { often } else { often / 2 }) {
            return None;
        }
        let until = minute + chance.between(15, 60);
        let people = chance.between(2, 10);
        let video = [Role::PARTICIPANT_VIDEO, Role::PARTICIPANT_NO_VIDEO][chance.below(2) as usize].clone();
        let counts = match self.mix {
            Mix::Apart if chance.happens(400) => vec![(Role::EXPERIMENTER, chance.between(1, 3))],
            Mix::Apart => vec![(video, people)],
            Mix::Tracking => vec![(video, people), (Role::EXPERIMENTER, people / 5 + chance.below(2))],
            // One for five, so that the counts are a line through 0.
            Mix::Locked => vec![(Role::PARTICIPANT_VIDEO, people / 5 * 5), (Role::EXPERIMENTER, people / 5)],
        };
        Some(Session { until, counts })
    }
}

struct Session {
    until: u64,
    counts: Vec<(Role, u64)>,
}

fn counts(sessions: &[Session]) -> Counts {
    let mut counts: BTreeMap<Role, u64> = BTreeMap::new();
    for (role, count) in sessions.iter().flat_map(|session| &session.counts) {
        *counts.entry(role.clone()).or_default() += count;
    }
    // A few sessions of ten people each.
    Counts::new(counts).unwrap_or_default()
}

/// Rises from 0 to 1, and begins anew after some minutes.
struct Saw {
    at: u64,
    every: u64,
}

impl Saw {
    fn next(&mut self, chance: &mut Chance) -> f64 {
        self.at += 1;
        if self.at >= self.every {
            *self = Saw { at: 0, every: chance.between(5, 20) };
        }
        self.at as f64 / self.every as f64
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// True so many times in a thousand.
    fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// About normal: a sum of twelve that are even has a variance of 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.below(1 << 32) as f64 / (1u64 << 32) as f64).sum::<f64>() - 6.0
    }
}
