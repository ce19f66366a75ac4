//! Pieces of queries that stand in many of them.

use crate::settings::Settings;

/// Labels that tell containers apart. What the agent sees of a pod is known by its pod; on a host without Kubernetes, by host and cgroup.
/// Each side of a join is made unique first, so that a second replica of an exporter breaks none.
pub(crate) struct Keys {
    /// `by` of what has a pod.
    pub pod: String,
    /// `by` of what has none.
    pub host: String,
    /// `on` of both.
    pub all: String,
}

impl Keys {
    pub fn of(settings: &Settings) -> Keys {
        let cluster = &settings.cluster_label;
        Keys {
            pod: format!("{cluster}, namespace, pod, container"),
            host: format!("{cluster}, instance, cgroup, container"),
            all: format!("{cluster}, namespace, pod, container, instance, cgroup"),
        }
    }

    /// A gauge of the agent's, once for each container.
    pub fn unique(&self, metric: &str, selector: &str) -> String {
        let pods = braces(metric, &[selector, r#"pod!="""#]);
        let hosts = braces(metric, &[selector, r#"pod="""#]);
        format!("max by ({}) ({pods})\nor\nmax by ({}) ({hosts})", self.pod, self.host)
    }
}

/// A series with matchers, those that are empty left out.
pub(crate) fn braces(metric: &str, matchers: &[&str]) -> String {
    let set: Vec<&str> =
        matchers.iter().map(|it| it.trim().trim_end_matches(',')).filter(|it| !it.is_empty()).collect();
    if set.is_empty() { metric.to_string() } else { format!("{metric}{{{}}}", set.join(",")) }
}

/// A series with one setting's matchers.
pub(crate) fn with(metric: &str, selector: &str) -> String {
    braces(metric, &[selector])
}

/// The least of several, series by series: PromQL has no function for it.
pub(crate) fn least(of: &[String]) -> String {
    let mut all = of.iter();
    let first = all.next().cloned().unwrap_or_default();
    all.fold(first, |least, next| format!("(({least} < {next}) or {next})"))
}
