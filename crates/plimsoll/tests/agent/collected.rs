//! What others make of it: a real Prometheus that scrapes, and a real OpenTelemetry collector that is sent to.

use super::common::cluster::within;
use super::common::tools;
use super::kernel::{ID, Kernel, container, pod};
use super::process::Agent;
use super::{MIB, UID};
use plimsoll_real::query::instant;
use plimsoll_real::{Server, eventually, free_port};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn a_prometheus_scrapes_it_as_openmetrics() {
    let kernel = Kernel::new();
    kernel.group("system.slice/a \"b\\c\".service", "max", 0);
    let agent = Agent::start(&["--root", kernel.root()]);
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("prometheus.yml");
    let job = format!(
        "scrape_configs: [{{job_name: agent, scrape_interval: 1s, static_configs: [{{targets: ['{}']}}]}}]",
        agent.host()
    );
    std::fs::write(&config, job).expect("a file");
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", folder.path().join("blocks").display()),
        "--enable-feature=no-default-scrape-port".to_string(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let listen = |port| vec![format!("--web.listen-address=127.0.0.1:{port}")];
    let prometheus = Server::start("prometheus", &arguments, listen, "/-/ready");
    let ask = |query: &str| instant(&prometheus, query, jiff::Timestamp::now().as_second());
    eventually(|| ask("up{job=\"agent\"} == 1").len() == 1);
    let found = ask("plimsoll_container_memory_usage_bytes");
    let [(labels, bytes)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((labels["container"].as_str(), *bytes), ("a \"b\\c\".service", 100.0 * MIB));
    assert_eq!(ask("plimsoll_oom_kills_total").len(), 1);
    // It asked for OpenMetrics, of which the family's type is known by the name without `_total`.
    let metadata = ureq::get(format!("{}/api/v1/metadata?metric=plimsoll_oom_kills", prometheus.url)).call();
    let metadata = metadata.expect("an answer").body_mut().read_to_string().expect("a text");
    assert!(metadata.contains("\"type\":\"counter\""), "{metadata}");
}

#[test]
fn a_collector_takes_what_it_is_sent() {
    let program = tools().join("bin/otel-collector");
    if !program.exists() {
        eprintln!("skipped: no otel-collector here; run dev/collector/build");
        return;
    }
    let port = free_port();
    let config = format!(
        "yaml:{{receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}, exporters: {{debug: {{verbosity: detailed}}}}, \
         service: {{telemetry: {{metrics: {{level: none}}}}, pipelines: {{metrics: {{receivers: [otlp], exporters: [debug]}}}}}}}}"
    );
    let mut collector = Command::new(program);
    let mut collector = collector
        .args(["--config", &config])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let said = Arc::new(Mutex::new(String::new()));
    let (mut pipe, heard) = (collector.stderr.take().expect("a pipe"), said.clone());
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut bytes) {
            heard.lock().expect("no panic").push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    });
    let kernel = Kernel::new();
    kernel.group(&pod(UID), "max", 0);
    kernel.group(&container(UID, ID), "536870912", 0);
    let url = format!("http://127.0.0.1:{port}");
    let agent = Agent::start(&[
        "--root",
        kernel.root(),
        "--node",
        "one",
        "--kubeconfig",
        "/nowhere",
        "--otlp",
        &url,
        "--otlp-interval",
        "1s",
    ]);
    let text = || said.lock().expect("no panic").clone();
    within(
        Duration::from_secs(30),
        "it has come",
        || text().contains("plimsoll.oom_kills"),
        || format!("{}\n{}", text(), agent.said()),
    );
    let _ = collector.kill();
    let _ = collector.wait();
    let text = text();
    for expect in [
        "-> Name: container.memory.usage\n",
        "-> Name: container.memory.working_set\n",
        "-> Name: container.memory.rss\n",
        "-> Name: container.memory.available\n",
        "-> Name: k8s.container.memory.limit.current\n",
        "-> Name: container.memory.paging.faults\n",
        "-> Name: plimsoll.container.memory.nonreclaimable\n",
        "-> DataType: Sum\n",
        "-> IsMonotonic: true\n",
        "-> AggregationTemporality: Cumulative\n",
        "Value: 104857600\n",
        &format!("-> container.id: Str({ID})\n"),
        &format!("-> k8s.pod.uid: Str({UID})\n"),
        "-> k8s.node.name: Str(one)\n",
        "InstrumentationScope plimsoll.agent",
    ] {
        assert!(text.contains(expect), "{expect}: {text}");
    }
}
