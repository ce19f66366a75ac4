//! Orders, as people read them.

use plimsoll_core::inventory::Sizes;
use plimsoll_core::rollout::Order;

/// An order in words.
pub(in crate::commands) fn words(order: &Order) -> String {
    let list = |containers: &[(String, Sizes)]| {
        let of = |(name, sizes): &(String, Sizes)| format!("{name} {sizes}");
        containers.iter().map(of).collect::<Vec<_>>().join(", ")
    };
    match order {
        Order::SizeNewPods { workload, containers } => {
            format!("new pods of {workload}: {}", list(containers))
        }
        Order::LeaveNewPods { workload } => format!("new pods of {workload}: as the template says"),
        Order::ResizePod { namespace, pod, containers, .. } => {
            format!("pod {namespace}/{pod}: {}", list(containers))
        }
        Order::SetTemplate { workload, containers, .. } => {
            format!("template of {workload}: {}", list(containers))
        }
    }
}
