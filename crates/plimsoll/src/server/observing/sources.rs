//! Sources: the pages of pods, or a Prometheus that has collected them; asked on threads that may wait.

use super::pods::{Pod, named};
use super::prometheus::Prometheus;
use crate::config::{Observe, Watched};
use futures_util::stream::{self, StreamExt};
use plimsoll_core::capacity::formula::observation::Observation;
use plimsoll_history::HistoryError;
use plimsoll_history::server::access::{Access, Authorization};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Pods that are asked at the same time.
const AT_ONCE: usize = 16;
/// A longer file is no token, in bytes.
const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// What came of asking somebody.
#[derive(Debug)]
pub(super) struct Look {
    pub target: String,
    pub observations: Vec<Observation>,
    pub error: Option<String>,
}

/// Who is asked.
pub(super) enum Source {
    Pods(Vec<Arc<Mutex<Pod>>>),
    Prometheus(Arc<Mutex<Prometheus>>),
}

impl Source {
    /// Those of the configuration; a Prometheus is asked for what came after a moment, too.
    pub fn new(observe: &Observe, last_ms: Option<i64>) -> Source {
        match &observe.from {
            Watched::Pods(urls) => Source::Pods(named(urls).map(|pod| Arc::new(Mutex::new(pod))).collect()),
            Watched::Prometheus { url, labels } => {
                Source::Prometheus(Arc::new(Mutex::new(Prometheus::new(url, labels, last_ms))))
            }
        }
    }

    /// Asks all of them.
    pub async fn look(&self, observe: &Arc<Observe>, at_ms: i64) -> Vec<Look> {
        match self {
            Source::Pods(pods) => {
                let look = |pod: Arc<Mutex<Pod>>| {
                    let observe = observe.clone();
                    tokio::task::spawn_blocking(move || {
                        pod.lock().unwrap_or_else(PoisonError::into_inner).look(&observe, at_ms)
                    })
                };
                let looks = stream::iter(pods.iter().cloned()).map(look).buffer_unordered(AT_ONCE);
                let looks: Vec<Result<Look, _>> = looks.collect().await;
                looks.into_iter().flatten().collect()
            }
            Source::Prometheus(prometheus) => {
                let (prometheus, observe) = (prometheus.clone(), observe.clone());
                let look = tokio::task::spawn_blocking(move || {
                    prometheus.lock().unwrap_or_else(PoisonError::into_inner).look(&observe, at_ms)
                });
                look.await.unwrap_or_default()
            }
        }
    }
}

/// A URL without user and password.
pub(super) fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://{place}"),
        _ => url.to_string(),
    }
}

pub(super) fn access(observe: &Observe, timeout_seconds: u64) -> Result<Access, String> {
    let token = observe.token_file.as_deref().map(token).transpose()?;
    Ok(Access {
        authorization: token.map(Authorization::Bearer),
        ca: observe.ca.clone(),
        timeout_seconds: Some(timeout_seconds),
        ..Access::default()
    })
}

fn token(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let mut text = String::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(TOKEN_BYTES_MAX).read_to_string(&mut text));
    read.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.trim().to_string())
}

/// What went wrong, without what to do about it on a command line, and without the URL, which is the target.
pub(super) fn in_short(error: HistoryError) -> String {
    match error {
        HistoryError::Server { problem, .. } => problem,
        other => other.to_string().lines().next().unwrap_or_default().to_string(),
    }
}
