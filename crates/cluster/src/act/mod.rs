//! Changes a cluster: each function does one thing, can be repeated without harm, and refuses what is not the object it was
//! told of.

mod install;
mod new_pods;
mod resize;
mod template;

pub use install::install;
pub use new_pods::{leave_new_pods, size_new_pods};
pub use resize::{resize_pod, resize_would_work};
pub use template::set_template;

use crate::ClusterError;

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The cluster has it.
    Yes,
    /// What it was for is not there any more, or another.
    Gone,
}

/// What a request came to: not found and a conflict of uids say that the object is gone.
fn done<T>(what: &str, result: Result<T, kube::Error>) -> Result<Done, ClusterError> {
    match result {
        Ok(_) => Ok(Done::Yes),
        Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(Done::Gone),
        Err(error) => Err(ClusterError::of(what, error)),
    }
}
