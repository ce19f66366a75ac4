//! `plimsoll rightsize` on two weeks of a small cluster, from a real Prometheus and a real VictoriaMetrics.
//!
//! The cluster is that of `examples/rightsize`, and a namespace in which something was killed and something is scaled.

mod common;

use common::PLIMSOLL;
use plimsoll_core::size::MIB;
use plimsoll_history::server::Way;
use plimsoll_history::server::access::Access;
use plimsoll_history::workloads::{self, Question};
use plimsoll_history::{Range, Reader};
use plimsoll_real::write::{Series, write_in_order};
use plimsoll_real::{Server, openmetrics, prometheus, snapshot, victoria_metrics};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

const AS_OF: &str = "2026-11-23T00:00:00Z";
const TO_MS: i64 = 1_795_392_000_000;
const DAY_MS: i64 = 24 * 3_600_000;
const FROM_MS: i64 = TO_MS - 14 * DAY_MS;
const MINUTE_MS: i64 = 60_000;

/// Both servers, with the same series.
struct Servers {
    prometheus: Server,
    victoria_metrics: Server,
    folders: [tempfile::TempDir; 2],
}

fn servers() -> Servers {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder"));
    let servers = Servers {
        prometheus: prometheus(folders[0].path(), &[]),
        victoria_metrics: victoria_metrics(folders[1].path()),
        folders,
    };
    let series = [recorded(), restless()].concat();
    write_in_order(&servers.prometheus, &series);
    write_in_order(&servers.victoria_metrics, &series);
    servers
}

fn recorded() -> Vec<Series> {
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/rightsize/record");
    let output = Command::new(record).output().expect("examples/rightsize/record starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    openmetrics::series(&String::from_utf8(output.stdout).expect("text"))
}

/// Times of a reading each five minutes.
fn times() -> impl Iterator<Item = i64> {
    (FROM_MS + 1..TO_MS).step_by(5 * MINUTE_MS as usize)
}

/// A worker that is killed at its limit of 256 MiB on the fifth and the tenth day, and a cache that is scaled by memory.
fn restless() -> Vec<Series> {
    let limit = 256 * MIB;
    let kills = [5, 10].map(|day| FROM_MS + day * DAY_MS - DAY_MS / 24);
    let killed = |at_ms: i64| kills.iter().filter(|kill| at_ms >= **kill).count() as f64;
    let until_kill =
        |at_ms: i64| kills.iter().map(|kill| kill - at_ms).filter(|ms| (0..DAY_MS).contains(ms)).min();
    // It rises for a day, to what its limit leaves.
    let worker = |at_ms: i64| {
        let share = until_kill(at_ms).map_or(0.0, |ms| 1.0 - ms as f64 / DAY_MS as f64);
        (150.0 + 104.0 * share) * MIB as f64
    };
    let of = |metric: &str, pod: &str, more: &[(&str, &str)], value: &dyn Fn(i64) -> Option<f64>| {
        let mut labels = vec![("namespace", "restless"), ("pod", pod)];
        labels.extend(more);
        Series::new(metric, &labels, times().filter_map(|at_ms| Some((at_ms, value(at_ms)?))).collect())
    };
    let mut all = Vec::new();
    for (pod, container, kind, name) in
        [("worker-0", "worker", "StatefulSet", "worker"), ("cache-0", "cache", "StatefulSet", "cache")]
    {
        let own = [("container", container)];
        let memory = [("container", container), ("resource", "memory"), ("unit", "byte")];
        let used = |at_ms: i64| Some(if container == "worker" { worker(at_ms) } else { 1e8 });
        all.extend([
            of("container_memory_working_set_bytes", pod, &own, &used),
            of("container_memory_rss", pod, &own, &|at_ms| used(at_ms).map(|used| used * 0.9)),
            of("kube_pod_owner", pod, &[("owner_kind", kind), ("owner_name", name)], &|_| Some(1.0)),
            of("kube_pod_container_resource_requests", pod, &memory, &|_| Some(limit as f64 / 2.0)),
            of("kube_pod_container_resource_limits", pod, &memory, &|_| Some(limit as f64)),
        ]);
    }
    let own = [("container", "worker")];
    let oom = [("container", "worker"), ("reason", "OOMKilled")];
    all.extend([
        of("kube_pod_container_status_restarts_total", "worker-0", &own, &|at_ms| Some(killed(at_ms))),
        of("kube_pod_container_status_last_terminated_reason", "worker-0", &oom, &|at_ms| {
            (killed(at_ms) > 0.0).then_some(1.0)
        }),
    ]);
    let scaler = |metric: &str, more: &[(&str, &str)]| {
        let mut labels = vec![("namespace", "restless"), ("horizontalpodautoscaler", "cache")];
        labels.extend(more);
        Series::new(metric, &labels, times().map(|at_ms| (at_ms, 80.0)).collect())
    };
    all.extend([
        scaler("kube_horizontalpodautoscaler_spec_target_metric", &[("metric_name", "memory")]),
        scaler(
            "kube_horizontalpodautoscaler_info",
            &[("scaletargetref_kind", "StatefulSet"), ("scaletargetref_name", "cache")],
        ),
    ]);
    all
}

/// `plimsoll rightsize --source SOURCE ARGS`, as of the end of the recording unless they say otherwise.
fn rightsize(source: &str, args: &[&str]) -> Output {
    let mut command = Command::new(PLIMSOLL);
    command.args(["rightsize", "--source", source]).args(args);
    if !args.contains(&"--as-of") {
        command.args(["--as-of", AS_OF]);
    }
    command.output().expect("plimsoll starts")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(source: &str, args: &[&str]) -> Value {
    let text = said(&rightsize(source, &[args, &["-o", "json"]].concat()));
    serde_json::from_str(&text).expect("JSON")
}

fn container<'a>(report: &'a Value, workload: &str) -> &'a Value {
    let all = report["containers"].as_array().expect("containers");
    all.iter().find(|one| one["workload"] == workload).unwrap_or_else(|| panic!("{workload}: {report}"))
}

fn mib(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number")) / MIB
}

/// One cluster for all tests of this file: it takes seconds to fill.
#[test]
fn a_small_cluster() {
    let servers = servers();
    let url = servers.prometheus.url.as_str();
    sizes_of_the_hub(url);
    kills_and_autoscalers(url);
    forms(url);
    choices(url);
    mistakes(url);
    same_by_every_way(&servers);
}

fn sizes_of_the_hub(url: &str) {
    let report = json(url, &["-n", "hub"]);
    assert_eq!(report["schema"], "plimsoll.rightsize/1");
    assert_eq!((&report["as_of"], &report["policy"]), (&AS_OF.into(), &"plimsoll".into()));
    assert_eq!((&report["skipped"], &report["remarks"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    assert_eq!(report["cost"]["way"], "remote read");
    // Kind, pods, request and limit before, in MiB, and a band for the highest use.
    let check = |workload: &str,
                 kind: &str,
                 pods: u64,
                 before: (u64, u64),
                 peak: std::ops::RangeInclusive<u64>| {
        let one = container(&report, workload);
        assert_eq!((&one["kind"], &one["namespace"]), (&kind.into(), &"hub".into()), "{one}");
        assert_eq!((one["pods"].as_u64(), &one["container"]), (Some(pods), &workload.into()), "{one}");
        assert_eq!((mib(&one["request_bytes"]), mib(&one["limit_bytes"])), before, "{one}");
        assert!(peak.contains(&mib(&one["peak_bytes"])), "{one}");
        let (request, limit) = (&one["recommended_request_bytes"], &one["recommended_limit_bytes"]);
        assert!(limit.as_u64() >= one["peak_bytes"].as_u64() && request.as_u64() <= limit.as_u64(), "{one}");
        assert!(mib(request) >= 32 && request.as_u64().is_some_and(|bytes| bytes % MIB == 0), "{one}");
        assert_eq!(one["confidence"], "high", "{one}");
        assert!(one["limit_reason"].as_str().is_some_and(|why| !why.is_empty()), "{one}");
    };
    check("backend", "StatefulSet", 2, (512, 1024), 440..=453);
    check("frontend", "Deployment", 2, (256, 512), 15..=15);
    check("pod-router", "Deployment", 2, (256, 512), 58..=60);
    check("redis", "StatefulSet", 1, (256, 512), 33..=42);
    check("traefik", "Deployment", 2, (640, 1024), 88..=96);
    check("metrics-service", "Deployment", 1, (640, 1024), 80..=90);
    let totals = &report["totals"];
    assert_eq!((&totals["containers"], &totals["pods"]), (&6.into(), &10.into()));
    assert_eq!(mib(&totals["request_bytes"]), 4224);
    // By hand it was 1,136; the backend's weekly experiment, for which nothing was requested then, is some 410 of what is more.
    let recommended = mib(&totals["recommended_request_bytes"]);
    assert!((1300..=1550).contains(&recommended), "{recommended}");
    let backend = container(&report, "backend")["limit_reason"].as_str().expect("a reason");
    assert!(backend.starts_with("weekly peak of 453 MiB, Wednesdays 1"), "{backend}");
}

fn kills_and_autoscalers(url: &str) {
    let report = json(url, &["-n", "restless"]);
    let worker = container(&report, "worker");
    assert!(mib(&worker["recommended_limit_bytes"]) > 256, "{worker}");
    assert!(
        worker["limit_reason"].as_str().is_some_and(|why| why.starts_with("killed at 256 MiB 4 days ago")),
        "{worker}"
    );
    let warnings = worker["warnings"].as_array().expect("warnings");
    let is_of_kills =
        |warning: &Value| warning == "killed for want of memory twice, the last time 4 days ago";
    assert!(warnings.iter().any(is_of_kills), "{worker}");
    let skipped = &report["skipped"][0];
    assert_eq!(skipped["workload"], "cache");
    let why = "a horizontal autoscaler scales it by memory: another request would change its replicas";
    assert_eq!(skipped["reason"], why);
    assert_eq!(report["containers"].as_array().map(Vec::len), Some(1));
}

fn forms(url: &str) {
    let check = |form: &str, expect: &[&str]| {
        let text = said(&rightsize(url, &["-n", "hub", "-o", form]));
        expect.iter().for_each(|part| assert!(text.contains(part), "{form}: {part}\n{text}"));
        text
    };
    check("table", &["hub/backend", "512 MiB / 1.0 GiB", "requested now 4.1 GiB", "read by remote read: "]);
    check(
        "wide",
        &["  limit:   weekly peak of 453 MiB, Wednesdays", "  request: nine days of ten stay below"],
    );
    check("markdown", &["| component | pods |", "| hub/redis | 1 | 256 MiB / 512 MiB |"]);
    check("html", &["<!doctype html>", "hub/pod-router"]);
    check("yaml", &["schema: plimsoll.rightsize/1", "workload: metrics-service"]);
    let text = check("csv", &["namespace,kind,workload,container,pods,request_bytes"]);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!((rows.len(), rows[0].len()), (6, reader.headers().expect("a header").len()));
}

fn choices(url: &str) {
    let of = |args: &[&str]| {
        let report = json(url, &[&["-n", "hub"], args].concat());
        let all = report["containers"].as_array().expect("containers").clone();
        all.iter()
            .map(|one| (one["workload"].to_string(), mib(&one["recommended_limit_bytes"])))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(of(&["-l", "app=redis"]).len(), 1);
    assert_eq!(of(&["-l", "app=none-such"]).len(), 0);
    // KRR: the highest and 15 %, at least 100 MiB as it has it, requests and limits alike.
    let krr = of(&["--policy", "krr"]);
    assert_eq!((krr["\"frontend\""], krr["\"backend\""]), (100, 522));
    let policies = ["vpa", "autopilot-window", "autopilot-ml"];
    policies.iter().for_each(|policy| assert_eq!(of(&["--policy", policy]).len(), 6, "{policy}"));
    let over = rightsize(url, &["-n", "hub", "--fail-over", "30%"]);
    assert_eq!(over.status.code(), Some(88));
    assert!(String::from_utf8_lossy(&over.stdout).contains("hub/backend"));
    assert!(
        String::from_utf8_lossy(&over.stderr).contains("6 "),
        "{}",
        String::from_utf8_lossy(&over.stderr)
    );
    assert_eq!(rightsize(url, &["-n", "hub", "--fail-over", "1000%"]).status.code(), Some(0));
}

fn mistakes(url: &str) {
    let check = |source: &str, args: &[&str], expect: &str| {
        let output = rightsize(source, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0), "{error}");
        assert!(error.contains(expect) && !error.contains("panicked"), "{error}");
    };
    check(
        url,
        &["-n", "hubb"],
        "there is no memory of a container in namespace 'hubb'; there is in hub, restless\ncorrect --namespace",
    );
    check(url, &["--as-of", "2020-01-01T00:00:00Z"], "there is no container_memory_working_set_bytes");
    check(&format!("victoriametrics:{url}/nowhere"), &[], "check the URL");
    check("http://127.0.0.1:1", &[], "127.0.0.1:1");
}

/// What may differ between ways: where it was read, and what that cost.
fn without_cost(mut report: Value) -> Value {
    ["cost", "source"].iter().for_each(|field| report[*field] = Value::Null);
    report
}

/// What a backtest says of the cluster's containers.
fn replayed(source: &str) -> Value {
    let arguments =
        ["backtest", source, "--as-of", AS_OF, "--window", "14d", "--train", "7d", "--horizon", "1d"];
    let output =
        Command::new(PLIMSOLL).args(arguments).args(["-o", "json"]).output().expect("plimsoll starts");
    let report: Value = serde_json::from_str(&said(&output)).expect("JSON");
    let krr = &report["policies"][1];
    assert_eq!((&krr["policy"], &krr["series"]), (&"krr".into(), &8.into()), "{report}");
    report["policies"].clone()
}

fn same_by_every_way(servers: &Servers) {
    let [url, other] = [&servers.prometheus.url, &servers.victoria_metrics.url];
    let found = json(url, &[]);
    assert_eq!(json(&format!("victoriametrics:{other}"), &[])["cost"]["way"], "export");
    let blocks = snapshot(&servers.prometheus, servers.folders[0].path()).display().to_string();
    let ways = [
        format!("prometheus:{url}"),
        format!("victoriametrics:{other}"),
        other.clone(),
        format!("tsdb:{blocks}"),
        blocks,
    ];
    for source in &ways {
        assert_eq!(without_cost(json(source, &[])), without_cost(found.clone()), "{source}");
    }
    let replayed = replayed(url);
    ways.iter().for_each(|source| assert_eq!(self::replayed(source), replayed, "{source}"));
    same_by_queries(servers);
}

/// Queries see the highest of each hour, which is what is kept: the same use, sizes and kills.
fn same_by_queries(servers: &Servers) {
    let range = Range { from_ms: FROM_MS, to_ms: TO_MS };
    let question = Question { namespaces: Vec::new(), labels: Vec::new(), range };
    let found = |url: &str, ways: &[Way]| {
        let reader = Reader::of_server(url, ways, &Access::default()).expect("a server");
        workloads::read(&reader, &question, &|_, _| ()).expect("workloads")
    };
    let expect = found(&servers.prometheus.url, &[Way::RemoteRead]);
    for url in [&servers.prometheus.url, &servers.victoria_metrics.url] {
        let queried = found(url, &[Way::Query]);
        assert_eq!((&queried.skipped, &queried.remarks), (&expect.skipped, &expect.remarks));
        assert_eq!(queried.containers.len(), expect.containers.len());
        for (one, other) in queried.containers.iter().zip(&expect.containers) {
            assert_eq!(
                (&one.id, one.pods, one.request_bytes, one.limit_bytes),
                (&other.id, other.pods, other.request_bytes, other.limit_bytes)
            );
            assert_eq!(one.profile.used, other.profile.used, "{:?}", one.id);
            assert_eq!(
                one.profile.non_reclaimable_bytes, other.profile.non_reclaimable_bytes,
                "{:?}",
                one.id
            );
            assert_eq!(one.profile.oom_kills.len(), other.profile.oom_kills.len(), "{:?}", one.id);
        }
    }
}
