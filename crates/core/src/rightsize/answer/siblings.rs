//! Siblings: containers of the same name in other workloads, from which one that is new takes its first size.

use super::{Container, Id};
use crate::sizing::plimsoll::fleet::Given;
use std::collections::HashMap;

/// A sibling has to have been seen for so many hours.
const HOURS_MIN: usize = 3 * 24;

/// Containers of the same name, by what they need.
pub(super) struct Siblings<'a> {
    by_name: HashMap<&'a str, Vec<(&'a Id, u64)>>,
}

impl<'a> Siblings<'a> {
    pub fn of(containers: &'a [Container], sizes: &[Option<Given>]) -> Siblings<'a> {
        let mut by_name: HashMap<&str, Vec<(&Id, u64)>> = HashMap::new();
        for (container, given) in containers.iter().zip(sizes) {
            if let Some(given) = given.filter(|_| container.profile.used.coverage().0 >= HOURS_MIN) {
                by_name.entry(&container.id.container).or_default().push((&container.id, given.limit_bytes));
            }
        }
        Siblings { by_name }
    }

    /// The one that needs most, of those whose workload has the same name or, where there are none, of all; and how many
    /// these are.
    pub fn best(&self, id: &Id) -> Option<(&'a Id, u64, usize)> {
        let all = self.by_name.get(id.container.as_str())?;
        let others = || all.iter().filter(|(other, _)| *other != id);
        let same: Vec<_> = others().filter(|(other, _)| other.workload == id.workload).collect();
        let chosen = if same.is_empty() { others().collect() } else { same };
        let (id, bytes) = chosen.iter().max_by_key(|(_, bytes)| *bytes)?;
        Some((id, *bytes, chosen.len()))
    }
}
