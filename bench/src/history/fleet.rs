//! A fleet of containers that never was: names and readings by number, the same every time.

use crate::Failure;
use plimsoll_core::size::MIB;
use plimsoll_real::Server;
use plimsoll_real::write::{Series, write};
use std::f64::consts::TAU;
use std::time::{Duration, Instant};

/// Two weeks that ended on 2026-11-23 at 00:00 UTC, in milliseconds since 1970.
pub const TO_MS: i64 = 1_795_392_000_000;
pub const FROM_MS: i64 = TO_MS - 14 * 24 * 3_600_000;
pub const METRIC: &str = "container_memory_working_set_bytes";
pub const CONTAINER: &str = "app";
const MINUTE_MS: i64 = 60_000;
/// Scrapes are at a second of their own.
const SCRAPED_MS: i64 = 17_000;
/// A request of remote write has so many minutes of all series: Prometheus takes that as if it came live.
const WRITTEN_MINUTES: i64 = 30;
const PODS: u64 = 3;
const NAMESPACES: u64 = 10;
const PAGE_BYTES: f64 = 4096.0;
/// No more than so long for Prometheus to have its blocks in order.
const SETTLE_MAX: Duration = Duration::from_secs(300);

/// A workload: three pods that run one container each.
pub struct Workload {
    pub namespace: String,
    pub name: String,
    pub pods: Vec<String>,
}

/// All workloads of so many series.
pub fn workloads(series: u64) -> Vec<Workload> {
    let of = |number: u64| Workload {
        namespace: namespace(number),
        name: format!("service-{number}"),
        pods: (0..PODS.min(series - number * PODS)).map(|pod| format!("service-{number}-{pod}")).collect(),
    };
    (0..series.div_ceil(PODS)).map(of).collect()
}

/// The namespaces of so many series.
pub fn namespaces(series: u64) -> Vec<String> {
    (0..series.div_ceil(PODS).min(NAMESPACES)).map(namespace).collect()
}

fn namespace(workload: u64) -> String {
    format!("team-{}", workload % NAMESPACES)
}

/// What the series of this number uses at a time: a level, a day and a night, and what changes from reading to reading.
pub fn used_bytes(series: u64, at_ms: i64) -> f64 {
    let level = (40 + mixed(series) % 1500) as f64 * MIB as f64;
    let day = 1.0 + 0.2 * (at_ms as f64 / 86_400_000.0 * TAU).sin();
    let pages = mixed(series << 32 ^ (at_ms / MINUTE_MS) as u64) % 512;
    ((level * day / PAGE_BYTES).floor() + pages as f64) * PAGE_BYTES
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Writes two weeks of so many series, a reading each minute, and waits until Prometheus has put them in order.
pub fn fill(server: &Server, series: u64) -> Result<(), Failure> {
    let labels: Vec<Vec<(String, String)>> = workloads(series)
        .iter()
        .flat_map(|workload| workload.pods.iter().map(|pod| labels(workload, pod)))
        .collect();
    for from_ms in (FROM_MS..TO_MS).step_by((WRITTEN_MINUTES * MINUTE_MS) as usize) {
        let times = || (0..WRITTEN_MINUTES).map(|minute| from_ms + minute * MINUTE_MS + SCRAPED_MS);
        let part = labels.iter().enumerate().map(|(number, labels)| Series {
            labels: labels.clone(),
            samples: times().map(|at_ms| (at_ms, used_bytes(number as u64, at_ms))).collect(),
        });
        write(server, &part.collect::<Vec<_>>());
    }
    settle(server)
}

/// As many labels as cAdvisor gives.
fn labels(workload: &Workload, pod: &str) -> Vec<(String, String)> {
    let uid = format!("{:016x}", pod.bytes().fold(1, |hash, byte| mixed(hash ^ u64::from(byte))));
    let own = [
        ("namespace", workload.namespace.as_str()),
        ("pod", pod),
        ("container", CONTAINER),
        ("id", &format!("/kubepods.slice/kubepods-burstable.slice/kubepods-pod{uid}.slice/cri-{uid}.scope")),
        ("image", &format!("registry.example/{}:1.0", workload.name)),
        ("name", &uid),
        ("job", "kubelet"),
        ("metrics_path", "/metrics/cadvisor"),
        ("instance", "10.0.0.1:10250"),
        ("node", "node-1"),
    ];
    Series::new(METRIC, &own, Vec::new()).labels
}

/// Waits until the head is small and nothing is compacted any more.
fn settle(server: &Server) -> Result<(), Failure> {
    const HEAD_MS: f64 = 3.0 * 3_600_000.0 * 1.1;
    const QUIET: Duration = Duration::from_secs(5);
    const QUIET_CPU_SECONDS: f64 = 0.1;
    let started = Instant::now();
    loop {
        let before = server.cpu_seconds();
        std::thread::sleep(QUIET);
        let is_quiet = server.cpu_seconds() - before < QUIET_CPU_SECONDS;
        let metrics = super::meter::metrics(server)?;
        let value = |name: &str| super::meter::sum(&metrics, name, |_| true);
        let head_ms =
            value("prometheus_tsdb_head_max_time_seconds") - value("prometheus_tsdb_head_min_time_seconds");
        if is_quiet && head_ms * 1000.0 < HEAD_MS || started.elapsed() > SETTLE_MAX {
            return Ok(());
        }
    }
}
