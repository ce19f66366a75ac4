//! `/api/capacity/audit`: who did what.

use super::access::{Principal, Scope};
use super::problem::Problem;
use super::schedule::answer::time;
use super::schedule::moment;
use super::{Service, now_ms};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Deeds of one answer.
const PAGE: u32 = 500;

/// Which deeds.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    /// Only what was done before it, as RFC 3339.
    before: Option<String>,
}

/// What was done, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// At most 500; go on with `before`.
    deeds: Vec<DeedView>,
}

/// Something that somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeedView {
    /// When.
    at: String,
    /// The name of their token.
    who: String,
    /// reserve, change, confirm or cancel.
    what: String,
    /// The reservation.
    subject: String,
}

/// Shows who did what
#[utoipa::path(get, path = "/api/capacity/audit", params(AuditQuery), tag = "audit",
    responses((status = 200, description = "what was done", body = AuditView), (status = 403, description = "it takes the scope admin", body = Problem)))]
pub async fn audit(
    State(service): State<Service>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<AuditView>, Problem> {
    principal.may(Scope::Admin)?;
    let Query(query) = query?;
    let before_ms = query.before.as_deref().map(|text| moment("before", text)).transpose()?;
    let deeds = service.desk.database.audited(before_ms.unwrap_or_else(|| now_ms() + 1), PAGE).await?;
    let view = |deed: plimsoll_capacity::Deed| DeedView {
        at: time(deed.at_ms),
        who: deed.who,
        what: deed.what,
        subject: deed.subject,
    };
    Ok(Json(AuditView { deeds: deeds.into_iter().map(view).collect() }))
}
