//! Weather between us and an API server: a request that was turned away for the moment, or got lost, is sent again.
//!
//! All that we send may be sent twice: what was done and not answered is not done again, or is told by its conflict. A watch is
//! never sent again here: it is out of sight until it is back, and [`watch`](crate::watch) has to know. Nor is what a node has to answer:
//! who asks [one](crate::summary) goes on without it.

use http::{Request, Response, StatusCode};
use kube::client::Body;
use std::time::Duration;
use tokio::time::{Sleep, sleep};
use tower::BoxError;
use tower::retry::Policy;

/// A request is sent so many times again.
const AGAIN_MAX: u32 = 8;
/// Pauses double from the first to the longest: nine seconds in all.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A server may ask for a longer one, up to this.
const PAUSE_ASKED_MAX: Duration = Duration::from_secs(5);

/// When a request is sent again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weather {
    sent_again: u32,
}

impl<B> Policy<Request<Body>, Response<B>, BoxError> for Weather {
    type Future = Sleep;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<Response<B>, BoxError>,
    ) -> Option<Self::Future> {
        let asked = match result {
            Ok(answer) if !passes(answer.status()) => return None,
            Ok(answer) => asked(answer),
            Err(_) => None,
        };
        let pause = (PAUSE_FIRST * 2_u32.pow(self.sent_again)).min(PAUSE_MAX);
        self.sent_again += 1;
        let pause = asked.map_or(pause, |asked| asked.clamp(pause, PAUSE_ASKED_MAX));
        (self.sent_again <= AGAIN_MAX).then(|| sleep(pause))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        let query = request.uri().query().unwrap_or_default();
        let is_watch = query.split('&').any(|part| part == "watch=true");
        if is_watch || request.uri().path().contains("/proxy/") {
            return None;
        }
        let mut again = Request::new(request.body().try_clone()?);
        *again.method_mut() = request.method().clone();
        *again.uri_mut() = request.uri().clone();
        *again.version_mut() = request.version();
        *again.headers_mut() = request.headers().clone();
        *again.extensions_mut() = request.extensions().clone();
        Some(again)
    }
}

/// The next answer may be another.
fn passes(status: StatusCode) -> bool {
    [429, 500, 502, 503, 504].contains(&status.as_u16())
}

/// `Retry-After`, in seconds.
fn asked<B>(answer: &Response<B>) -> Option<Duration> {
    let seconds = answer.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> Request<Body> {
        Request::get(path).body(Body::empty()).unwrap()
    }

    #[test]
    fn what_takes_its_time_is_not_sent_again() {
        let check = |path: &str, expect: bool| {
            let mut weather = Weather::default();
            let again = Policy::<_, Response<()>, _>::clone_request(&mut weather, &request(path));
            assert_eq!(again.is_some(), expect, "{path}");
        };
        check("/api/v1/pods?limit=500", true);
        check("/api/v1/pods?&watch=true&timeoutSeconds=290", false);
        check("/api/v1/namespaces/watch=true", true);
        check("/api/v1/nodes/one/proxy/stats/summary", false);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_end() {
        let pauses = |status: u16, asked: Option<&str>| {
            let mut weather = Weather::default();
            let mut all = Vec::new();
            loop {
                let mut answer = Response::builder().status(status);
                if let Some(asked) = asked {
                    answer = answer.header("retry-after", asked);
                }
                let mut answer = Ok(answer.body(()).unwrap());
                let before = tokio::time::Instant::now();
                match weather.retry(&mut request("/"), &mut answer) {
                    Some(sleep) => all.push((sleep.deadline() - before).as_millis()),
                    None => return all,
                }
            }
        };
        let plain = [100, 200, 400, 800, 1600, 2000, 2000, 2000];
        assert_eq!(pauses(500, None), plain);
        assert_eq!(pauses(429, Some("1")), [1000, 1000, 1000, 1000, 1600, 2000, 2000, 2000]);
        assert_eq!(pauses(503, Some("3600")), [5000; 8]);
        assert_eq!(pauses(503, Some("soon")), plain);
        for status in [200, 400, 403, 404, 409, 410, 422] {
            assert_eq!(pauses(status, None), [], "{status}");
        }
    }
}
