//! Which part of all that can be done is done: `PLIMSOLL_CHAOS=all` does it all, without it each day does another.

use std::time::{SystemTime, UNIX_EPOCH};

/// All of these, or every so-manieth, beginning with one that depends on the day and on `turn`, which is the test's own.
pub fn of<T: Copy>(all: &[T], stride: usize, turn: usize) -> Vec<T> {
    if std::env::var("PLIMSOLL_CHAOS").is_ok_and(|value| value == "all") {
        return all.to_vec();
    }
    all.iter().skip((day() + turn) % stride).step_by(stride).copied().collect()
}

/// Days since 1970.
pub fn day() -> usize {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    (since.as_secs() / 86_400) as usize
}
