//! Histories of memory that are known: what a container used in the hours of them, by number.

use plimsoll_core::size::MIB;
use std::f64::consts::TAU;

/// A history by its name.
pub type History = (&'static str, fn(usize) -> u64);

/// So many hours: the eight days that the recommender reads, with the ends.
pub const HOURS: usize = 8 * 24 + 1;

/// The histories.
pub const ALL: [History; 8] = [
    ("flat", |_| 400 * MIB),
    ("cycle", |hour| daily(hour, 300, 200)),
    ("rising", |hour| (200 + 5 * hour as u64) * MIB),
    ("falling", |hour| (4000 - 15 * hour as u64) * MIB),
    ("spike", |hour| if hour == 5 * 24 + 7 { 2000 * MIB } else { daily(hour, 400, 100) }),
    ("late-spike", |hour| if hour == HOURS - 9 { 2000 * MIB } else { daily(hour, 400, 100) }),
    ("noise", |hour| 700 * MIB + (hour as u64 * 7_919_999_983) % (9000 * MIB)),
    ("small", |hour| (6 + hour as u64 % 3) * MIB),
];

fn daily(hour: usize, level_mib: u64, swing_mib: u64) -> u64 {
    let swing = (hour as f64 / 24.0 * TAU).sin() * (swing_mib * MIB) as f64;
    level_mib * MIB + (swing + (swing_mib * MIB) as f64) as u64
}
