//! Turns what was seen of a cluster into the inventory that decisions are made on.

mod autoscalers;
mod bounds;
mod evicted;
mod hands;
mod nodes;
mod pods;
pub mod policies;
mod workloads;

pub(crate) use bounds::bytes;
pub(crate) use evicted::is_evicted;
pub(crate) use nodes::{MEMORY_MANAGER, SWAP};
pub(crate) use pods::{Kept, desired, kept};

use crate::watch::Synced;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{Abilities, Inventory, Sizes};
use std::collections::BTreeMap;

/// Labels or annotations.
type Marks = BTreeMap<String, String>;

impl Synced {
    /// What the cluster runs now, as anybody but our controller sees it: what policies have follow use is in its hands.
    pub fn inventory(&self, as_of_ms: i64, abilities: Abilities) -> Inventory {
        let mut inventory = self.inventory_for_controller(as_of_ms, abilities);
        policies::add_hands(self.stores(), &mut inventory);
        inventory
    }

    /// What the cluster runs now, as our controller sees it: it does not stand in its own way.
    pub fn inventory_for_controller(&self, as_of_ms: i64, abilities: Abilities) -> Inventory {
        let stores = self.stores();
        let mut inventory = Inventory {
            as_of_ms,
            abilities,
            workloads: workloads::all(stores),
            pods: pods::all(stores),
            evicted: evicted::all(stores),
            nodes: bounds::nodes(stores),
            quotas: bounds::quotas(stores),
            limit_ranges: bounds::limit_ranges(stores),
            sized_on_admission: workloads::sized_on_admission(stores),
            admitted: BTreeMap::new(),
        };
        workloads::add_admitted(stores, &mut inventory);
        hands::add(stores, &mut inventory);
        nodes::add(stores, &mut inventory);
        inventory
    }
}

/// Memory among requests and limits; what cannot be read is not there.
pub(crate) fn memory(
    requests: Option<&BTreeMap<String, Written>>,
    limits: Option<&BTreeMap<String, Written>>,
) -> Sizes {
    let of = |all: Option<&BTreeMap<String, Written>>| quantity(all?.get("memory")?);
    Sizes { request: of(requests), limit: of(limits) }
}

fn quantity(written: &Written) -> Option<Quantity> {
    Quantity::try_from(written.0.clone()).ok()
}
