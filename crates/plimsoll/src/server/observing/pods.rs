//! Pods that are asked themselves, by the pages of their metrics.

use super::sources::{Look, access, in_short, shown};
use crate::config::Observe;
use plimsoll_core::capacity::formula::observation::Observation;
use plimsoll_core::capacity::observing::{Shown, exposition};
use plimsoll_history::server::Page;
use std::collections::HashMap;
use ureq::http::Uri;

/// A pod has so long to answer, in seconds, where it is not asked more often.
const SECONDS: u64 = 5;

/// A pod's page.
pub(super) struct Pod {
    name: String,
    url: String,
    /// Anew after it has failed: its token may be another one by then.
    page: Option<Page>,
    shown: Shown,
}

impl Pod {
    /// What it says now.
    pub fn look(&mut self, observe: &Observe, at_ms: i64) -> Look {
        let found = self.observe(observe, at_ms);
        if found.is_err() {
            self.page = None;
        }
        let (observations, error) = match found {
            Ok(observation) => (vec![observation], None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Look { target: shown(&self.url), observations, error }
    }

    fn observe(&mut self, observe: &Observe, at_ms: i64) -> Result<Observation, String> {
        let page = match self.page.take() {
            Some(page) => page,
            None => {
                let seconds = observe.every.as_secs().min(SECONDS);
                Page::new(&self.url, &access(observe, seconds)?).map_err(in_short)?
            }
        };
        let text = self.page.insert(page).read().map_err(in_short)?;
        let names = &observe.names;
        let samples = exposition::read(&text, |metric| names.metrics().contains(&metric));
        let samples = samples.map_err(|error| format!("its metrics are not understood: {error}"))?;
        self.shown.observe(names, &self.name, at_ms, &samples).map_err(|error| error.to_string())
    }
}

/// Pods by the host of their URL, and its port where another has the same host.
pub(super) fn named(urls: &[String]) -> impl Iterator<Item = Pod> {
    let of = |url: &str| {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        let port = authority.port_u16().map_or(String::new(), |port| format!(":{port}"));
        Some((authority.host().to_string(), port))
    };
    let mut hosts: HashMap<String, usize> = HashMap::new();
    urls.iter().filter_map(|url| of(url)).for_each(|(host, _)| *hosts.entry(host).or_default() += 1);
    urls.iter().map(move |url| {
        let name = match of(url) {
            Some((host, _)) if hosts[&host] == 1 => host,
            Some((host, port)) => host + &port,
            None => shown(url),
        };
        Pod { name, url: url.clone(), page: None, shown: Shown::default() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_called_by_their_hosts() {
        let check = |urls: &[&str], expect: &[&str]| {
            let urls: Vec<String> = urls.iter().map(|url| url.to_string()).collect();
            assert_eq!(named(&urls).map(|pod| pod.name).collect::<Vec<String>>(), expect, "{urls:?}");
        };
        check(
            &["http://backend-0:3000/metrics", "http://backend-1:3000/metrics"],
            &["backend-0", "backend-1"],
        );
        check(&["http://a:1/metrics", "http://a:2/metrics", "http://b"], &["a:1", "a:2", "b"]);
        check(&["http://me:s3cret@a:1/metrics"], &["a"]);
        check(&["http://me:s3cret@ a"], &["http:// a"]);
        assert_eq!(shown("https://me:s3c@ret@prom:9090/x"), "https://prom:9090/x");
    }
}
