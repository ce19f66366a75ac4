//! The `vpa` policy of a backtest and the real recommender are told the same histories, and have to say the same.

mod histories;
mod pods;

use histories::{ALL, HOURS, History};
use plimsoll_core::sizing::histogram::Histogram;
use plimsoll_core::sizing::vpa::{POD_FLOOR_BYTES, Vpa};
use plimsoll_core::sizing::{HOUR_MS, OomKill, Policy, Sample};
use plimsoll_real::Server;
use plimsoll_real::cluster::metrics::{self, Use};
use plimsoll_real::cluster::vpa::{Autoscaler, checkpoint, recommendation};
use plimsoll_real::cluster::{Cluster, Node};
use plimsoll_real::write::{Series, write};
use pods::{APP, Pods, bytes, eventually};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The bounds' percentiles, and how they are widened: (1 + multiplier / confidence)^exponent.
/// Source: `logic/recommender.go` of the recommender.
const LOWER: (f64, f64, i32) = (0.5, 0.001, -2);
const UPPER: (f64, f64, i32) = (0.95, 1.0, 1);
const TARGET_SHARE: f64 = 0.9;
/// In days: one CPU sample an hour, where 1440 would be a day of it.
const CONFIDENCE: f64 = HOURS as f64 / 1440.0;
/// A Deployment of two pods with histories of their own.
const PAIR: &str = "pair";

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// What our policy makes of a history that ends at a time.
fn ours((_, bytes): History, end_ms: i64) -> Vpa {
    let mut vpa = Vpa::new(0);
    for hour in 0..HOURS {
        let at_ms = end_ms - (HOURS - 1 - hour) as i64 * HOUR_MS;
        vpa.observe(Sample { at_ms, bytes: bytes(hour) });
    }
    vpa
}

/// All three memory sizes of a recommendation, with a confidence in days and a floor in bytes.
fn expected(vpa: &Vpa, confidence: f64, floor_bytes: u64) -> [u64; 3] {
    let bound = |(share, multiplier, exponent): (f64, f64, i32)| {
        let wide = vpa.with_margin(share).unwrap() as f64 * (1.0 + multiplier / confidence).powi(exponent);
        (wide as u64).max(floor_bytes)
    };
    [vpa.with_margin(TARGET_SHARE).unwrap().max(floor_bytes), bound(LOWER), bound(UPPER)]
}

fn recommended(pods: &Pods, name: &str) -> Option<[u64; 3]> {
    let all = recommendation(&pods.admin, &pods.namespace, name, APP);
    let size = |of: &str| bytes(&all[of]["memory"]);
    (!all.is_null()).then(|| ["target", "lowerBound", "upperBound"].map(size))
}

/// Histories in a Prometheus, which the recommender reads once, an hour's value at each hour before it starts.
#[test]
fn the_same_sizes_from_the_same_prometheus() {
    let folder = folder("recorded");
    let cluster = Cluster::start(&folder, &[Node::new("one", "64Gi", "16")]);
    let autoscaler = Autoscaler::install(&cluster);
    let pods = Pods::create(&cluster, "recorded", ALL.iter().map(|(name, _)| (*name, 1)));
    let prometheus = plimsoll_real::prometheus(&folder, &[]);
    let end_ms = now_ms();
    record(&prometheus, &pods, end_ms);
    let prometheus = format!("--prometheus-address={}", prometheus.url);
    let arguments = [
        "--storage=prometheus",
        &prometheus,
        "--prometheus-cadvisor-job-name=cadvisor",
        "--container-pod-name-label=pod",
        "--container-name-label=container",
        // Its own default is an instant query, which it then refuses.
        "--metric-for-pod-labels=kube_pod_labels[8d]",
        "--pod-label-prefix=label_",
        "--pod-namespace-label=namespace",
        "--pod-name-label=pod",
        "--recommender-interval=1s",
    ];
    let _recommender = autoscaler.recommender(&cluster.kubeconfig, &arguments.map(str::to_string));
    for history in ALL {
        let theirs = eventually(history.0, || recommended(&pods, history.0).ok_or(Value::Null));
        assert_eq!(theirs, expected(&ours(history, end_ms), CONFIDENCE, POD_FLOOR_BYTES), "{}", history.0);
    }
}

/// Writes the histories down as cAdvisor and kube-state-metrics would. A value holds from half an hour before its hour to half an
/// hour after it, so that it does not matter when within minutes the recommender starts.
fn record(prometheus: &Server, pods: &Pods, end_ms: i64) {
    const STEP_MS: i64 = 4 * 60_000;
    let start_ms = end_ms - HOURS as i64 * HOUR_MS - HOUR_MS / 2;
    let times: Vec<i64> = (start_ms..=end_ms).rev().step_by(STEP_MS as usize).collect();
    let of = |value: &dyn Fn(i64) -> f64| times.iter().rev().map(|at_ms| (*at_ms, value(*at_ms))).collect();
    for (name, bytes) in ALL {
        let pod = pods.pod(name);
        let labels = [("job", "cadvisor"), ("namespace", &pods.namespace), ("pod", &pod), ("container", APP)];
        let hour = |at_ms: i64| (HOURS as i64 - 1 - (end_ms - at_ms + HOUR_MS / 2) / HOUR_MS).max(0);
        let used = of(&|at_ms| bytes(hour(at_ms) as usize) as f64);
        let cpu = of(&|at_ms| (at_ms - start_ms) as f64 / 10_000.0);
        let shown = [("namespace", pods.namespace.as_str()), ("pod", &pod), ("label_app", name)];
        write(
            prometheus,
            &[
                Series::new("container_memory_working_set_bytes", &labels, used),
                Series::new("container_cpu_usage_seconds_total", &labels, cpu),
                Series::new("kube_pod_labels", &shown, vec![(end_ms, 1.0)]),
            ],
        );
    }
}

/// Histories as metrics.k8s.io tells them, an hour later at each loop of the recommender, and what it keeps of them in its
/// checkpoints. A kill comes last.
#[test]
fn the_same_buckets_from_the_same_metrics() {
    let folder = folder("live");
    let cluster = Cluster::start(&folder, &[Node::new("one", "64Gi", "16")]);
    let autoscaler = Autoscaler::install(&cluster);
    let pods = Pods::create(&cluster, "live", ALL.iter().map(|(name, _)| (*name, 1)).chain([(PAIR, 2)]));
    // Two days ago: its last window is over, so that all of it is in the checkpoint.
    let end_ms = (now_ms() / 1000 - 2 * 24 * 3600) * 1000;
    tell(&cluster, &pods, end_ms);
    let arguments = [
        "--recommender-interval=50ms",
        "--pod-recommendation-min-memory-mb=0",
        // It would wait for its turn between one loop and the next.
        "--kube-api-qps=10000",
        "--kube-api-burst=10000",
    ];
    let _recommender = autoscaler.recommender(&cluster.kubeconfig, &arguments.map(str::to_string));
    let kept = |name: &str, samples: usize| {
        eventually(name, || {
            let kept = checkpoint(&pods.admin, &pods.namespace, name, APP);
            if kept["totalSamplesCount"] == samples { Ok(kept) } else { Err(kept) }
        })
    };
    for history in ALL {
        let kept = kept(history.0, HOURS);
        let ours = ours(history, end_ms);
        assert_eq!(kept["memoryHistogram"]["bucketWeights"], weights(ours.peaks()), "{}", history.0);
        let total = kept["memoryHistogram"]["totalWeight"].as_f64().unwrap();
        assert!((total / ours.peaks().total() - 1.0).abs() < 1e-9, "{}: {total}", history.0);
        assert_eq!(recommended(&pods, history.0).unwrap(), expected(&ours, CONFIDENCE, 0), "{}", history.0);
    }
    // The peaks of the pods of one workload lie in the same buckets.
    let mut both = ours(ALL[1], end_ms).peaks().clone();
    both.merge(ours(ALL[6], end_ms).peaks());
    assert_eq!(kept(PAIR, 2 * HOURS)["memoryHistogram"]["bucketWeights"], weights(&both));
    kills_count_the_same(&pods, ALL[0], ours(ALL[0], end_ms));
}

/// Serves the histories: each time they are asked for, the next hour of them.
fn tell(cluster: &Cluster, pods: &Pods, end_ms: i64) {
    let mut names = ALL.map(|(name, bytes)| (pods.pod(name), bytes)).to_vec();
    names.extend([(pods.pod(PAIR), ALL[1].1), (pods.second_pod(PAIR), ALL[6].1)]);
    let asked = AtomicUsize::new(0);
    let namespace = pods.namespace.clone();
    metrics::serve(cluster, move || {
        // Its first loop, and one an hour later, throws away what has had no sample for eight days: it is told nothing then.
        let Some(hour) = asked.fetch_add(1, Ordering::Relaxed).checked_sub(1) else { return Vec::new() };
        let hour = hour.min(HOURS - 1);
        let at_s = end_ms / 1000 - (HOURS - 1 - hour) as i64 * 3600;
        let of = |(pod, bytes): &(String, fn(usize) -> u64)| Use {
            namespace: namespace.clone(),
            pod: pod.clone(),
            container: APP.to_string(),
            at_s,
            memory_bytes: bytes(hour),
            cpu_millicores: 100,
        };
        names.iter().map(of).collect()
    });
}

fn kills_count_the_same(pods: &Pods, history: History, mut vpa: Vpa) {
    let kill_ms = pods.kill(history.0);
    vpa.oom(OomKill { at_ms: kill_ms, limit_bytes: pods::REQUEST_BYTES, request_bytes: pods::REQUEST_BYTES });
    let after = expected(&vpa, CONFIDENCE, 0);
    eventually("as after a kill", || match recommended(pods, history.0) {
        Some(theirs) if theirs == after => Ok(()),
        theirs => Err(format!("{theirs:?}, not {after:?}").into()),
    });
}

/// The weights of the buckets as a checkpoint has them: the heaviest is 10,000, and what rounds to nothing is left out.
fn weights(peaks: &Histogram) -> Value {
    let heaviest = peaks.iter().map(|(_, weight)| weight).fold(0.0, f64::max);
    let scaled = peaks.iter().map(|(_, weight)| (weight * (10_000.0 / heaviest) + 0.5).floor() as u64);
    let kept = scaled.enumerate().filter(|(_, weight)| *weight > 0);
    kept.map(|(bucket, weight)| (bucket.to_string(), Value::from(weight))).collect()
}
