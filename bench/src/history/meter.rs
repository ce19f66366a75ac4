//! What something costs a Prometheus: its CPU time, and by its own count the requests and the bytes it answered with.

use crate::Failure;
use plimsoll_real::Server;
use std::ops::Sub;

/// Since the server was started.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    pub cpu_seconds: f64,
    pub requests: f64,
    pub sent_bytes: f64,
}

impl Sub for Spent {
    type Output = Spent;

    fn sub(self, before: Spent) -> Spent {
        Spent {
            cpu_seconds: self.cpu_seconds - before.cpu_seconds,
            requests: self.requests - before.requests,
            sent_bytes: self.sent_bytes - before.sent_bytes,
        }
    }
}

/// What has been spent so far, but for being asked that.
pub fn spent(server: &Server, cpu_seconds: f64) -> Result<Spent, Failure> {
    let metrics = metrics(server)?;
    let of_others = |name: &str| sum(&metrics, name, |labels| !labels.contains("handler=\"/metrics\""));
    Ok(Spent {
        cpu_seconds,
        requests: of_others("prometheus_http_requests_total"),
        sent_bytes: of_others("prometheus_http_response_size_bytes_sum"),
    })
}

/// A server's own metrics, as text.
pub fn metrics(server: &Server) -> Result<String, Failure> {
    Ok(ureq::get(format!("{}/metrics", server.url)).call()?.body_mut().read_to_string()?)
}

/// The sum of a metric's series whose labels are wanted.
pub fn sum(metrics: &str, name: &str, wanted: impl Fn(&str) -> bool) -> f64 {
    let value = |line: &str| {
        let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        let is_whole = labels.is_empty() || labels.starts_with('{');
        (is_whole && wanted(labels)).then(|| value.parse::<f64>().ok())?
    };
    metrics.lines().filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        let metrics = "# TYPE a counter\na{handler=\"/x\"} 2\na{handler=\"/metrics\"} 4\na_b 8\nc 1.5e+3\n";
        assert_eq!(sum(metrics, "a", |labels| !labels.contains("metrics")), 2.0);
        assert_eq!(sum(metrics, "c", |_| true), 1500.0);
    }
}
