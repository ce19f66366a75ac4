//! How much one may ask: so many requests a second for each token, and some at once.

use super::access::Principal;
use super::problem::{Code, Problem};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Requests that may come at once, after a pause.
const BURST: u32 = 100;
/// On the long run one in so long: 50 a second.
const EACH: Duration = Duration::from_millis(20);
/// Names that are remembered; those with TokenReview come from outside.
const NAMES_MAX: usize = 10_000;

/// When each could have asked last without ever having been early: the generic cell rate algorithm (ITU-T I.371).
#[derive(Debug, Clone, Default)]
pub struct Rates(Arc<Mutex<HashMap<Arc<str>, Instant>>>);

impl Rates {
    /// Takes one request, or says how long to wait for it.
    fn take(&self, name: &Arc<str>, now: Instant) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= NAMES_MAX {
            // Who has nothing to wait for is as if never seen.
            all.retain(|_, next| *next > now);
        }
        let next = all.get(name).copied().unwrap_or(now).max(now);
        let early = next.duration_since(now);
        let most = EACH * (BURST - 1);
        if early > most {
            return Err(early - most);
        }
        all.insert(name.clone(), next + EACH);
        Ok(())
    }
}

/// Turns away who asks too much.
pub async fn limit(
    State(rates): State<Option<Rates>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let (Some(rates), Some(principal)) = (rates, request.extensions().get::<Principal>()) {
        rates.take(&principal.name, Instant::now()).map_err(|wait| {
            let text = "more than 50 requests a second\nask less often";
            Problem::new(Code::TooManyRequests, text).after(wait.as_secs() + 1)
        })?;
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_at_once_and_then_so_many_a_second() {
        let (rates, start, name) = (Rates::default(), Instant::now(), Arc::from("one"));
        let taken = |after: Duration| {
            let now = start + after;
            std::iter::from_fn(|| rates.take(&name, now).ok()).take(1_000).count()
        };
        assert_eq!(taken(Duration::ZERO), 100);
        assert_eq!(taken(Duration::from_millis(19)), 0);
        assert_eq!(taken(Duration::from_millis(200)), 10);
        assert_eq!(taken(Duration::from_secs(60)), 100);
        assert!(rates.take(&Arc::from("another"), start).is_ok());
    }
}
