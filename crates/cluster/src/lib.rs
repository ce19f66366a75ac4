//! Kubernetes: what a cluster runs, and the hand that changes it. The only crate that knows its wire types.
//!
//! [`watch`] follows a cluster, [`read`] turns what it sees into `plimsoll-core`'s inventory; [`act`] changes it, with the help of
//! [`kinds`] of our own. Nothing is decided here.

pub mod abilities;
pub mod access;
pub mod act;
pub mod ends;
pub mod journal;
pub mod kinds;
pub mod lease;
pub mod node_pods;
pub mod pieces;
pub mod read;
pub mod rights;
pub mod summary;
pub mod token_review;
pub mod usage;
pub mod watch;
mod weather;

/// What can go wrong between us and an API server.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is no way to a cluster.
    #[error("{0}\nname one with --kubeconfig and --context, or set KUBECONFIG")]
    NoWay(String),
    /// The server does not know us.
    #[error("{what}: {message}\nlog in, or name another user with --context")]
    Unknown {
        /// What was asked for.
        what: String,
        /// What the server said.
        message: String,
    },
    /// The server does not let us.
    #[error("{what}: {message}\n{}", grant(*.granted_by))]
    Forbidden {
        /// What was asked for.
        what: String,
        /// What the server said, which names the right.
        message: String,
        /// Whose role has that right.
        granted_by: Option<rights::Purpose>,
    },
    /// The server did not answer as it should.
    #[error("{what}: {message}\ncheck that the API server can be reached and try again")]
    Failed {
        /// What was asked for.
        what: String,
        /// What came of it.
        message: String,
    },
    /// It cannot be scaled so.
    #[error("{what}: {why}\n{next}")]
    Unfit {
        /// What was to be scaled.
        what: String,
        /// Why that does not go.
        why: String,
        /// What to do.
        next: String,
    },
    /// Not everything was there in time.
    #[error(
        "{0} could not be listed within {1} s\ncheck that the API server can be reached, and what it lets this user see"
    )]
    NotSynced(String, u64),
}

impl ClusterError {
    /// Of a request that failed.
    pub fn of(what: &str, error: kube::Error) -> ClusterError {
        let what = what.to_string();
        match error {
            kube::Error::Api(status) if status.code == 401 => {
                ClusterError::Unknown { what, message: status.message.clone() }
            }
            kube::Error::Api(status) if status.code == 403 => ClusterError::Forbidden {
                granted_by: rights::granted_by(&status.message),
                what,
                message: status.message.clone(),
            },
            kube::Error::Api(status) => ClusterError::Failed { what, message: status.message.clone() },
            error => ClusterError::Failed { what, message: words(&error) },
        }
    }
}

/// What to do about a right that is missing.
fn grant(role: Option<rights::Purpose>) -> String {
    let Some(role) = role else { return "grant it, or act as somebody who may".into() };
    let (name, purpose) = (role.role(), role.name());
    format!(
        "grant it with: plimsoll crd --rbac {purpose} | kubectl apply -f -\nand bind the roles {name} to this user"
    )
}

/// An error with what caused it, in a line.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
