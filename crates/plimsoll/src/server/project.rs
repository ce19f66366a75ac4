//! `/api/capacity/project`: how much memory so many people will take.

use super::problem::{Code, Problem};
use super::schedule::answer::{Cost, time};
use super::schedule::request::{FeaturesBody, counts};
use super::terms::Terms;
use super::{Body, Service, now_ms};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use plimsoll_core::capacity::booking::demand::Need;
use plimsoll_core::capacity::booking::span::{MINUTE_MS, Span};
use plimsoll_core::capacity::formula::plain::MB;
use plimsoll_core::capacity::formula::project::Ask;
use plimsoll_core::capacity::roles::Counts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Projections of one request.
const BATCH_MAX: usize = 1_000;

/// Who is expected.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectRequest {
    /// How many participants; with video where a feature has it.
    pub expected_participants: Option<u64>,
    /// How many experimenters.
    pub experimenters: Option<u64>,
    /// How many of each role, beside those.
    #[schema(example = json!({"experimenter": 2}))]
    pub roles: BTreeMap<String, u64>,
    /// What people do.
    pub features: FeaturesBody,
    /// How long it takes, in minutes: for its cost, and for what leaks add.
    #[serde(alias = "duration_minutes")]
    pub expected_duration_minutes: Option<u32>,
    /// Over how many pods they are spread; left out, the least that hold them.
    pub pods: Option<u32>,
}

/// One, or up to 1,000 of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ProjectBody {
    /// Many at once.
    Batch {
        /// Up to 1,000.
        experiments: Vec<ProjectRequest>,
    },
    /// One.
    One(ProjectRequest),
}

/// The same, as a query.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectQuery {
    /// How many participants.
    participants: Option<u64>,
    /// They have video.
    video: bool,
    /// How many experimenters.
    experimenters: Option<u64>,
    /// How long it takes, in minutes.
    duration_minutes: Option<u32>,
    /// Over how many pods.
    pods: Option<u32>,
}

/// Memory that is passed in half of the time, in 5 and in 1 of 100 times.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LinesView<T: ToSchema> {
    /// Less half of the time.
    pub p50: T,
    /// Less 95 of 100 times.
    pub p95: T,
    /// Less 99 of 100 times.
    pub p99: T,
}

/// Of what it was reckoned.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceView {
    /// Version of the app; empty where none was observed.
    pub app_version: String,
    /// Nothing was observed that says so: published values stand in.
    pub is_assumed: bool,
    /// How many observations it is made of.
    pub observations: u64,
    /// The last of them.
    pub until: Option<String>,
    /// Roles of which more are asked about than were ever seen.
    pub beyond_observed: Vec<String>,
}

/// How much memory will be used.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProjectionView {
    /// In MB (10^6 bytes).
    pub memory_mb: LinesView<f64>,
    /// In bytes.
    pub memory_bytes: LinesView<u64>,
    /// The plain sum of the formula, with one base and the coefficients in force.
    #[schema(example = 475.0)]
    pub formula_mb: f64,
    /// Pods that hold them at the risk of the configuration.
    pub pods: u32,
    /// Pods that have to be started for that.
    pub more_pods: u32,
    /// Nodes that hold those pods; none where the configuration names none.
    pub nodes: Option<u32>,
    /// What it costs for as long as it takes, as their share of nodes' memory.
    pub estimated_cost: Option<Cost>,
    /// memory or participants: why it takes more than one pod.
    pub binding: Option<String>,
    /// When it was reckoned.
    pub as_of: String,
    /// Of what.
    pub profile: SourceView,
}

/// The answer to one, or to many.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ProjectAnswer {
    /// To many, in their order.
    Batch {
        /// One each.
        projections: Vec<ProjectionView>,
    },
    /// To one.
    One(Box<ProjectionView>),
}

/// Projects memory for experiments
#[utoipa::path(post, path = "/api/capacity/project", request_body = ProjectBody, tag = "project",
    responses((status = 200, description = "how much", body = ProjectAnswer), (status = 400, description = "it is not valid", body = Problem)))]
pub async fn project(
    State(service): State<Service>,
    Body(body): Body<ProjectBody>,
) -> Result<Json<ProjectAnswer>, Problem> {
    match body {
        ProjectBody::One(one) => {
            let terms = service.terms().await?;
            Ok(Json(ProjectAnswer::One(Box::new(service.project(&terms, &one)?))))
        }
        ProjectBody::Batch { experiments } if experiments.len() > BATCH_MAX => Err(Problem::new(
            Code::InvalidRequest,
            format!("experiments: more than {BATCH_MAX}\nsend fewer at once"),
        )),
        ProjectBody::Batch { experiments } => {
            let terms = service.terms().await?;
            let projections =
                experiments.iter().map(|one| service.project(&terms, one)).collect::<Result<_, _>>()?;
            Ok(Json(ProjectAnswer::Batch { projections }))
        }
    }
}

/// Projects memory for an experiment
#[utoipa::path(get, path = "/api/capacity/project", params(ProjectQuery), tag = "project",
    responses((status = 200, description = "how much", body = ProjectionView), (status = 400, description = "it is not valid", body = Problem)))]
pub async fn project_query(
    State(service): State<Service>,
    query: Result<Query<ProjectQuery>, QueryRejection>,
) -> Result<Json<ProjectionView>, Problem> {
    let Query(query) = query?;
    let asked = ProjectRequest {
        expected_participants: query.participants,
        experimenters: query.experimenters,
        roles: BTreeMap::new(),
        features: FeaturesBody { video_chat: query.video, ..FeaturesBody::default() },
        expected_duration_minutes: query.duration_minutes,
        pods: query.pods,
    };
    let terms = service.terms().await?;
    Ok(Json(service.project(&terms, &asked)?))
}

impl Service {
    fn project(&self, terms: &Terms, asked: &ProjectRequest) -> Result<ProjectionView, Problem> {
        let counts = counts(asked.expected_participants, asked.experimenters, &asked.roles, &asked.features)?;
        let (needed, binding) = self.pods(terms, &counts);
        let pods = asked.pods.unwrap_or(needed).max(1);
        let minutes = asked.expected_duration_minutes;
        let ask = Ask {
            counts: counts.clone(),
            pods,
            connections: 0,
            uptime_hours: minutes.map(|minutes| terms.profile.uptime_hours + f64::from(minutes) / 60.0),
        };
        let projection = terms.profile.project(&ask);
        let running: u32 = terms.supply.regions.iter().map(|region| region.ready(&terms.supply.pod)).sum();
        let lines =
            LinesView { p50: projection.p50_bytes, p95: projection.p95_bytes, p99: projection.p99_bytes };
        let mb = |bytes: u64| bytes as f64 / MB;
        let profile = &terms.profile;
        Ok(ProjectionView {
            memory_mb: LinesView { p50: mb(lines.p50), p95: mb(lines.p95), p99: mb(lines.p99) },
            memory_bytes: lines,
            formula_mb: profile.formula().memory_mb(&counts, 0),
            pods,
            more_pods: pods.saturating_sub(running),
            nodes: terms.supply.regions.iter().find_map(|region| region.nodes).map(|nodes| {
                let bytes = u64::from(pods).saturating_mul(terms.supply.pod.limit_bytes);
                u32::try_from(bytes.div_ceil(nodes.bytes.max(1))).unwrap_or(u32::MAX)
            }),
            estimated_cost: minutes.map(|minutes| self.cost(projection.p95_bytes, minutes)),
            binding,
            as_of: time(now_ms()),
            profile: SourceView {
                app_version: profile.app_version.clone(),
                is_assumed: projection.is_assumed,
                observations: profile.observations,
                until: (profile.observations > 0).then(|| time(profile.until_ms)),
                beyond_observed: projection.beyond.iter().map(ToString::to_string).collect(),
            },
        })
    }

    fn cost(&self, bytes: u64, minutes: u32) -> Cost {
        let price = &self.desk.capacity.price;
        let span = Span { start_ms: 0, end_ms: i64::from(minutes) * MINUTE_MS };
        let amount = price.cost(bytes, &span).rounded(4);
        Cost { amount, currency: price.currency.clone() }
    }

    /// Pods that hold them where each may be in any pod, and what makes it so many.
    fn pods(&self, terms: &Terms, counts: &Counts) -> (u32, Option<String>) {
        let shape = &terms.supply.pod;
        let need = counts.iter().fold(Need::NONE, |need, (role, count)| {
            let show_up = terms.loads.show_up.get(role).copied().unwrap_or(1.0);
            need.plus(Need::of_one(terms.profile.load(role), show_up).times(count))
        });
        let bytes = need.at_risk_bytes(self.desk.capacity.risk);
        let by_memory = bytes.div_ceil(shape.usable_bytes().max(1)).max(1);
        let by_people = shape.max_participants.map_or(1, |most| counts.total().div_ceil(most.max(1)));
        let binds = match by_memory.max(by_people) {
            1 => None,
            most if most == by_memory => Some("memory".to_string()),
            _ => Some("participants".to_string()),
        };
        (u32::try_from(by_memory.max(by_people)).unwrap_or(u32::MAX), binds)
    }
}
