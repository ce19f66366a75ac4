//! Whose a token is: the API server says it, as who it lets in itself.

use crate::ClusterError;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use kube::api::PostParams;
use kube::{Api, Client};
use std::time::Duration;

/// So long it is waited for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// As RBAC names them, like `system:serviceaccount:NAMESPACE:NAME`.
    pub user: String,
    /// The groups they are in.
    pub groups: Vec<String>,
}

/// Whose this token is; `None` where it is nobody's, or not meant for this audience.
///
/// # Errors
///
/// Where the server does not answer in time, or does not let us ask. The token is in no error.
pub async fn review(client: &Client, token: &str, audience: &str) -> Result<Option<Identity>, ClusterError> {
    const WHAT: &str = "token review";
    let spec = TokenReviewSpec { token: token.to_string(), audiences: Some(vec![audience.to_string()]) };
    let review = TokenReview { spec, ..TokenReview::default() };
    let api: Api<TokenReview> = Api::all(client.clone());
    let parameters = PostParams::default();
    let answer = tokio::time::timeout(TIMEOUT, api.create(&parameters, &review)).await;
    let late = |_| ClusterError::Failed {
        what: WHAT.to_string(),
        message: format!("no answer within {} s", TIMEOUT.as_secs()),
    };
    let answer = answer.map_err(late)?.map_err(|error| ClusterError::of(WHAT, error))?;
    let status = answer.status.unwrap_or_default();
    // A server that knows nothing of audiences names none: then the token was meant for it, not for us.
    let is_ours = status.audiences.unwrap_or_default().iter().any(|it| it == audience);
    let user = status.user.filter(|_| status.authenticated == Some(true) && is_ours);
    let identity = user.and_then(|user| {
        let groups = user.groups.unwrap_or_default();
        user.username.filter(|name| !name.is_empty()).map(|user| Identity { user, groups })
    });
    Ok(identity)
}
