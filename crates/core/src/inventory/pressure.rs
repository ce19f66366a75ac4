//! Pressure: how much a container waits for memory, as the kernel tells it (PSI, Linux from 4.20 on).

use std::fmt;

/// A percent, in the tenths of it that [`Pressure`] is in.
pub const PERCENT: u32 = 10;

/// The share of time in which nothing in a container ran, for all of it waited for memory: `full` of PSI, in tenths of a
/// percent. The kernel's averages let the past fade; they are not those of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pressure {
    /// Of about the last ten seconds (`avg10`).
    pub last_10s_permille: u32,
    /// Of about the last minute (`avg60`).
    pub last_60s_permille: u32,
}

impl Pressure {
    /// It waits, or did of late.
    pub fn highest(self) -> u32 {
        self.last_10s_permille.max(self.last_60s_permille)
    }

    /// It has waited for a while, and does now.
    pub fn lasting(self) -> u32 {
        self.last_10s_permille.min(self.last_60s_permille)
    }
}

/// As people write it: `21.4 %`.
pub fn percent(permille: u32) -> impl fmt::Display {
    format!("{}.{} %", permille / PERCENT, permille % PERCENT)
}
