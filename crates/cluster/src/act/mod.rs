//! Changes a cluster: each function does one thing, can be repeated without harm, and refuses what is not the object it was
//! told of.

mod events;
mod install;
mod new_pods;
mod policy_status;
mod resize;
mod scale;
mod template;
mod vertical;

pub use events::Events;
pub use install::install;
pub use new_pods::{leave_new_pods, size_new_pods};
pub use policy_status::set_policy_status;
pub use resize::{resize_pod, resize_would_work};
pub use scale::{Found, Scaler, Way};
pub use template::set_template;
pub use vertical::{create_vertical, recommend, withdraw_verticals};

use crate::ClusterError;
use kube::Client;
use plimsoll_core::inventory::{Inventory, Sizes, WorkloadId};
use plimsoll_core::rollout::Order;

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

/// Carries out an order of this plan, by what was seen when it was given.
pub async fn carry_out(
    client: &Client,
    plan: &str,
    seen: &Inventory,
    order: &Order,
) -> Result<Done, ClusterError> {
    match order {
        Order::SizeNewPods { workload, containers } => {
            let containers = with_template(seen, workload, containers);
            size_new_pods(client, plan, workload, &containers).await
        }
        Order::LeaveNewPods { workload } => leave_new_pods(client, workload).await,
        Order::ResizePod { namespace, pod, uid, from, containers } => {
            resize_pod(client, (namespace, pod, uid), from, containers).await
        }
        Order::SetTemplate { workload, uid, generation, containers } => {
            set_template(client, workload, (uid, *generation), containers).await
        }
    }
}

/// The name of each container, what the template says, and what it gets.
fn with_template(
    seen: &Inventory,
    workload: &WorkloadId,
    containers: &[(String, Sizes)],
) -> Vec<(String, Sizes, Sizes)> {
    let template = seen.workloads.get(workload).map_or(&[][..], |workload| &workload.containers);
    let of = |(name, sizes): &(String, Sizes)| {
        let before = template.iter().find(|container| container.name == *name)?.sizes.clone();
        Some((name.clone(), before, sizes.clone()))
    };
    containers.iter().filter_map(of).collect()
}
