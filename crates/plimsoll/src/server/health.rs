//! `/healthz` and `/readyz`.

use super::Service;
use super::problem::Problem;
use axum::extract::State;

/// It answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// It could decide: the store answers.
pub async fn readyz(State(service): State<Service>) -> Result<&'static str, Problem> {
    service.desk.database.revision().await?;
    Ok("ok\n")
}
