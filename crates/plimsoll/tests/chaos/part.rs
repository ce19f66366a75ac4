//! Which part of all that can be done is done: `PLIMSOLL_CHAOS=all` does it all, without it each day does another.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whether all is done.
pub fn is_whole() -> bool {
    std::env::var("PLIMSOLL_CHAOS").is_ok_and(|value| value == "all")
}

/// All of these, or one among the first, which depends on the day and on `turn`, which is the test's own.
pub fn of<T: Copy>(all: &[T], among: usize, turn: usize) -> Vec<T> {
    if is_whole() { all.to_vec() } else { vec![all[(day() + turn) % among]] }
}

/// Days since 1970.
pub fn day() -> usize {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    (since.as_secs() / 86_400) as usize
}
