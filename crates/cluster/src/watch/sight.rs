//! Whether what is seen is so now: a watch that breaks is tried again soon, and until it had time to come back its kind counts as
//! out of sight.

use kube::runtime::utils::Backoff;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Pauses between attempts, the first and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(4);
/// A watch that did not break again for so long is back: an attempt comes sooner, and fails sooner.
const BACK_AFTER: Duration = Duration::from_secs(6);

/// When a watch of any kind broke last.
#[derive(Debug, Default)]
pub(super) struct Sight(Mutex<Option<Instant>>);

impl Sight {
    pub fn lost(&self) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(Instant::now());
    }

    pub fn is_clear(&self) -> bool {
        let lost = *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        lost.is_none_or(|lost| lost.elapsed() > BACK_AFTER)
    }
}

/// Pauses that double up to the longest.
#[derive(Debug)]
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Pauses {
        Pauses(PAUSE_FIRST)
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (pause * 2).min(PAUSE_MAX);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0 = PAUSE_FIRST;
    }
}
