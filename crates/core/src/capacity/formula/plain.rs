//! The plain formula: a base and so much for each, as people write it down.

use super::super::roles::{Counts, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of a megabyte, here and wherever a name ends in `_mb`.
pub const MB: f64 = 1e6;
/// What a unit of a role takes that nobody has published a value for, in MB: the dearest that was, until it is observed.
pub const UNPUBLISHED_MB: f64 = 30.0;

/// Memory of one pod = base + sum of each role's coefficient times its count + connections + hours it has run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Formula {
    /// What a pod takes with nobody in it, in MB.
    pub base_mb: f64,
    /// What each of a role takes, in MB.
    pub roles_mb: BTreeMap<Role, f64>,
    /// What each connection takes, in MB; 0 where connections do not count by themselves.
    pub connection_mb: f64,
    /// What each hour of running adds, in MB.
    pub hour_mb: f64,
}

impl Formula {
    /// As published for the backend (the HyperStudy team's memory plan).
    pub fn backend() -> Formula {
        let roles_mb = [
            (Role::PARTICIPANT_VIDEO, 15.0),
            (Role::PARTICIPANT_NO_VIDEO, 8.0),
            (Role::EXPERIMENTER, 25.0),
            (Role::ADMIN, 30.0),
        ];
        Formula { base_mb: 100.0, roles_mb: roles_mb.into(), connection_mb: 0.0, hour_mb: 0.0 }
    }

    /// As published for the pod router (same source).
    pub fn router() -> Formula {
        Formula { base_mb: 32.0, roles_mb: BTreeMap::new(), connection_mb: 2.5, hour_mb: 0.0 }
    }

    /// What each of a role takes, in MB; [`UNPUBLISHED_MB`] where the formula does not know the role.
    pub fn role_mb(&self, role: &Role) -> f64 {
        self.roles_mb.get(role).copied().unwrap_or(UNPUBLISHED_MB)
    }

    /// What the units of all roles take together, in MB.
    pub fn counts_mb(&self, counts: &Counts) -> f64 {
        counts.iter().map(|(role, count)| self.role_mb(role) * count as f64).sum()
    }

    /// Memory of one pod that has just started, in MB.
    pub fn memory_mb(&self, counts: &Counts, connections: u64) -> f64 {
        self.base_mb + self.counts_mb(counts) + self.connection_mb * connections as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples() {
        let check = |counts: &[(Role, u64)], expect_mb: f64| {
            let counts = Counts::new(counts.iter().cloned().collect()).unwrap();
            assert_eq!(Formula::backend().memory_mb(&counts, 1_000), expect_mb);
        };
        check(&[(Role::PARTICIPANT_NO_VIDEO, 5), (Role::EXPERIMENTER, 1)], 165.0);
        check(&[(Role::PARTICIPANT_VIDEO, 10), (Role::EXPERIMENTER, 2)], 300.0);
        check(&[(Role::PARTICIPANT_VIDEO, 20), (Role::EXPERIMENTER, 3)], 475.0);
        check(&[(Role::ADMIN, 1), (Role::new("observer").unwrap(), 1)], 160.0);
        check(&[], 100.0);
        assert_eq!(Formula::router().memory_mb(&Counts::default(), 100), 282.0);
    }
}
