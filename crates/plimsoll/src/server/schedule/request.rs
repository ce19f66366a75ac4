//! A request to reserve, as it is sent: the record of the second team's plan, and what it left open.

use crate::config::Capacity;
use crate::server::problem::{Code, Problem};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use plimsoll_core::capacity::booking::demand::Risk;
use plimsoll_core::capacity::booking::recurrence::{Bounds, Rule, expand, zone};
use plimsoll_core::capacity::booking::reservation::{Features, Occurrence, Reservation, State};
use plimsoll_core::capacity::booking::span::{MINUTE_MS, Margins, Span};
use plimsoll_core::capacity::roles::{Counts, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Longest reservation, in minutes: a week.
const MINUTES_MAX: u32 = 7 * 24 * 60;
/// Longest text of a title or an id, in bytes.
const TEXT_BYTES_MAX: usize = 200;
/// Occurrences of one request.
const OCCURRENCES_MAX: usize = 200;
/// How long a hold may last, in minutes.
const HOLD_MINUTES_MAX: u32 = 60;

/// What people do.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FeaturesBody {
    /// They see a video.
    pub video_streaming: bool,
    /// They see each other.
    pub video_chat: bool,
    /// What they do is recorded.
    pub screen_recording: bool,
    /// Samples a second that are kept of each.
    pub data_collection_rate_hz: f64,
}

/// What is to be reserved.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleRequest {
    /// The experiment it is for.
    #[schema(example = "stroop-pilot")]
    pub experiment_id: Option<String>,
    /// What people call it.
    pub title: Option<String>,
    /// Whose it is; who sends it, unless an administrator says otherwise.
    pub owner: Option<String>,
    /// When it starts: RFC 3339, or local time with `time_zone`. Also taken as `scheduled_time`.
    #[serde(alias = "scheduled_time")]
    #[schema(example = "2026-12-01T09:00:00")]
    pub start: String,
    /// When it ends; or say how long it takes.
    pub end: Option<String>,
    /// IANA's name of the zone of a local time.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// How long it takes, in minutes. Also taken as `expected_duration_minutes`.
    #[serde(alias = "expected_duration_minutes")]
    pub duration_minutes: Option<u32>,
    /// How many participants; with video where a feature has it, without where none has.
    pub expected_participants: Option<u64>,
    /// How many experimenters.
    pub experimenters: Option<u64>,
    /// How many of each role, beside those.
    #[schema(example = json!({"experimenter": 2}))]
    pub roles: BTreeMap<String, u64>,
    /// In how many rooms they are; left out, each may be in any pod.
    pub rooms: Option<u32>,
    /// Where it has to be.
    pub region: Option<String>,
    /// What people do.
    pub features: FeaturesBody,
    /// When it comes again: `RRULE` of RFC 5545 with FREQ, INTERVAL, BYDAY, COUNT, UNTIL. All occurrences are reserved, or none.
    #[schema(example = "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=8")]
    pub recurrence: Option<String>,
    /// Occurrences that do not take place, as `start`.
    pub except: Vec<String>,
    /// Minutes before the start that capacity is held.
    pub lead_minutes: Option<u32>,
    /// Minutes after the end.
    pub tail_minutes: Option<u32>,
    /// The chance to be short of memory that is taken, 0.000001 to 0.5.
    pub risk: Option<f64>,
    /// Where there is no place: wait for one, and get it in turn.
    pub may_wait: bool,
    /// Hold the place for so many minutes, to be confirmed.
    pub hold_minutes: Option<u32>,
    /// Say what would be answered, and keep nothing.
    pub dry_run: bool,
}

impl ScheduleRequest {
    /// The reservations that are asked for: one, or all occurrences. `id` makes a new id each time.
    ///
    /// # Errors
    ///
    /// What is not as it should be, by its name.
    pub fn wanted(
        &self,
        owner: &str,
        capacity: &Capacity,
        id: &mut dyn FnMut() -> String,
        now_ms: i64,
    ) -> Result<Vec<Reservation>, Problem> {
        for (key, text) in
            [("title", &self.title), ("experiment_id", &self.experiment_id), ("region", &self.region)]
        {
            if text.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
                return Err(invalid(format!("{key}: longer than {TEXT_BYTES_MAX} bytes\nshorten it")));
            }
        }
        let first = self.reservation(owner, capacity, now_ms)?;
        let zone = self.zone()?;
        let start = when("start", &self.start, &zone)?;
        let length_ms = self.length_ms(&start, &zone)?;
        let starts_ms = self.starts_ms(&start, capacity, now_ms)?;
        let series_id = self.recurrence.is_some().then(&mut *id);
        let one = |start_ms: i64| Reservation {
            id: id(),
            span: Span { start_ms, end_ms: start_ms + length_ms },
            occurrence: series_id.clone().map(|series_id| Occurrence { series_id, start_ms }),
            ..first.clone()
        };
        Ok(starts_ms.into_iter().map(one).collect())
    }

    fn reservation(&self, owner: &str, capacity: &Capacity, now_ms: i64) -> Result<Reservation, Problem> {
        let risk =
            self.risk.map(Risk::try_from).transpose().map_err(|error| invalid(format!("risk: {error}")))?;
        let margin = |key: &str, minutes: Option<u32>, or: i64| match minutes {
            Some(minutes) if minutes > MINUTES_MAX => {
                Err(invalid(format!("{key}: {minutes} is out of range\nuse 0 to {MINUTES_MAX}")))
            }
            minutes => Ok(minutes.map_or(or, |minutes| i64::from(minutes) * MINUTE_MS)),
        };
        let hold = self.hold_minutes;
        if hold.is_some_and(|minutes| !(1..=HOLD_MINUTES_MAX).contains(&minutes)) {
            return Err(invalid(format!("hold_minutes: out of range\nuse 1 to {HOLD_MINUTES_MAX}")));
        }
        Ok(Reservation {
            id: String::new(),
            owner: owner.to_string(),
            title: self.title.clone().unwrap_or_default(),
            experiment_id: self.experiment_id.clone(),
            span: Span { start_ms: 0, end_ms: 0 },
            margins: Margins {
                lead_ms: margin("lead_minutes", self.lead_minutes, capacity.margins.lead_ms)?,
                tail_ms: margin("tail_minutes", self.tail_minutes, capacity.margins.tail_ms)?,
            },
            occurrence: None,
            counts: self.counts()?,
            rooms: self.rooms.unwrap_or(0),
            region: self.region.clone(),
            features: Features {
                video_streaming: self.features.video_streaming,
                video_chat: self.features.video_chat,
                screen_recording: self.features.screen_recording,
                data_collection_rate_hz: self.features.data_collection_rate_hz,
            },
            risk: risk.unwrap_or(capacity.risk),
            state: State::Requested,
            revision: 1,
            created_ms: now_ms,
            changed_ms: now_ms,
            confirmed_ms: None,
            hold_until_ms: hold.map(|minutes| now_ms + i64::from(minutes) * MINUTE_MS),
            placement: Vec::new(),
        })
    }

    /// How many of each role: participants by what they do, and those that are named.
    pub fn counts(&self) -> Result<Counts, Problem> {
        counts(self.expected_participants, self.experimenters, &self.roles, &self.features)
    }

    /// How long it takes, by its end or by how long it is said to.
    fn length_ms(&self, start: &Zoned, zone: &TimeZone) -> Result<i64, Problem> {
        let length_ms = match (&self.end, self.duration_minutes) {
            (Some(end), None) => {
                let end_ms = when("end", end, zone)?.timestamp().as_millisecond();
                end_ms - start.timestamp().as_millisecond()
            }
            (None, Some(minutes)) => i64::from(minutes) * MINUTE_MS,
            _ => return Err(invalid("its length is not clear\nsay either end or duration_minutes")),
        };
        if (MINUTE_MS..=i64::from(MINUTES_MAX) * MINUTE_MS).contains(&length_ms) {
            return Ok(length_ms);
        }
        Err(invalid(format!("it would take {} minutes\nuse 1 to {MINUTES_MAX}", length_ms / MINUTE_MS)))
    }

    fn zone(&self) -> Result<TimeZone, Problem> {
        match &self.time_zone {
            None => Ok(TimeZone::UTC),
            Some(name) => zone(name).map_err(|error| invalid(format!("time_zone: {error}"))),
        }
    }

    fn starts_ms(&self, start: &Zoned, capacity: &Capacity, now_ms: i64) -> Result<Vec<i64>, Problem> {
        let Some(text) = &self.recurrence else { return Ok(vec![start.timestamp().as_millisecond()]) };
        let rule = Rule::try_from(text.clone()).map_err(|error| invalid(error.to_string()))?;
        let zone = start.time_zone().clone();
        let except =
            self.except.iter().map(|text| Ok(when("except", text, &zone)?.timestamp().as_millisecond()));
        let except: Vec<i64> = except.collect::<Result<_, Problem>>()?;
        let bounds = Bounds { most: OCCURRENCES_MAX, horizon_ms: capacity.quotas.default.horizon_ms(now_ms) };
        let found = expand(&rule, start.datetime(), &zone, &except, bounds);
        let found = found.map_err(|error| invalid(error.to_string()))?;
        if found.is_cut {
            let days = capacity.quotas.default.horizon_days;
            return Err(invalid(format!(
                "recurrence: it goes on beyond the {days} days that may be reserved\nend it sooner, with COUNT or UNTIL"
            )));
        }
        if found.starts_ms.is_empty() {
            return Err(invalid("recurrence: it has no occurrence\ncheck UNTIL and except"));
        }
        Ok(found.starts_ms)
    }
}

/// How many of each role, of participants by what they do and of those that are named.
pub fn counts(
    participants: Option<u64>,
    experimenters: Option<u64>,
    roles: &BTreeMap<String, u64>,
    features: &FeaturesBody,
) -> Result<Counts, Problem> {
    let mut all = BTreeMap::new();
    for (name, count) in roles {
        let role = Role::new(name).map_err(|error| invalid(format!("roles: {error}")))?;
        all.insert(role, *count);
    }
    let has_video = features.video_chat || features.video_streaming;
    let role = if has_video { Role::PARTICIPANT_VIDEO } else { Role::PARTICIPANT_NO_VIDEO };
    for (role, more) in [(role, participants), (Role::EXPERIMENTER, experimenters)] {
        if let Some(more) = more {
            let count: &mut u64 = all.entry(role).or_insert(0);
            *count = count.saturating_add(more);
        }
    }
    let counts = Counts::new(all).map_err(|error| invalid(format!("roles: {error}")))?;
    if counts.total() == 0 {
        return Err(invalid("nobody is expected\nsay expected_participants, or roles"));
    }
    Ok(counts)
}

/// A time as people write it: with an offset, with a zone, or local.
fn when(key: &str, text: &str, zone: &TimeZone) -> Result<Zoned, Problem> {
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(zoned);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp.to_zoned(zone.clone()));
    }
    let local: Result<DateTime, _> = text.parse();
    let shown: String = text.chars().take(40).collect();
    let bad = |_| invalid(format!("{key}: '{shown}' is no time\nwrite it like 2026-12-01T09:00:00Z"));
    local.and_then(|local| local.to_zoned(zone.clone())).map_err(bad)
}

fn invalid(text: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidRequest, text)
}
