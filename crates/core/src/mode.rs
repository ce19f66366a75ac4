//! Modes: the rungs of the ladder a build runs in, and what each of them sets.

use crate::size::GIB;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A rung of the ladder, the roomiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// From 6 GiB: all cores, big heaps.
    Optimized,
    /// From 4 GiB: all cores, each job watched.
    Safe,
    /// From 2 GiB: fewer jobs where memory is short.
    Critical,
    /// Below: what memory allows, most of it kept for the main process.
    Minimal,
}

impl Mode {
    /// Every mode, the roomiest first.
    pub const ALL: [Mode; 4] = [Mode::Optimized, Mode::Safe, Mode::Critical, Mode::Minimal];

    /// The name used in the CLI, the configuration and the report.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Optimized => "optimized",
            Mode::Safe => "safe",
            Mode::Critical => "critical",
            Mode::Minimal => "minimal",
        }
    }

    /// The mode with this name.
    pub fn from_name(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// One rung down, if there is one.
    pub fn lower(self) -> Option<Mode> {
        Mode::ALL.into_iter().find(|mode| *mode > self)
    }
}

/// What a mode means; every number can be changed in `plimsoll.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModeSpec {
    /// The mode is chosen when the budget has at least this many bytes.
    pub from_bytes: u64,
    /// Parallel jobs as a share of the usable cores, 1-100; never less than one job.
    pub jobs_percent: u32,
    /// Share of the budget kept free for what nobody measured, 0-50.
    pub reserve_percent: u32,
    /// Extra environment of the build in this mode, set only where the user has not set it.
    pub env: BTreeMap<String, String>,
    /// Environment of an attempt that may do less work (source maps, type-check apart, minify). Empty means
    /// the user has not allowed any.
    pub less_work_env: BTreeMap<String, String>,
}

/// The four modes as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modes {
    /// One entry per mode.
    pub specs: BTreeMap<Mode, ModeSpec>,
}

impl Default for Modes {
    fn default() -> Self {
        let spec = |from_bytes, jobs_percent, reserve_percent| ModeSpec {
            from_bytes,
            jobs_percent,
            reserve_percent,
            env: BTreeMap::new(),
            less_work_env: BTreeMap::new(),
        };
        Modes {
            specs: BTreeMap::from([
                (Mode::Optimized, spec(6 * GIB, 100, 4)),
                (Mode::Safe, spec(4 * GIB, 100, 4)),
                (Mode::Critical, spec(2 * GIB, 100, 5)),
                (Mode::Minimal, spec(0, 100, 6)),
            ]),
        }
    }
}

impl Modes {
    /// What this mode sets.
    pub fn spec(&self, mode: Mode) -> &ModeSpec {
        &self.specs[&mode]
    }

    /// The roomiest mode whose threshold the budget reaches. A container's `2Gi` is a few MiB short once others
    /// use some of it, so a budget within 5 % of a threshold counts as reaching it.
    pub fn for_budget(&self, budget_bytes: u64) -> Mode {
        Mode::ALL
            .into_iter()
            .find(|mode| budget_bytes >= self.spec(*mode).from_bytes / 20 * 19)
            .unwrap_or(Mode::Minimal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::MIB;

    #[test]
    fn budget_chooses_the_mode() {
        let check = |bytes, expect| assert_eq!(Modes::default().for_budget(bytes), expect, "{bytes}");
        check(8 * GIB, Mode::Optimized);
        check(6 * GIB, Mode::Optimized);
        check(6 * GIB - 40 * MIB, Mode::Optimized);
        check(5 * GIB, Mode::Safe);
        check(4 * GIB, Mode::Safe);
        check(3 * GIB, Mode::Critical);
        check(2 * GIB - 40 * MIB, Mode::Critical);
        check(GIB, Mode::Minimal);
        check(0, Mode::Minimal);
    }

    #[test]
    fn names_read_back() {
        for mode in Mode::ALL {
            assert_eq!(Mode::from_name(mode.name()), Some(mode));
        }
        assert_eq!(Mode::from_name("turbo"), None);
        assert_eq!(Mode::Optimized.lower(), Some(Mode::Safe));
        assert_eq!(Mode::Minimal.lower(), None);
    }
}
