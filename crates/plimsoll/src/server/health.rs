//! `/healthz` and `/readyz`.

use super::Service;
use super::problem::Problem;
use axum::extract::State;

/// It answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// It could decide: whoever decides answers, and the store does.
pub async fn readyz(State(service): State<Service>) -> Result<&'static str, Problem> {
    service.desk.look().await?;
    Ok("ok\n")
}
