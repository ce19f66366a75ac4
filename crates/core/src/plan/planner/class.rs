//! The class of service of a pod stays what it is: judged over all containers of the template with their new sizes.

use super::Case;
use super::proposal::Proposal;
use crate::inventory::qos::{self, Class};
use crate::inventory::quantity::Quantity;
use crate::inventory::{Container, Sizes};
use crate::size::MIB;

/// Adapts the proposals so that the class stays; false where that is not possible.
///
/// A pod that is Guaranteed was kept so by its proposals. One that would become so is Burstable, and stays it when one
/// request is a MiB below its limit. Nothing can be given to one that has nothing.
pub fn keep(case: &Case, proposals: &mut [Proposal]) -> bool {
    if is_kept(case, proposals) {
        return true;
    }
    if case.class != Class::Burstable {
        return false;
    }
    for at in 0..proposals.len() {
        if let Some(split) = split(case, &proposals[at]) {
            let unsplit = std::mem::replace(&mut proposals[at].after, split);
            if proposals[at].is_near() {
                proposals[at].after = proposals[at].container.sizes.clone();
            }
            if is_kept(case, proposals) {
                proposals[at]
                    .notes
                    .push("the request is below the limit, so that its class stays Burstable".to_string());
                return true;
            }
            proposals[at].after = unsplit;
        }
    }
    false
}

fn is_kept(case: &Case, proposals: &[Proposal]) -> bool {
    let sizes = |container: &'_ Container| {
        let proposal = proposals.iter().find(|proposal| proposal.container.name == container.name);
        proposal.map_or(container.sizes.clone(), |proposal| proposal.after.clone())
    };
    let sizes: Vec<Sizes> = case.workload.containers.iter().map(sizes).collect();
    qos::class(case.workload.containers.iter().zip(&sizes)) == case.class
}

/// With a request of a MiB less, where a LimitRange allows that.
fn split(case: &Case, proposal: &Proposal) -> Option<Sizes> {
    if proposal.is_as_before() {
        return None;
    }
    let less_bytes = proposal.after.requested_bytes().checked_sub(MIB).filter(|bytes| *bytes > 0)?;
    let sizes = Sizes { request: Some(Quantity::of_bytes(less_bytes)), limit: proposal.after.limit.clone() };
    case.bounds.against(&sizes).is_none().then_some(sizes)
}
