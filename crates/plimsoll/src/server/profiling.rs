//! `/api/capacity/profiling`: what is known of an app's memory, and how.

use super::Service;
use super::accuracy::SummaryView;
use super::problem::Problem;
use super::schedule::answer::time;
use super::terms::{PROFILES, Terms};
use axum::Json;
use axum::extract::State;
use plimsoll_core::capacity::formula::profile::{Coefficient, Profile};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfilingView {
    /// Which version's profile decides now.
    pub in_force: String,
    /// One of each version, the earliest first.
    pub profiles: Vec<ProfileView>,
    /// How good projections were, of those about as many people as came; none before there were any.
    pub accuracy: Option<SummaryView>,
}

/// What one version takes. MB are 10^6 bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProfileView {
    /// Version of the app; empty where none was observed.
    pub app_version: String,
    /// Nothing was observed that says so: published values stand in.
    pub is_assumed: bool,
    /// The first observation, or the first after a drift.
    pub since: String,
    /// The last.
    pub until: String,
    /// How many there were.
    pub observations: u64,
    /// What a pod takes with nobody in it.
    pub base: CoefficientView,
    /// What one of each role takes.
    pub roles: BTreeMap<String, CoefficientView>,
    /// What a connection takes, where they count by themselves.
    pub connection: Option<CoefficientView>,
    /// What each hour of running adds, in MB; 0 without a leak.
    pub leak_mb_per_hour: f64,
    /// How long memory stays after people have left, in minutes, and which share of it does.
    pub stay: Value,
    /// How memory grows with the time of running, where that can be told.
    pub growth: Value,
    /// How far off it was on average for times it had not seen, as a share.
    pub error_share: Option<f64>,
    /// When memory began to be different within this version.
    pub drifts: Value,
    /// Earlier fits, the oldest first.
    pub history: Value,
}

/// What one more of something takes.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoefficientView {
    /// What is reckoned with, in MB.
    pub mb: f64,
    /// Between these with a confidence of 95 %, in MB; none where the data does not say.
    pub interval_mb: Option<[f64; 2]>,
    /// Most that a pod was seen to hold memory for.
    pub seen_max: f64,
    /// Why the data gives it no value of its own.
    pub refused: Value,
}

/// Shows what is known of the app's memory
#[utoipa::path(get, path = "/api/capacity/profiling", tag = "profiling",
    responses((status = 200, description = "coefficients, intervals, growth, history", body = ProfilingView)))]
pub async fn profiling(State(service): State<Service>) -> Result<Json<ProfilingView>, Problem> {
    let kept: Option<Vec<Profile>> = service.desk.database.kept(PROFILES).await?;
    let profiles = kept.filter(|kept| !kept.is_empty());
    let profiles = profiles.unwrap_or_else(|| vec![Terms::new(&service.desk.capacity, None).profile]);
    let in_force = profiles.last().map(|profile| profile.app_version.clone()).unwrap_or_default();
    Ok(Json(ProfilingView {
        in_force,
        profiles: profiles.iter().map(ProfileView::of).collect(),
        accuracy: SummaryView::of(&service.ledger().await?),
    }))
}

impl ProfileView {
    fn of(profile: &Profile) -> ProfileView {
        let roles = profile.roles.iter().map(|(role, it)| (role.to_string(), CoefficientView::of(it)));
        ProfileView {
            app_version: profile.app_version.clone(),
            is_assumed: profile.is_assumed(),
            since: time(profile.since_ms),
            until: time(profile.until_ms),
            observations: profile.observations,
            base: CoefficientView::of(&profile.base),
            roles: roles.collect(),
            connection: profile.connection.as_ref().map(CoefficientView::of),
            leak_mb_per_hour: profile.hour_mb,
            stay: json(&profile.stay),
            growth: json(&profile.growth),
            error_share: profile.error_share,
            drifts: json(&profile.drifts),
            history: json(&profile.history),
        }
    }
}

impl CoefficientView {
    fn of(of: &Coefficient) -> CoefficientView {
        CoefficientView {
            mb: of.mb,
            interval_mb: of.interval_mb.map(|(low, high)| [low, high]),
            seen_max: of.seen_max,
            refused: json(&of.refused),
        }
    }
}

fn json(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}
