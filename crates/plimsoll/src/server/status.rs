//! `/api/capacity/status`: what there is, what is promised, and how many more of whom would fit now.

use super::observing::AskedView;
use super::problem::Problem;
use super::schedule::answer::time;
use super::schedule::request::{FeaturesBody, counts};
use super::terms::{Terms, unknown_role};
use super::used::UsedView;
use super::{Service, now_ms};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use plimsoll_core::capacity::booking::admit::{Board, Booked, Slots};
use plimsoll_core::capacity::booking::demand::Risk;
use plimsoll_core::capacity::booking::reservation::State as Stage;
use plimsoll_core::capacity::booking::span::{HOUR_MS, Span};
use plimsoll_core::capacity::booking::supply::{Nodes, Region};
use plimsoll_core::capacity::roles::{Counts, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What a room is, where slots of rooms are counted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct StatusQuery {
    /// Participants in it; 5 if it is left out.
    room_participants: u64,
    /// They have video, if it is left out.
    room_video: bool,
    /// Experimenters in it; 1 if it is left out.
    room_experimenters: u64,
}

impl Default for StatusQuery {
    fn default() -> StatusQuery {
        StatusQuery { room_participants: 5, room_video: true, room_experimenters: 1 }
    }
}

/// What there is.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusView {
    /// When it was so.
    pub as_of: String,
    /// Memory of all pods that there may be, beside what they take with nobody in them, in bytes.
    pub capacity_bytes: u64,
    /// The same, in MB (10^6 bytes).
    pub capacity_mb: f64,
    /// Of pods that run now.
    pub ready_bytes: u64,
    /// How many more of one role would fit for the next hour, beside what is promised; of each role alone.
    pub available_slots: BTreeMap<String, SlotsView>,
    /// How many more rooms would.
    pub available_rooms: SlotsView,
    /// Each place where pods run.
    pub regions: Vec<RegionView>,
    /// Each pod that there may be, at most 1,000.
    pub pods: Vec<PodView>,
    /// Reservations by their state, of those that are not over.
    pub reservations: BTreeMap<String, usize>,
    /// The number of the last event that has happened: whoever follows events from there on misses nothing.
    pub last_event: i64,
    /// Where what people take comes from: `assumed` until enough was observed.
    pub profile: String,
    /// What is used now; none where nothing was observed in the last five minutes.
    pub used: Option<UsedView>,
    /// How it stands with those whom this replica asks what they use.
    pub observe: Vec<AskedView>,
}

/// How many more.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlotsView {
    /// In all pods that there may be.
    pub most: u64,
    /// In those that run now.
    pub ready: u64,
}

/// One pod.
#[derive(Debug, Serialize, ToSchema)]
pub struct PodView {
    /// Where.
    pub region: String,
    /// Its number there, from 0.
    pub ordinal: u32,
    /// It runs now.
    pub is_ready: bool,
    /// What people who are promised something now take of it half of the time, beside its base, in bytes.
    pub booked_p50_bytes: u64,
    /// What they stay below in 95 of 100 times.
    pub booked_p95_bytes: u64,
    /// How many more of one role would fit into it for the next hour; of each role alone.
    pub available_slots: BTreeMap<String, u64>,
    /// How many more rooms would.
    pub available_rooms: u64,
}

/// Nodes of one size.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodesView {
    /// Now.
    pub now: u32,
    /// As many as there may be.
    pub most: u32,
    /// What one has for these pods, in bytes.
    pub bytes: u64,
    /// How many of these pods one holds.
    pub pods_each: u64,
}

/// One place where pods run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegionView {
    /// Its name; empty where there is one only.
    pub name: String,
    /// Pods that run now.
    pub pods: u32,
    /// Pods that it may be scaled to, as far as its nodes hold them.
    pub most_pods: u32,
    /// What keeps it from more: `pods` or `nodes`.
    pub binds: String,
    /// The nodes that pods run on; none where the configuration names none.
    pub nodes: Option<NodesView>,
    /// Memory limit of a pod, in bytes.
    pub pod_limit_bytes: u64,
    /// What of it is for people.
    pub pod_usable_bytes: u64,
    /// How many more rooms would fit for the next hour.
    pub available_rooms: SlotsView,
}

/// Shows what there is
#[utoipa::path(get, path = "/api/capacity/status", params(StatusQuery), tag = "status",
    responses((status = 200, description = "what there is", body = StatusView), (status = 400, description = "the query is not valid", body = Problem)))]
pub async fn status(
    State(service): State<Service>,
    query: Result<Query<StatusQuery>, QueryRejection>,
) -> Result<Json<StatusView>, Problem> {
    let Query(query) = query?;
    Ok(Json(service.status(&query.room()?).await?))
}

impl Service {
    /// What there is; `room` is what rooms are counted by.
    pub(super) async fn status(&self, room: &Counts) -> Result<StatusView, Problem> {
        // Before what it is the number of: what happens in between is then told twice rather than never.
        let last_event = self.desk.database.last_event().await?;
        let used = self.latest().await?.map(|(together, latest)| UsedView::of(&together, &latest));
        let (book, now_ms) = (self.desk.book().await?, now_ms());
        let terms = &book.terms;
        let count = Count {
            board: &book.board,
            span: Span { start_ms: now_ms, end_ms: now_ms + HOUR_MS },
            risk: self.desk.capacity.risk,
        };
        let pods = count.pods(terms, room, now_ms)?;
        let available = |of: &dyn Fn(&PodView) -> u64| SlotsView {
            most: pods.iter().map(of).sum(),
            ready: pods.iter().filter(|pod| pod.is_ready).map(of).sum(),
        };
        let of_role = |role: &Role| {
            let name = role.to_string();
            let slots = available(&|pod| pod.available_slots.get(&name).copied().unwrap_or(0));
            (name, slots)
        };
        let regions = terms.supply.regions.iter().map(|region| count.region(terms, region, room));
        let regions: Vec<RegionView> = regions.collect::<Result<_, _>>()?;
        let bytes = |pods: u32| u64::from(pods) * terms.supply.pod.usable_bytes();
        let capacity_bytes = regions.iter().map(|region| bytes(region.most_pods)).sum();
        let stages = Stage::ALL.into_iter().filter(|stage| !stage.is_over());
        let by_stage =
            |stage: Stage| (stage.name().to_string(), book.all().filter(|it| it.state == stage).count());
        Ok(StatusView {
            as_of: time(now_ms),
            capacity_bytes,
            capacity_mb: capacity_bytes as f64 / 1e6,
            ready_bytes: regions.iter().map(|region| bytes(region.pods)).sum(),
            available_slots: terms.profile.roles.keys().map(of_role).collect(),
            available_rooms: available(&|pod| pod.available_rooms),
            pods,
            regions,
            reservations: stages.map(by_stage).collect(),
            last_event,
            profile: if terms.profile.is_assumed() { "assumed" } else { "observed" }.to_string(),
            used,
            observe: self.targets.views(),
        })
    }
}

impl StatusQuery {
    /// What a room is.
    pub(super) fn room(&self) -> Result<Counts, Problem> {
        let features = FeaturesBody { video_chat: self.room_video, ..FeaturesBody::default() };
        counts(Some(self.room_participants), Some(self.room_experimenters), &BTreeMap::new(), &features)
    }
}

/// One of a role.
fn alone(role: &Role) -> Counts {
    Counts::new([(role.clone(), 1)].into()).unwrap_or_default()
}

/// Counts what would fit.
struct Count<'a> {
    board: &'a Board,
    span: Span,
    risk: Risk,
}

impl Count<'_> {
    fn slots(&self, one: &Counts, is_room: bool, region: Option<&str>) -> Result<SlotsView, Problem> {
        let slots = self.board.slots(one, is_room, self.span, self.risk, region);
        let Slots { most, ready } = slots.map_err(unknown_role)?;
        Ok(SlotsView { most, ready })
    }

    /// Pod by pod.
    fn pods(&self, terms: &Terms, room: &Counts, now_ms: i64) -> Result<Vec<PodView>, Problem> {
        let spaces = |one: &Counts, is_room| {
            self.board.spaces(one, is_room, self.span, self.risk, None).map_err(unknown_role)
        };
        let rooms = spaces(room, true)?;
        let mut of_role = Vec::new();
        for role in terms.profile.roles.keys() {
            of_role.push((role, spaces(&alone(role), false)?));
        }
        let view = |(pod, booked): (usize, Booked)| PodView {
            region: booked.pod.region,
            ordinal: booked.pod.ordinal,
            is_ready: booked.is_ready,
            booked_p50_bytes: booked.need.mean_bytes(),
            booked_p95_bytes: booked.need.at_risk_bytes(Risk::DEFAULT),
            available_slots: of_role.iter().map(|(role, spaces)| (role.to_string(), spaces[pod])).collect(),
            available_rooms: rooms[pod],
        };
        Ok(self.board.pods(now_ms).into_iter().enumerate().map(view).collect())
    }

    fn region(&self, terms: &Terms, region: &Region, room: &Counts) -> Result<RegionView, Problem> {
        let shape = &terms.supply.pod;
        let most_pods = region.pods(shape);
        Ok(RegionView {
            name: region.name.clone(),
            pods: region.ready(shape),
            most_pods,
            binds: if most_pods < region.pods_most { "nodes" } else { "pods" }.to_string(),
            nodes: region.nodes.map(|Nodes { now, most, bytes }| NodesView {
                now,
                most,
                bytes,
                pods_each: bytes / shape.limit_bytes.max(1),
            }),
            pod_limit_bytes: shape.limit_bytes,
            pod_usable_bytes: shape.usable_bytes(),
            available_rooms: self.slots(room, true, Some(&region.name))?,
        })
    }
}
