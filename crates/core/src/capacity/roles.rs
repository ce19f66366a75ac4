//! Roles: as what people use an app, and how many of each do.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Longest name of a role, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Most roles that are counted together.
pub const ROLES_MAX: usize = 32;
/// Most units of one role.
pub const COUNT_MAX: u64 = 1_000_000;

/// As what somebody uses an app: lower-case letters, digits and `_`, a letter first, up to 64 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Role(Cow<'static, str>);

/// Why counts or the name of a role are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// The name is none.
    #[error(
        "role {name:?}: not a name\nuse a lower-case letter first, then lower-case letters, digits and `_`, up to {NAME_BYTES_MAX}"
    )]
    Name {
        /// What was given, cut short.
        name: String,
    },
    /// Too many roles at once.
    #[error("{count} roles at once\ngive up to {ROLES_MAX}")]
    TooMany {
        /// How many were given.
        count: usize,
    },
    /// Too many of one role.
    #[error("{role}: {count} of them\ngive up to {COUNT_MAX}")]
    Count {
        /// Of which role.
        role: Role,
        /// How many were given.
        count: u64,
    },
}

impl Role {
    /// A participant whose video is on.
    pub const PARTICIPANT_VIDEO: Role = Role(Cow::Borrowed("participant_video"));
    /// A participant without video.
    pub const PARTICIPANT_NO_VIDEO: Role = Role(Cow::Borrowed("participant_no_video"));
    /// Who runs an experiment.
    pub const EXPERIMENTER: Role = Role(Cow::Borrowed("experimenter"));
    /// An administrator.
    pub const ADMIN: Role = Role(Cow::Borrowed("admin"));

    /// The role of that name.
    pub fn new(name: &str) -> Result<Role, RoleError> {
        let is_name = name.len() <= NAME_BYTES_MAX
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if is_name {
            Ok(Role(Cow::Owned(name.to_string())))
        } else {
            Err(RoleError::Name { name: name.chars().take(NAME_BYTES_MAX).collect() })
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Role {
    type Error = RoleError;

    fn try_from(name: String) -> Result<Role, RoleError> {
        Role::new(&name)
    }
}

/// How many there are of each role; of a role that is not named there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Role, u64>")]
pub struct Counts(BTreeMap<Role, u64>);

impl Counts {
    /// Counts of up to [`ROLES_MAX`] roles, each up to [`COUNT_MAX`].
    pub fn new(counts: BTreeMap<Role, u64>) -> Result<Counts, RoleError> {
        if counts.len() > ROLES_MAX {
            return Err(RoleError::TooMany { count: counts.len() });
        }
        match counts.iter().find(|(_, count)| **count > COUNT_MAX) {
            Some((role, count)) => Err(RoleError::Count { role: role.clone(), count: *count }),
            None => Ok(Counts(counts)),
        }
    }

    /// How many there are of a role.
    pub fn of(&self, role: &Role) -> u64 {
        self.0.get(role).copied().unwrap_or(0)
    }

    /// Roles and their counts, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Role, u64)> {
        self.0.iter().map(|(role, count)| (role, *count))
    }

    /// Of all roles together.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl TryFrom<BTreeMap<Role, u64>> for Counts {
    type Error = RoleError;

    fn try_from(counts: BTreeMap<Role, u64>) -> Result<Counts, RoleError> {
        Counts::new(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |name: &str, is_name: bool| assert_eq!(Role::new(name).is_ok(), is_name, "{name}");
        check("participant_video", true);
        check("a", true);
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
        check("", false);
        check("Admin", false);
        check("2nd", false);
        check("no-video", false);
        check("rôle", false);
        assert_eq!(Role::new("admin").unwrap(), Role::ADMIN);
    }

    #[test]
    fn counts_as_json() {
        let counts: Counts = serde_json::from_str(r#"{"participant_video":10,"experimenter":2}"#).unwrap();
        assert_eq!(
            (counts.of(&Role::PARTICIPANT_VIDEO), counts.of(&Role::ADMIN), counts.total()),
            (10, 0, 12)
        );
        assert_eq!(serde_json::to_string(&counts).unwrap(), r#"{"experimenter":2,"participant_video":10}"#);
        let refuse = |json: &str, reason: &str| {
            let error = serde_json::from_str::<Counts>(json).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        };
        refuse(r#"{"Admin":1}"#, r#"role "Admin": not a name"#);
        refuse(r#"{"admin":1000001}"#, "admin: 1000001 of them");
        refuse(r#"{"admin":-1}"#, "invalid value");
    }
}
