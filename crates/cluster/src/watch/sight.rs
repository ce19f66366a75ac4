//! Whether what is seen is so now, and whether it may be seen at all: a watch that breaks is tried again soon, and until it had time to come back its kind counts as
//! out of sight.

use crate::ClusterError;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Pauses between attempts, the first and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(4);
/// A watch that did not break again for so long is back: an attempt comes sooner, and fails sooner.
const BACK_AFTER: Duration = Duration::from_secs(6);

/// How well a cluster is seen.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// When a watch of any kind broke last.
    lost: Mutex<Option<Instant>>,
    /// What the server does not let us see.
    refused: Mutex<Option<ClusterError>>,
    is_refused: Notify,
}

impl Sight {
    /// Takes notice of what broke a list or a watch of a kind.
    pub fn lose(&self, kind: &str, error: watcher::Error) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let error = match error {
            watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => error,
            _ => return,
        };
        let error = ClusterError::of(kind, error);
        if matches!(error, ClusterError::Forbidden { .. } | ClusterError::Unknown { .. }) {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.is_refused.notify_one();
        }
    }

    /// Waits until something is refused, for one who waits.
    pub async fn refused(&self) -> ClusterError {
        loop {
            self.is_refused.notified().await;
            if let Some(error) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return error;
            }
        }
    }

    pub fn is_clear(&self) -> bool {
        let lost = *self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.is_none_or(|lost| lost.elapsed() > BACK_AFTER)
    }
}

/// Pauses that double up to the longest.
#[derive(Debug)]
pub(crate) struct Pauses(Duration);

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
