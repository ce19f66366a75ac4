//! Loads: how much memory something takes, and how uncertain that is; the loads of independent things add up.

use serde::{Deserialize, Serialize};

/// The mean and the variance of an amount of memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// In bytes; finite, never negative.
    pub mean_bytes: f64,
    /// In bytes squared; finite, never negative.
    pub variance_bytes2: f64,
}

impl Load {
    /// Nothing, for certain.
    pub const NONE: Load = Load { mean_bytes: 0.0, variance_bytes2: 0.0 };

    /// The sum of so many that are independent of each other.
    pub fn times(self, count: u64) -> Load {
        let count = count as f64;
        Load { mean_bytes: self.mean_bytes * count, variance_bytes2: self.variance_bytes2 * count }
    }
}

impl std::ops::Add for Load {
    type Output = Load;

    /// Of two that are independent of each other.
    fn add(self, other: Load) -> Load {
        Load {
            mean_bytes: self.mean_bytes + other.mean_bytes,
            variance_bytes2: self.variance_bytes2 + other.variance_bytes2,
        }
    }
}

impl std::iter::Sum for Load {
    fn sum<I: Iterator<Item = Load>>(loads: I) -> Load {
        loads.fold(Load::NONE, std::ops::Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_add_up() {
        let one = Load { mean_bytes: 3.0, variance_bytes2: 4.0 };
        assert_eq!(one.times(3), [one, one, one].into_iter().sum());
        assert_eq!(one.times(0), Load::NONE);
    }
}
