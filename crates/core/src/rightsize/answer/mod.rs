//! The answer for each container: a request, a limit, why, and how sure that is; or why there is none yet.

mod siblings;

use super::course::{Course, DaysToLimit, course, days_to_limit};
use super::fleet::{Terms, sizes};
use super::peak::{Peak, peak};
use super::profile::Profile;
use crate::size::MIB;
use crate::sizing::plimsoll::fleet::Given;
use crate::sizing::{DAY_MS, Policy};
use siblings::Siblings;

/// A container is judged by itself from so many hours on.
const HOURS_MIN: usize = 24;
/// Days covered from which on an answer is of middle and of high confidence, and the share of their hours that must have been read.
const DAYS_MIDDLE: usize = 3;
const DAYS_HIGH: usize = 10;
const COVERAGE_HIGH: f64 = 0.9;
const COVERAGE_MIDDLE: f64 = 0.5;
/// Requests cover the highest use of this share of days.
const REQUEST_DAYS_SHARE: f64 = 0.9;
/// Above what was read, for what a scrape misses between two readings.
const MISSED_MARGIN: f64 = 0.02;
/// A leak gets so much of what it has used: more would only make it last longer, and hide it.
const LEAK_MARGIN: f64 = 0.15;

/// Which container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Namespace.
    pub namespace: String,
    /// Kind of what owns its pods: `Deployment`, `StatefulSet`, ...
    pub kind: String,
    /// Name of it.
    pub workload: String,
    /// Name of the container in the pod.
    pub container: String,
}

/// A container as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Which.
    pub id: Id,
    /// What it has used.
    pub profile: Profile,
    /// Pods that run it now.
    pub pods: u32,
    /// What it requests now, in bytes.
    pub request_bytes: Option<u64>,
    /// What it is limited to now, in bytes.
    pub limit_bytes: Option<u64>,
}

/// What it should get.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// To request, in bytes, and why.
    pub request_bytes: u64,
    /// Why so much.
    pub request_why: RequestWhy,
    /// To be limited to, in bytes.
    pub limit_bytes: u64,
    /// Why so much.
    pub limit_why: LimitWhy,
    /// How sure that is.
    pub confidence: Confidence,
    /// Its highest use; `None` where nothing was read of it yet.
    pub peak: Option<Peak>,
    /// How its use has changed.
    pub course: Course,
    /// When it reaches the limit it has now, where its use rises.
    pub to_limit: Option<DaysToLimit>,
}

/// Why a request is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestWhy {
    /// Nine days of ten stay below this, in bytes.
    MostDays(u64),
    /// Request and limit are the same now, and stay so: another class of service would evict it sooner.
    AsLimit,
    /// A policy of somebody else's says so.
    Policy,
    /// Nothing goes below this.
    Floor,
}

/// Why a limit is what it is.
#[derive(Debug, Clone, PartialEq)]
pub enum LimitWhy {
    /// So much above the highest of so long a look, in milliseconds: passed with this chance before the horizon ends.
    Evidence {
        /// In milliseconds.
        look_ms: i64,
        /// As a share.
        margin: f64,
        /// In [0, 1]; `None` where nothing was seen yet that could tell.
        chance: Option<f64>,
        /// What it may still grow by within the horizon, in bytes.
        growth_bytes: u64,
    },
    /// It was killed at this limit, at this time: it wanted more, and nobody knows how much.
    Killed(u64, i64),
    /// It has held so many bytes that the kernel could not have taken back.
    Held(u64),
    /// It leaks: what it has used and 15 %.
    Leak,
    /// It is new: as this sibling, and how many there are.
    Sibling(Id, usize),
    /// A policy of somebody else's says so.
    Policy,
    /// Nothing goes below this.
    Floor,
}

/// How sure an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Less than three days, or half of them missing.
    Low,
    /// Less than ten days, or a tenth of them missing.
    Middle,
    /// Ten days and more.
    High,
}

/// Why there is no answer yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotYet {
    /// Nothing was read of it.
    NothingRead,
    /// Only so many hours were, and it has no siblings.
    TooShort(usize),
}

/// What holds for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// When, for how long, at what risk.
    pub terms: Terms,
    /// Nothing goes below this, in bytes.
    pub floor_bytes: u64,
}

/// An answer for each container, in their order, by our rule.
pub fn answers(containers: &[Container], settings: &Settings) -> Vec<Result<Answer, NotYet>> {
    let profiles: Vec<&Profile> = containers.iter().map(|container| &container.profile).collect();
    let sizes = sizes(&profiles, &settings.terms);
    let siblings = Siblings::of(containers, &sizes);
    let answer =
        |(container, given): (&Container, &Option<Given>)| one(container, *given, &siblings, settings);
    containers.iter().zip(&sizes).map(answer).collect()
}

/// An answer by a policy of somebody else's, which is told the highest use of each hour.
pub fn answer_of(
    container: &Container,
    mut policy: Box<dyn Policy>,
    settings: &Settings,
) -> Result<Answer, NotYet> {
    container.profile.used.samples().for_each(|sample| policy.observe(sample));
    container.profile.oom_kills.iter().for_each(|kill| policy.oom(*kill));
    let size = policy.size(settings.terms.now_ms).ok_or(NotYet::NothingRead)?;
    let whole = |bytes: u64| bytes.max(settings.floor_bytes).next_multiple_of(MIB);
    Ok(Answer {
        request_bytes: whole(size.request_bytes),
        request_why: RequestWhy::Policy,
        limit_bytes: whole(size.limit_bytes),
        limit_why: LimitWhy::Policy,
        ..described(container, settings)
    })
}

/// Everything about a container but its sizes.
fn described(container: &Container, settings: &Settings) -> Answer {
    let profile = &container.profile;
    let course = course(profile);
    let now_ms = settings.terms.now_ms;
    let used_bytes = profile.used.highest(now_ms - DAY_MS, now_ms).unwrap_or(0);
    let to_limit = course
        .rise()
        .zip(container.limit_bytes)
        .and_then(|(rise, limit)| days_to_limit(rise, used_bytes, limit));
    Answer {
        request_bytes: 0,
        request_why: RequestWhy::Floor,
        limit_bytes: 0,
        limit_why: LimitWhy::Floor,
        confidence: confidence(profile),
        peak: peak(profile),
        course,
        to_limit,
    }
}

fn one(
    container: &Container,
    given: Option<Given>,
    siblings: &Siblings,
    settings: &Settings,
) -> Result<Answer, NotYet> {
    let (hours, _) = container.profile.used.coverage();
    let described = described(container, settings);
    let (limit_bytes, limit_why) = match given {
        Some(given) if hours >= HOURS_MIN => limit(container, given, &described, settings),
        // Only those that need siblings look through them: there may be as many as there are containers.
        given => match (given, siblings.best(&container.id)) {
            (given, Some((id, bytes, count))) => {
                (given.map_or(0, |given| given.limit_bytes).max(bytes), LimitWhy::Sibling(id.clone(), count))
            }
            (Some(_), None) => return Err(NotYet::TooShort(hours)),
            (None, None) => return Err(NotYet::NothingRead),
        },
    };
    let limit_why = if limit_bytes < settings.floor_bytes { LimitWhy::Floor } else { limit_why };
    let limit_bytes = limit_bytes.max(settings.floor_bytes).next_multiple_of(MIB);
    let (request_bytes, request_why) = request(container, limit_bytes, settings);
    Ok(Answer { request_bytes, request_why, limit_bytes, limit_why, ..described })
}

fn limit(container: &Container, given: Given, described: &Answer, settings: &Settings) -> (u64, LimitWhy) {
    let used_bytes = described.peak.map_or(0, |peak| peak.bytes);
    // Where it was killed it wanted more; the last kill at the highest limit says how much is not enough.
    let killed = container.profile.oom_kills.iter().max_by_key(|kill| (kill.limit_bytes, kill.at_ms));
    let after_kill = killed.map_or(0, |kill| (kill.limit_bytes as f64 * (1.0 + given.beyond)) as u64);
    let (bytes, why) = match described.course {
        Course::Leak(_) => ((used_bytes as f64 * (1.0 + LEAK_MARGIN)) as u64, LimitWhy::Leak),
        course => {
            let horizon_days = settings.terms.horizon_ms as f64 / DAY_MS as f64;
            let growth_bytes = course.rise().map_or(0.0, |rise| rise.band.1.max(0.0) * horizon_days) as u64;
            let look_ms = settings.terms.looks().0[given.look];
            let why =
                LimitWhy::Evidence { look_ms, margin: given.margin, chance: given.chance, growth_bytes };
            let now_ms = settings.terms.now_ms;
            let recent =
                container.profile.used.highest(now_ms - settings.terms.horizon_ms, now_ms).unwrap_or(0);
            (given.limit_bytes.max((recent as f64 * (1.0 + MISSED_MARGIN)) as u64) + growth_bytes, why)
        }
    };
    let held = container.profile.non_reclaimable_bytes.unwrap_or(0);
    let above_held = (held as f64 * (1.0 + MISSED_MARGIN)) as u64;
    match killed {
        Some(kill) if after_kill > bytes.max(above_held) => {
            (after_kill, LimitWhy::Killed(kill.limit_bytes, kill.at_ms))
        }
        _ if above_held > bytes => (above_held, LimitWhy::Held(held)),
        _ => (bytes, why),
    }
}

fn request(container: &Container, limit_bytes: u64, settings: &Settings) -> (u64, RequestWhy) {
    // A request that equals the limit is one half of the class Guaranteed.
    if container.request_bytes.is_some() && container.request_bytes == container.limit_bytes {
        return (limit_bytes, RequestWhy::AsLimit);
    }
    let Some(most_days) = most_days(&container.profile) else { return (limit_bytes, RequestWhy::AsLimit) };
    let bytes = ((most_days as f64 * (1.0 + MISSED_MARGIN)) as u64).next_multiple_of(MIB);
    let why = if bytes < settings.floor_bytes { RequestWhy::Floor } else { RequestWhy::MostDays(most_days) };
    (bytes.max(settings.floor_bytes).min(limit_bytes), why)
}

/// What nine days of ten stay below, in bytes.
fn most_days(profile: &Profile) -> Option<u64> {
    let days = profile.days();
    let mut highest: Vec<u64> =
        days.values().filter_map(|hours| hours.iter().map(|hour| hour.bytes).max()).collect();
    highest.sort_unstable();
    let rank = (highest.len() as f64 * REQUEST_DAYS_SHARE).ceil() as usize;
    highest.get(rank.checked_sub(1)?).copied()
}

fn confidence(profile: &Profile) -> Confidence {
    let (read, all) = profile.used.coverage();
    let covered = read as f64 / all.max(1) as f64;
    let at_least = |days: usize, share: f64| read as f64 >= (days * 24) as f64 * share && covered >= share;
    if at_least(DAYS_HIGH, COVERAGE_HIGH) {
        Confidence::High
    } else if at_least(DAYS_MIDDLE, COVERAGE_MIDDLE) {
        Confidence::Middle
    } else {
        Confidence::Low
    }
}

#[cfg(test)]
mod tests;
