//! OTLP: the same over HTTP to an OpenTelemetry collector, as JSON, with the names of its semantic conventions where they have one
//! (v1.44: `container.memory.*`, `k8s.container.memory.*`, `v8js.memory.heap.*`; attributes `k8s.*`, `container.*`, `cicd.*`). What they have
//! none for begins with `plimsoll.`.
//!
//! JSON by hand, as the official libraries would double what the agent weighs: a dozen gauges do not need them.

use super::moment::{Moment, Shown};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Whoever takes longer to answer is not waited for.
const TIMEOUT: Duration = Duration::from_secs(10);
/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
const CUMULATIVE: u8 = 2;
/// Stages of CI jobs that the conventions have a word for.
const TASK_TYPES: [&str; 3] = ["build", "test", "deploy"];

/// Where it is sent to.
#[derive(Clone)]
pub struct Otlp {
    url: Arc<str>,
    sender: ureq::Agent,
    started_ns: u64,
}

/// A metric of a container.
struct Metric {
    name: &'static str,
    unit: &'static str,
    /// A sum that only grows; else one that goes up and down.
    is_monotonic: bool,
    /// An attribute of the point.
    attribute: Option<(&'static str, &'static str)>,
    value: fn(&Shown) -> Option<u64>,
}

const fn bytes(name: &'static str, value: fn(&Shown) -> Option<u64>) -> Metric {
    Metric { name, unit: "By", is_monotonic: false, attribute: None, value }
}

const fn counter(
    name: &'static str,
    unit: &'static str,
    attribute: Option<(&'static str, &'static str)>,
    value: fn(&Shown) -> Option<u64>,
) -> Metric {
    Metric { name, unit, is_monotonic: true, attribute, value }
}

static METRICS: [Metric; 17] = [
    bytes("container.memory.usage", |shown| shown.reading.usage_bytes),
    bytes("container.memory.working_set", |shown| {
        shown.reading.stat.working_set_bytes(shown.reading.usage_bytes?)
    }),
    bytes("container.memory.rss", |shown| shown.reading.stat.anon),
    bytes("container.memory.available", |shown| {
        let used = shown.reading.stat.working_set_bytes(shown.reading.usage_bytes?)?;
        Some(shown.reading.limit_bytes?.saturating_sub(used))
    }),
    counter(
        "container.memory.paging.faults",
        "{fault}",
        Some(("system.paging.fault.type", "major")),
        |shown| shown.reading.stat.major_faults,
    ),
    bytes("k8s.container.memory.limit.current", |shown| shown.in_a_pod(shown.reading.limit_bytes)),
    bytes("k8s.container.memory.request.desired", |shown| shown.identity.request_bytes),
    bytes("v8js.memory.heap.used", |shown| Some(shown.heaps?.nearest.used_bytes)),
    bytes("plimsoll.v8js.memory.heap.limit", |shown| Some(shown.heaps?.nearest.limit_bytes)),
    bytes("plimsoll.container.memory.nonreclaimable", |shown| shown.reading.stat.non_reclaimable_bytes()),
    bytes("plimsoll.container.memory.cache", |shown| shown.reading.stat.file),
    bytes("plimsoll.container.memory.limit", |shown| shown.reading.limit_bytes),
    bytes("plimsoll.container.memory.peak", |shown| shown.reading.peak_bytes),
    counter("plimsoll.container.memory.pressure.waiting", "us", None, |shown| {
        Some(shown.reading.pressure?.some.total_us)
    }),
    counter("plimsoll.container.memory.pressure.stalled", "us", None, |shown| {
        Some(shown.reading.pressure?.full?.total_us)
    }),
    counter(
        "plimsoll.container.memory.refaults",
        "{page}",
        Some(("plimsoll.refault.kind", "file")),
        |shown| shown.reading.stat.refaults_file,
    ),
    counter(
        "plimsoll.container.memory.refaults",
        "{page}",
        Some(("plimsoll.refault.kind", "anon")),
        |shown| shown.reading.stat.refaults_anon,
    ),
];

impl Otlp {
    /// A collector at `http://HOST:PORT`; a path is kept, else it is `/v1/metrics`.
    pub fn new(endpoint: &str) -> Result<Otlp, String> {
        let rest = endpoint.strip_prefix("http://").ok_or_else(|| {
            format!(
                "'{endpoint}' is no http:// address\nname a collector on this node, which sends on over TLS"
            )
        })?;
        let host = rest.trim_end_matches('/');
        if host.is_empty() || host.contains([' ', '?', '#']) {
            return Err(format!("'{endpoint}' has no host\nwrite it as http://localhost:4318"));
        }
        let url =
            if host.contains('/') { format!("http://{host}") } else { format!("http://{host}/v1/metrics") };
        let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(0).build();
        let started = SystemTime::now();
        Ok(Otlp { url: url.into(), sender: config.into(), started_ns: nanoseconds(started) })
    }

    /// Where to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a body; what the collector did not take, in its words, is an error.
    pub fn send(&self, body: &str) -> Result<(), String> {
        let answer = self.sender.post(&*self.url).header("content-type", "application/json").send(body);
        let mut answer = answer.map_err(|error| error.to_string())?;
        let text = answer.body_mut().with_config().limit(64 << 10).read_to_string();
        let text = text.map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        match value["partialSuccess"]["errorMessage"].as_str() {
            Some(message) if !message.is_empty() => Err(message.to_string()),
            _ => Ok(()),
        }
    }

    /// An `ExportMetricsServiceRequest`.
    pub fn body(&self, moment: &Moment) -> String {
        let now_ns = nanoseconds(SystemTime::now());
        let of = |shown: &Shown| {
            let metrics: Vec<Value> =
                METRICS.iter().filter_map(|metric| self.metric(metric, shown, now_ns)).collect();
            let resource = json!({"attributes": attributes(shown)});
            json!({"resource": resource, "scopeMetrics": [{"scope": scope(), "metrics": metrics}]})
        };
        // One after the other: all at once as values would take ten times what the text does.
        let mut body = String::from("{\"resourceMetrics\":[");
        for shown in &moment.shown {
            body.push_str(&of(shown).to_string());
            body.push(',');
        }
        body.push_str(&self.kills(moment, now_ns).to_string());
        body.push_str("]}");
        body
    }

    fn metric(&self, metric: &Metric, shown: &Shown, now_ns: u64) -> Option<Value> {
        let value = (metric.value)(shown)?;
        let attributes = metric.attribute.map(|(key, value)| attribute(key, value)).into_iter().collect();
        let point = self.point(value, attributes, now_ns);
        Some(sum(metric.name, metric.unit, metric.is_monotonic, vec![point]))
    }

    /// Kills, by what outlives pods: they are nobody's resource.
    fn kills(&self, moment: &Moment, now_ns: u64) -> Value {
        let points = moment.totals.iter().map(|(whose, kills)| {
            let pairs = [
                ("k8s.namespace.name", &whose.namespace),
                ("plimsoll.workload.kind", &whose.workload_kind),
                ("plimsoll.workload.name", &whose.workload),
                ("k8s.container.name", &whose.container),
                ("cicd.pipeline.name", &whose.ci_project),
                ("cicd.pipeline.task.name", &whose.ci_job),
                ("plimsoll.ci.stage", &whose.ci_stage),
            ];
            self.point(*kills, known(pairs), now_ns)
        });
        let metric = sum("plimsoll.oom_kills", "{process}", true, points.collect());
        let resource = json!({"attributes": [attribute("service.name", "plimsoll-agent")]});
        json!({"resource": resource, "scopeMetrics": [{"scope": scope(), "metrics": [metric]}]})
    }

    /// Numbers of 64 bits are strings in OTLP's JSON.
    fn point(&self, value: u64, attributes: Vec<Value>, now_ns: u64) -> Value {
        json!({
            "attributes": attributes,
            "startTimeUnixNano": self.started_ns.to_string(),
            "timeUnixNano": now_ns.to_string(),
            "asInt": i64::try_from(value).unwrap_or(i64::MAX).to_string(),
        })
    }
}

impl Shown {
    fn in_a_pod(&self, value: Option<u64>) -> Option<u64> {
        value.filter(|_| !self.identity.pod_uid.is_empty())
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn scope() -> Value {
    json!({"name": "plimsoll.agent", "version": env!("CARGO_PKG_VERSION")})
}

fn sum(name: &str, unit: &str, is_monotonic: bool, points: Vec<Value>) -> Value {
    let sum =
        json!({"aggregationTemporality": CUMULATIVE, "isMonotonic": is_monotonic, "dataPoints": points});
    json!({"name": name, "unit": unit, "sum": sum})
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn known<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a String)>) -> Vec<Value> {
    pairs
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| attribute(key, value))
        .collect()
}

/// Whose a container is.
fn attributes(shown: &Shown) -> Vec<Value> {
    let (identity, whose, row) =
        (&shown.identity, &shown.identity.subject.whose, &shown.identity.subject.row);
    let mut all = known([
        ("k8s.namespace.name", &row.namespace),
        ("k8s.pod.name", &row.pod),
        ("k8s.pod.uid", &identity.pod_uid),
        ("k8s.node.name", &identity.node),
        ("container.id", &identity.container_id),
        ("container.image.name", &identity.image),
        ("plimsoll.cgroup.path", &row.cgroup),
        ("cicd.pipeline.name", &whose.ci_project),
        ("cicd.pipeline.task.name", &whose.ci_job),
        ("plimsoll.ci.stage", &whose.ci_stage),
    ]);
    let name = if row.pod.is_empty() { "container.name" } else { "k8s.container.name" };
    all.extend(known([(name, &row.container)]));
    if TASK_TYPES.contains(&&*whose.ci_stage) {
        all.push(attribute("cicd.pipeline.task.type", &whose.ci_stage));
    }
    let kind = match &*whose.workload_kind {
        "Deployment" => "k8s.deployment.name",
        "StatefulSet" => "k8s.statefulset.name",
        "DaemonSet" => "k8s.daemonset.name",
        "CronJob" => "k8s.cronjob.name",
        "Job" => "k8s.job.name",
        "ReplicaSet" => "k8s.replicaset.name",
        _ => "plimsoll.workload.name",
    };
    all.extend(known([(kind, &whose.workload)]));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check = |endpoint: &str, expect: Option<&str>| {
            assert_eq!(
                Otlp::new(endpoint).ok().map(|otlp| otlp.url().to_string()).as_deref(),
                expect,
                "{endpoint}"
            );
        };
        check("http://localhost:4318", Some("http://localhost:4318/v1/metrics"));
        check("http://localhost:4318/", Some("http://localhost:4318/v1/metrics"));
        check("http://localhost:4318/otlp/v1/metrics", Some("http://localhost:4318/otlp/v1/metrics"));
        check("https://example.com", None);
        check("localhost:4318", None);
        check("http://", None);
    }
}
