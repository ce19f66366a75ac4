//! Of a container whose end the cluster tells.

use super::{Death, Diagnosis};
use crate::size::human;

/// How a container of a pod has ended, or that it has not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerEnd {
    /// Its name.
    pub container: String,
    /// The kubelet's word for its last end, like `OOMKilled`; none where it has never ended.
    pub reason: Option<String>,
    /// Its exit code then.
    pub exit_code: Option<i32>,
    /// When, as the cluster writes it.
    pub at: Option<String>,
    /// How often it was started again.
    pub restarts: i32,
    /// What it may use, in bytes; none where it has no limit.
    pub limit_bytes: Option<u64>,
    /// What it requests, in bytes.
    pub request_bytes: Option<u64>,
}

/// Codes that runtimes end with at their own heap limit: V8's abort, the JVM with `ExitOnOutOfMemoryError`.
const HEAP_CODES: [i32; 2] = [134, 3];
const KILLED: i32 = 137;

/// What happened in a pod, `NAMESPACE/POD`; `evicted` is the kubelet's message where it evicted the pod.
pub fn of_pod(pod: &str, ends: &[ContainerEnd], evicted: Option<&str>) -> Diagnosis {
    let (namespace, _) = pod.split_once('/').unwrap_or(("", pod));
    if let Some(message) = evicted {
        return Diagnosis {
            what: format!("{pod} was evicted"),
            why:
                "the node ran out of memory, not the pod: it was among those that used more than they request"
                    .to_string(),
            evidence: vec![message.to_string()],
            advice: "request what it uses; then others have to go first".to_string(),
            next: format!("plimsoll rightsize --namespace {namespace}"),
        };
    }
    let of = |is: &dyn Fn(&ContainerEnd) -> bool| ends.iter().find(|it| is(it));
    let is_oom = |it: &ContainerEnd| it.reason.as_deref() == Some("OOMKilled");
    let by_code = |codes: &[i32], it: &ContainerEnd| it.exit_code.is_some_and(|code| codes.contains(&code));
    if let Some(end) = of(&is_oom) {
        return died(pod, namespace, end, Death::Kill, "died of memory");
    }
    if let Some(end) = of(&|it| by_code(&[KILLED], it)) {
        // A process that is not the first may be killed at the limit without the kubelet calling it so.
        return died(pod, namespace, end, Death::Kill, "was killed, perhaps for memory");
    }
    if let Some(end) = of(&|it| by_code(&HEAP_CODES, it)) {
        return died(pod, namespace, end, Death::Heap, "ended as at its own heap limit");
    }
    Diagnosis {
        what: format!("{pod}: no container has died of memory, as far as its status tells"),
        why: "what ends without the container ending, a compiler in a job for instance, is not in its status"
            .to_string(),
        evidence: ends.iter().map(told).collect(),
        advice: "ask the agent, which counts kills of any process".to_string(),
        next: format!(
            "promtool query instant PROMETHEUS 'increase(plimsoll_oom_kills_total{{namespace=\"{namespace}\"}}[1d])'"
        ),
    }
}

fn died(pod: &str, namespace: &str, end: &ContainerEnd, death: Death, what: &str) -> Diagnosis {
    let advice = match (death, end.limit_bytes) {
        (Death::Kill, None) => {
            "it has no limit of its own, so the node or the pod was full: give it a request, and a limit"
                .to_string()
        }
        _ => death.advice().to_string(),
    };
    Diagnosis {
        what: format!("{pod}, container {}: {what}", end.container),
        why: death.why().to_string(),
        evidence: vec![told(end)],
        advice,
        next: format!("plimsoll rightsize --namespace {namespace}, then plimsoll plan"),
    }
}

fn told(end: &ContainerEnd) -> String {
    let mut words = vec![end.container.clone()];
    match (&end.reason, end.exit_code) {
        (Some(reason), Some(code)) => words.push(format!("{reason}, exit code {code}")),
        (Some(reason), None) => words.push(reason.clone()),
        _ => words.push("has not ended".to_string()),
    }
    words.extend(end.at.iter().map(|at| format!("at {at}")));
    let size = |bytes: Option<u64>| bytes.map_or("none".to_string(), human);
    words.push(format!("limit {}, request {}", size(end.limit_bytes), size(end.request_bytes)));
    words.push(format!("{} restarts", end.restarts));
    words.join(", ")
}
