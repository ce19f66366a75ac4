//! Demand: how much memory people will take, as a distribution, and the quantile of a *sum* of them.
//!
//! Of `n` people each shows up with probability `p` and takes memory of mean `m` and variance `v` then. One of them takes
//! `p m` on average, with variance `p v + p (1 - p) m²`; independent people add up. What is held for a sum at a risk is a
//! quantile of the sum, not the sum of quantiles: what one takes more another takes less.
//!
//! The sum is taken as normal, with two corrections for few people who may not show up. Their number has steps, so half
//! the largest step `m` is added (continuity); and when few of many come the sum is skewed, for which Cornish and Fisher
//! (1937) add `(z² - 1) / 6 * κ₃ / κ₂`. The skew of a sum is no more than that of its most skewed part, which is taken:
//! so a sum never needs less when somebody is added, and nothing that fits stops fitting when somebody leaves. More than
//! if everybody came is never held. Tests hold this against exact enumeration.
//!
//! All is counted in whole bytes, rounded up: sums are the same in any order, and what was added can be taken away again.

mod normal;
mod tally;

#[cfg(test)]
mod tests;

pub use normal::{chance_above, quantile_z};
pub use tally::Tally;

use crate::capacity::load::Load;
use crate::capacity::roles::{Counts, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One person or process takes no more than this on average, in bytes: so no sum overflows.
const MOST_BYTES: f64 = (1u64 << 40) as f64;

/// The chance that memory does not suffice which is taken, between 10⁻⁶ and one half.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Risk(f64);

/// A chance that is not a [`Risk`].
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "risk {0} is not between 0.000001 and 0.5\nuse the chance to be short of memory that you take, like 0.05"
)]
pub struct NotARisk(f64);

impl Risk {
    /// One in twenty.
    pub const DEFAULT: Risk = Risk(0.05);

    /// As a chance.
    pub fn chance(self) -> f64 {
        self.0
    }

    /// So many standard deviations; never below zero.
    pub fn z(self) -> f64 {
        quantile_z(1.0 - self.0).max(0.0)
    }
}

impl TryFrom<f64> for Risk {
    type Error = NotARisk;

    fn try_from(chance: f64) -> Result<Risk, NotARisk> {
        if (1e-6..=0.5).contains(&chance) { Ok(Risk(chance)) } else { Err(NotARisk(chance)) }
    }
}

impl From<Risk> for f64 {
    fn from(risk: Risk) -> f64 {
        risk.0
    }
}

/// What independent people or processes take together. Sums are exact: in any order the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    /// On average, in bytes.
    mean_bytes: u128,
    /// In bytes².
    variance_bytes2: u128,
    /// The same if everybody comes.
    full_mean_bytes: u128,
    full_variance_bytes2: u128,
    /// The largest step by which the number of those who come moves it; 0 when everybody comes.
    step_bytes: u64,
    /// The largest κ₃ / κ₂ of those who may not come.
    skew_bytes: u64,
}

impl Need {
    /// Nothing.
    pub const NONE: Need = Need {
        mean_bytes: 0,
        variance_bytes2: 0,
        full_mean_bytes: 0,
        full_variance_bytes2: 0,
        step_bytes: 0,
        skew_bytes: 0,
    };

    /// Of something that is there for certain: the base of a process, an experimenter.
    pub fn certain(load: Load) -> Need {
        Need::of_one(load, 1.0)
    }

    /// Of one who shows up with a probability; what is not between 0 and 1 is 1.
    pub fn of_one(load: Load, show_up: f64) -> Need {
        let mean = load.mean_bytes.clamp(0.0, MOST_BYTES);
        let variance = load.variance_bytes2.clamp(0.0, MOST_BYTES * MOST_BYTES);
        let p = if (0.0..=1.0).contains(&show_up) { show_up } else { 1.0 };
        let spread = p * (1.0 - p);
        let second = p * variance + spread * mean * mean;
        let third = spread * mean * (mean * mean * (1.0 - 2.0 * p) + 3.0 * variance);
        Need {
            mean_bytes: (p * mean).ceil() as u128,
            variance_bytes2: second.ceil() as u128,
            full_mean_bytes: mean.ceil() as u128,
            full_variance_bytes2: variance.ceil() as u128,
            step_bytes: if spread > 0.0 { mean.ceil() as u64 } else { 0 },
            skew_bytes: if spread > 0.0 && second > 0.0 {
                (third / second).max(0.0).ceil() as u64
            } else {
                0
            },
        }
    }

    /// Of so many more.
    pub fn times(self, count: u64) -> Need {
        if count == 0 {
            return Need::NONE;
        }
        let many = u128::from(count);
        Need {
            mean_bytes: self.mean_bytes.saturating_mul(many),
            variance_bytes2: self.variance_bytes2.saturating_mul(many),
            full_mean_bytes: self.full_mean_bytes.saturating_mul(many),
            full_variance_bytes2: self.full_variance_bytes2.saturating_mul(many),
            ..self
        }
    }

    /// Of both together.
    pub fn plus(self, other: Need) -> Need {
        Need {
            mean_bytes: self.mean_bytes.saturating_add(other.mean_bytes),
            variance_bytes2: self.variance_bytes2.saturating_add(other.variance_bytes2),
            full_mean_bytes: self.full_mean_bytes.saturating_add(other.full_mean_bytes),
            full_variance_bytes2: self.full_variance_bytes2.saturating_add(other.full_variance_bytes2),
            step_bytes: self.step_bytes.max(other.step_bytes),
            skew_bytes: self.skew_bytes.max(other.skew_bytes),
        }
    }

    /// On average, in bytes.
    pub fn mean_bytes(&self) -> u64 {
        u64::try_from(self.mean_bytes).unwrap_or(u64::MAX)
    }

    /// It takes no more than this with the probability `1 - risk`, in bytes.
    pub fn at_risk_bytes(&self, risk: Risk) -> u64 {
        self.at_z_bytes(risk.z())
    }

    /// The same for a `z` that was worked out before.
    pub fn at_z_bytes(&self, z: f64) -> u64 {
        let corrected =
            self.step_bytes as f64 / 2.0 + self.skew_bytes as f64 * ((z * z - 1.0) / 6.0).max(0.0);
        let likely = self.mean_bytes as f64 + z * (self.variance_bytes2 as f64).sqrt() + corrected;
        let full = self.full_mean_bytes as f64 + z * (self.full_variance_bytes2 as f64).sqrt();
        likely.min(full).ceil() as u64
    }

    /// The chance that it takes more than these bytes, by the same rule; within 10⁻⁶ and 1, and never less than it is
    /// at the risk it was admitted at.
    pub fn chance_above(&self, bytes: u64) -> f64 {
        if self.at_z_bytes(0.0) > bytes {
            return 1.0
                - chance_above(
                    (self.mean_bytes.saturating_sub(u128::from(bytes))) as f64,
                    self.deviation_bytes(),
                );
        }
        // The greatest z that still fits, by halves: what is needed never falls with z.
        let (mut fits, mut fails) = (0.0, 5.0);
        if self.at_z_bytes(fails) <= bytes {
            return 1e-6;
        }
        for _ in 0..40 {
            let z = (fits + fails) / 2.0;
            if self.at_z_bytes(z) <= bytes { fits = z } else { fails = z }
        }
        chance_above(fits, 1.0).max(1e-6)
    }

    fn deviation_bytes(&self) -> f64 {
        (self.variance_bytes2 as f64).sqrt()
    }
}

/// What one of each role takes, and how likely it shows up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Loads {
    /// Per role, once it is there.
    pub per_role: BTreeMap<Role, Load>,
    /// The probability to show up, 0 to 1; 1 for roles that are not here.
    #[serde(default)]
    pub show_up: BTreeMap<Role, f64>,
}

/// Nobody knows what a role takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("role {0:?} has no known memory\nuse a role of the profile, or observe this one first")]
pub struct UnknownRole(pub String);

impl Loads {
    /// What these people take together.
    ///
    /// # Errors
    /// [`UnknownRole`], for a role of which there is more than none.
    pub fn need(&self, counts: &Counts) -> Result<Need, UnknownRole> {
        let mut need = Need::NONE;
        for (role, count) in counts.iter().filter(|(_, count)| *count > 0) {
            let load = self.per_role.get(role).ok_or_else(|| UnknownRole(role.to_string()))?;
            let show_up = self.show_up.get(role).copied().unwrap_or(1.0);
            need = need.plus(Need::of_one(*load, show_up).times(count));
        }
        Ok(need)
    }
}
