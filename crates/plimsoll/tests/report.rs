//! `plimsoll report` on two weeks of a shop from a real Prometheus, on builds that `plimsoll run` has run, and on `plimsoll serve`'s store.
//!
//! In the second week `web` has grown, `worker` was killed in both, `api` requests half of what it did and still far too much, and a
//! CI job was killed, which only the agent has counted.

mod common;

use common::{Bench, PLIMSOLL, cgroups, eater};
use jiff::Timestamp;
use plimsoll_core::size::{GIB, MIB};
use plimsoll_real::write::{Series, write_in_order};
use plimsoll_real::{Server, prometheus, snapshot};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DAY_MS: i64 = 24 * 3_600_000;
const STEP_MS: i64 = 5 * 60_000;

/// A Prometheus with two weeks up to now, and the builds of the last minute.
struct Shop {
    prometheus: Server,
    bench: Bench,
    to_ms: i64,
}

impl Shop {
    fn open() -> Shop {
        let bench = Bench::new();
        build(&bench, "unit", &[], "exit 0");
        build(
            &bench,
            "bundle",
            &["--attempts", "1"],
            "echo 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' >&2; exit 134",
        );
        if cgroups() {
            let killed =
                bench.run(&["--job", "link", "--limit", "96MiB"], &[eater().to_str().expect("text"), "200"]);
            assert_eq!(killed.status.code(), Some(87), "{}", String::from_utf8_lossy(&killed.stderr));
        }
        let to_ms = Timestamp::now().as_millisecond() + 1000;
        let prometheus = prometheus(bench.folder.path(), &[]);
        write_in_order(&prometheus, &Recording { to_ms }.all());
        Shop { prometheus, bench, to_ms }
    }

    fn as_of(&self) -> String {
        Timestamp::from_millisecond(self.to_ms).expect("a time").to_string()
    }

    /// `plimsoll report ARGS`, as of the end of the recording.
    fn report(&self, args: &[&str]) -> Output {
        report(&self.bench, &[&["--as-of", &self.as_of()], args].concat())
    }

    fn store(&self) -> String {
        self.bench.path("store").display().to_string()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.report(&[args, &["-o", "json", "--fail-on", "never"]].concat());
        serde_json::from_str(&said(&output)).expect("JSON")
    }
}

/// In an empty folder, without a store of the machine's.
fn report(bench: &Bench, args: &[&str]) -> Output {
    let mut command = Command::new(PLIMSOLL);
    command.arg("report").args(args).current_dir(bench.folder.path()).env("HOME", bench.path("home"));
    for name in
        ["CI", "PLIMSOLL_STORE", "PLIMSOLL_SOURCE", "PLIMSOLL_SERVER", "XDG_CACHE_HOME", "PLIMSOLL_TOKEN"]
    {
        command.env_remove(name);
    }
    command.output().expect("plimsoll starts")
}

fn build(bench: &Bench, job: &str, flags: &[&str], script: &str) {
    let output = bench.run(&[&["--job", job], flags].concat(), &["sh", "-c", script]);
    assert!(output.status.code().is_some(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What a Prometheus of the shop has recorded.
struct Recording {
    to_ms: i64,
}

impl Recording {
    fn times(&self) -> impl Iterator<Item = i64> {
        (self.to_ms - 14 * DAY_MS + STEP_MS..=self.to_ms).step_by(STEP_MS as usize)
    }

    fn is_this_week(&self, at_ms: i64) -> bool {
        at_ms > self.to_ms - 7 * DAY_MS
    }

    fn series(&self, metric: &str, labels: &[(&str, &str)], value: &dyn Fn(i64) -> Option<f64>) -> Series {
        Series::new(metric, labels, self.times().filter_map(|at_ms| Some((at_ms, value(at_ms)?))).collect())
    }

    /// What a container uses, requests and is limited to, in MiB.
    fn container(
        &self,
        (pod, kind, owner): (&str, &str, &str),
        used: &dyn Fn(i64) -> f64,
        request: &dyn Fn(i64) -> f64,
        limit: f64,
    ) -> Vec<Series> {
        let own = [("namespace", "shop"), ("pod", pod), ("container", owner)];
        let memory = [&own[..], &[("resource", "memory"), ("unit", "byte")]].concat();
        let mib = |of: f64| Some(of * MIB as f64);
        vec![
            self.series("container_memory_working_set_bytes", &own, &|at_ms| mib(used(at_ms) * 1.05)),
            self.series("container_memory_rss", &own, &|at_ms| mib(used(at_ms))),
            self.series(
                "kube_pod_owner",
                &[("namespace", "shop"), ("pod", pod), ("owner_kind", kind), ("owner_name", owner)],
                &|_| Some(1.0),
            ),
            self.series("kube_pod_container_resource_requests", &memory, &|at_ms| mib(request(at_ms))),
            self.series("kube_pod_container_resource_limits", &memory, &|_| mib(limit)),
        ]
    }

    /// Up and down within a day by a tenth.
    fn daily(&self, at_ms: i64) -> f64 {
        1.0 + 0.1 * (at_ms as f64 / DAY_MS as f64 * std::f64::consts::TAU).sin()
    }

    fn all(&self) -> Vec<Series> {
        let grown = |at_ms: i64| if self.is_this_week(at_ms) { 420.0 } else { 300.0 };
        let halved = |at_ms: i64| if self.is_this_week(at_ms) { 2048.0 } else { 4096.0 };
        let mut all = self.container(
            ("web-0", "StatefulSet", "web"),
            &|at_ms| grown(at_ms) * self.daily(at_ms),
            &|_| 512.0,
            2048.0,
        );
        for pod in ["api-0", "api-1"] {
            all.extend(self.container(
                (pod, "StatefulSet", "api"),
                &|at_ms| 100.0 * self.daily(at_ms),
                &halved,
                4096.0,
            ));
        }
        all.extend(self.container(
            ("worker-0", "StatefulSet", "worker"),
            &|at_ms| 180.0 * self.daily(at_ms),
            &|_| 256.0,
            256.0,
        ));
        // Killed on the fifth day, and twice on the tenth.
        let killed = |at_ms: i64| {
            let since = |day: i64| at_ms >= self.to_ms - (14 - day) * DAY_MS;
            f64::from(u8::from(since(5))) + 2.0 * f64::from(u8::from(since(10)))
        };
        let worker = [("namespace", "shop"), ("pod", "worker-0"), ("container", "worker")];
        all.push(
            self.series("kube_pod_container_status_restarts_total", &worker, &|at_ms| Some(killed(at_ms))),
        );
        let oom = [&worker[..], &[("reason", "OOMKilled")]].concat();
        all.push(self.series("kube_pod_container_status_last_terminated_reason", &oom, &|at_ms| {
            (killed(at_ms) > 0.0).then_some(1.0)
        }));
        let counted = |namespace: &str,
                       kind: &str,
                       workload: &str,
                       container: &str,
                       project: &str,
                       job: &str,
                       value: &dyn Fn(i64) -> Option<f64>| {
            let labels = [
                ("namespace", namespace),
                ("workload_kind", kind),
                ("workload", workload),
                ("container", container),
                ("ci_project", project),
                ("ci_job", job),
                ("ci_stage", ""),
                ("instance", "node-1"),
            ];
            self.series("plimsoll_oom_kills_total", &labels, value)
        };
        // The agent has counted the worker's kills too, and those of a job whose counter begins with its first kill.
        all.push(counted("shop", "StatefulSet", "worker", "worker", "", "", &|at_ms| Some(killed(at_ms))));
        let first = self.to_ms - 2 * DAY_MS;
        all.push(counted("ci", "", "", "build", "group/shop", "package", &|at_ms| {
            (at_ms >= first).then_some(2.0)
        }));
        for (node, price) in [("one", 0.004), ("two", 0.006)] {
            all.push(self.series("node_ram_hourly_cost", &[("node", node)], &|_| Some(price)));
        }
        all
    }
}

fn finding<'a>(report: &'a Value, section: &str, subject: &str) -> &'a Value {
    let all = report[section]["findings"].as_array().expect("findings");
    all.iter()
        .find(|one| one["subject"] == subject)
        .unwrap_or_else(|| panic!("{section}: {subject}: {report:#}"))
}

fn subjects<'a>(report: &'a Value, section: &str) -> Vec<&'a str> {
    let all = report[section]["findings"].as_array().expect("findings");
    all.iter().filter_map(|one| one["subject"].as_str()).collect()
}

/// One shop for all of it: it takes seconds to fill.
#[test]
fn two_weeks_of_a_shop() {
    let shop = Shop::open();
    cluster(&shop);
    builds(&shop);
    money(&shop);
    codes(&shop);
    forms(&shop);
    files(&shop);
    blocks(&shop);
    mistakes(&shop);
}

fn cluster(shop: &Shop) {
    let report = shop.json(&["--source", &shop.prometheus.url]);
    assert_eq!(report["schema"], "plimsoll.report/1");
    assert_eq!(report["period"]["seconds"], 7 * 86_400);
    let [cluster, builds, capacity] = [0, 1, 2].map(|index| report["sources"][index].clone());
    assert_eq!((&cluster["asked"], &cluster["from"]), (&true.into(), &shop.prometheus.url.clone().into()));
    assert_eq!((&builds["asked"], &capacity["asked"]), (&false.into(), &false.into()));
    assert_eq!(report["killed"]["unknown"][0], "builds: not asked; --store DIR that plimsoll run has filled");

    assert_eq!(subjects(&report, "grew"), ["shop/web"]);
    let web = finding(&report, "grew", "shop/web");
    assert!(
        web["what"].as_str().is_some_and(|what| what.starts_with("holds ") && what.ends_with("+40 %")),
        "{web}"
    );
    assert!(
        web["evidence"].as_str().is_some_and(|it| it.starts_with("not reclaimable, 7 of 7 days")),
        "{web}"
    );

    assert_eq!(subjects(&report, "wasted"), ["shop/api"]);
    assert_eq!(finding(&report, "wasted", "shop/api")["severity"], "warning");

    assert_eq!(subjects(&report, "killed"), ["shop/worker", "job package of group/shop"]);
    let worker = finding(&report, "killed", "shop/worker");
    // Two sources tell of it; it is not counted twice. Status tells of one restart where the counter rose by two.
    assert_eq!((&worker["kills"], &worker["severity"]), (&2.into(), &"critical".into()), "{worker}");
    assert_eq!(worker["what"], "2 kills, 1 in the period before");
    let package = finding(&report, "killed", "job package of group/shop");
    assert_eq!((&package["kills"], &package["what"]), (&2.into(), &"2 kills, 0 in the period before".into()));

    // What is in danger comes first, and is told to save nothing.
    assert_eq!(subjects(&report, "change"), ["shop/worker", "shop/api"]);
    let worker = finding(&report, "change", "shop/worker");
    assert!(
        worker["evidence"].as_str().is_some_and(|it| it.starts_with("killed 2 times: killed at 256 MiB")),
        "{worker}"
    );
    let plan = format!("plimsoll plan --source {} -n shop --save plan.json", shop.prometheus.url);
    assert_eq!(worker["next"], plan);
    assert_eq!(shop.json(&["--source", &shop.prometheus.url]), report, "the same again");

    let none = shop.json(&["--prometheus", &shop.prometheus.url, "--since", "1d", "-n", "shop"]);
    assert_eq!(subjects(&none, "grew"), [""; 0], "a day beside the day before");
}

fn builds(shop: &Shop) {
    let report = shop.json(&["--store", &shop.store()]);
    assert_eq!((&report["sources"][0]["asked"], &report["money"]), (&false.into(), &Value::Null));
    assert_eq!(report["grew"]["unknown"][0], "cluster: not asked; --source URL of a Prometheus");
    let killed = subjects(&report, "killed");
    let of = |job: &str| {
        killed
            .iter()
            .copied()
            .find(|it| it.starts_with(&format!("job {job} of ")))
            .unwrap_or_else(|| panic!("{report:#}"))
    };
    let bundle = finding(&report, "killed", of("bundle"));
    let what = "1 of 1 run died of memory, the last one too, 0 died in the period before";
    assert_eq!((&bundle["severity"], &bundle["what"]), (&"critical".into(), &what.into()), "{bundle}");
    if cgroups() {
        let link = finding(&report, "killed", of("link"));
        assert_eq!(link["severity"], "critical", "{link}");
        assert!(link["kills"].as_u64().is_some_and(|kills| kills >= 1), "{link}");
        let next = link["next"].as_str().expect("a command");
        let diagnosed = Command::new("/bin/sh")
            .args(["-c", next])
            .env("PATH", Path::new(PLIMSOLL).parent().expect("a folder"))
            .output();
        let diagnosed = diagnosed
            .map_or_else(|error| error.to_string(), |it| String::from_utf8_lossy(&it.stdout).into_owned());
        assert!(diagnosed.contains("died of memory"), "{next}: {diagnosed}");
    }
    assert!(!killed.iter().any(|it| it.contains("unit")), "{report:#}");
}

fn money(shop: &Shop) {
    let url = shop.prometheus.url.as_str();
    let cents = |of: &Value| of.as_str().expect("money").parse::<f64>().expect("a number");
    let near = |of: &Value, expect: f64| assert!((cents(of) - expect).abs() < 0.005, "{of} is not {expect}");
    let report = shop.json(&["--source", url]);
    let found = &report["money"];
    // Two of 2048, 512 and 256 MiB at 0.005 for a GiB and hour, 730 hours a month; two of 4096 the week before.
    assert_eq!(found["requested_bytes"], 2 * 2 * GIB + 768 * MIB);
    near(&found["per_month"], 4.75 * 730.0 * 0.005);
    near(&found["mean_per_month"], 4.75 * 730.0 * 0.005);
    near(&found["before_per_month"], 8.75 * 730.0 * 0.005);
    near(&found["saved_per_month"], 4.0 * 730.0 * 0.005);
    assert_eq!(found["price_source"], "OpenCost's node_ram_hourly_cost, the mean of all nodes");
    assert_eq!(found["possible_per_month"], finding(&report, "wasted", "shop/api")["per_month"]);
    assert!(cents(&found["possible_per_month"]) < cents(&found["per_month"]));
    let named = shop.json(&["--source", url, "--gib-hour-price", "0.01"]);
    near(&named["money"]["per_month"], 4.75 * 730.0 * 0.01);
    assert_eq!(named["money"]["price_source"], "--gib-hour-price");
}

fn codes(shop: &Shop) {
    let url = shop.prometheus.url.as_str();
    let check = |args: &[&str], code: i32, error: &str| {
        let output = shop.report(&[&["--source", url], args].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.contains(error)), (Some(code), true), "{args:?}: {said}");
        assert!(!output.stdout.is_empty(), "what was found is shown in any case");
    };
    // The worker, killed again: in what was killed and in what to change.
    check(&[], 1, "2 findings at or above critical");
    check(&["--fail-on", "warning"], 1, "at or above warning");
    check(&["--fail-on", "info"], 1, "at or above info");
    check(&["--fail-on", "never"], 0, "");
    let quiet = Bench::new();
    build(&quiet, "unit", &[], "exit 0");
    let output = report(&quiet, &["--store", "store"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

fn forms(shop: &Shop) {
    let (url, store) = (shop.prometheus.url.as_str(), shop.store());
    let check = |form: &str, expect: &[&str]| {
        let args = ["--source", url, "--store", &store, "--fail-on", "never", "-o", form];
        let text = said(&shop.report(&args));
        expect.iter().for_each(|part| assert!(text.contains(part), "{form}: {part}\n{text}"));
        assert_eq!(said(&shop.report(&args)), text, "{form}: the same bytes");
        text
    };
    let text = check(
        "table",
        &[
            "What was killed\n  critical  shop/worker: 2 kills, 1 in the period before",
            "critical  job bundle of ",
            "capacity      not asked",
        ],
    );
    assert!(!text.contains('\u{1b}'), "no colour where there is no terminal");
    check(
        "markdown",
        &["### What grew\n\n- info `shop/web`: holds ", "- **critical** `shop/worker`: 2 kills"],
    );
    let page = check("html", &["<!doctype html>", "<code>shop/worker</code>"]);
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href"), "self-contained");
    check("yaml", &["schema: plimsoll.report/1", "subject: shop/web"]);
}

/// With `script`, plimsoll has a terminal: it is coloured and wrapped, unless NO_COLOR says otherwise.
#[test]
fn on_a_terminal() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: script(1) is missing");
        return;
    }
    let bench = Bench::new();
    build(
        &bench,
        "bundle",
        &["--attempts", "1"],
        "echo 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' >&2; exit 134",
    );
    let shown = |columns: u16, no_color: &str| {
        let inner = format!(
            "stty cols {columns}; {PLIMSOLL} report --store {} --fail-on never",
            bench.path("store").display()
        );
        let output =
            Command::new("script").args(["-qec", &inner, "/dev/null"]).env("NO_COLOR", no_color).output();
        String::from_utf8_lossy(&output.expect("script starts").stdout).replace('\r', "")
    };
    let coloured = shown(60, "");
    assert!(coloured.contains("\u{1b}[1;31mcritical\u{1b}[0m"), "{coloured}");
    let plain = shown(60, "1");
    assert!(!plain.contains('\u{1b}') && plain.contains("critical"), "{plain}");
    let is_command = |line: &&str| {
        !line.starts_with("  next: ") && !line.starts_with("Memory, ") && !line.contains(PLIMSOLL)
    };
    let long: Vec<&str> = plain
        .lines()
        .filter(is_command)
        .filter(|line| line.chars().count() > 60 && !line.contains('/'))
        .collect();
    assert!(long.is_empty(), "{long:?}\n{plain}");
    assert!(shown(200, "1").lines().any(|line| line.chars().count() > 80), "a wide one is used");
}

fn files(shop: &Shop) {
    let (url, place) =
        (shop.prometheus.url.as_str(), |name: &str| shop.bench.path(name).display().to_string());
    let [html, markdown, json] = ["r.html", "r.md", "r.json"].map(place);
    let output = shop.report(&["--source", url, "--html", &html, "--markdown", &markdown, "--json", &json]);
    assert_eq!(output.status.code(), Some(1), "files are written although it fails");
    let read = |path: &str| std::fs::read_to_string(PathBuf::from(path)).expect("a file");
    assert!(read(&html).starts_with("<!doctype html>") && read(&markdown).starts_with("## Memory"));
    assert_eq!(serde_json::from_str::<Value>(&read(&json)).expect("JSON")["counts"]["critical"], 2);
}

/// The same by the blocks on disk: no server is asked.
fn blocks(shop: &Shop) {
    let by_server = shop.json(&["--source", &shop.prometheus.url]);
    let folder = snapshot(&shop.prometheus, shop.bench.folder.path()).display().to_string();
    let by_blocks = shop.json(&["--source", &folder]);
    let without_place = |mut report: Value| {
        report["sources"] = Value::Null;
        for section in ["grew", "wasted", "killed", "change"] {
            report[section]["findings"]
                .as_array_mut()
                .expect("findings")
                .iter_mut()
                .for_each(|one| one["next"] = Value::Null);
        }
        report
    };
    assert_eq!(without_place(by_blocks), without_place(by_server));
}

fn mistakes(shop: &Shop) {
    let bench = Bench::new();
    let check = |args: &[&str], expect: &str| {
        let output = report(&bench, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(125), 0), "{args:?}: {error}");
        assert!(error.contains(expect) && !error.contains("panicked"), "{args:?}: {error}");
    };
    check(&[], "nothing to report on: no --source, no --server, and no builds are remembered in ");
    check(&["--store", "gone"], "gone: nothing is remembered there\ncheck --store and its rights");
    for since in ["week", "0d", "1h", "93d", "-7d"] {
        check(&[&format!("--since={since}")], &format!("'{since}' is "));
    }
    check(&["--source", "http://127.0.0.1:1"], "127.0.0.1:1");
    check(&["--source", "ftp://me:secret@host"], "is not known");
    check(&["--source", "usage.csv"], "name a server or a folder of blocks");
    check(
        &["--source", &shop.prometheus.url, "-n", "shopp"],
        "there is no memory of a container in namespace 'shopp'",
    );
    check(&["--server", "http://127.0.0.1:1"], "http://127.0.0.1:1: ");
    check(&["--server", "gone.db"], "gone.db: ");
    check(&["--source", &shop.prometheus.url, "--gib-hour-price", "-1"], "-1");
    let store = shop.store();
    check(&["--store", &store, "--html", "gone/report.html"], "gone/report.html: ");
}

/// The store of `plimsoll serve`: what people take.
#[test]
fn what_people_take_is_asked_of_a_store() {
    let bench = Bench::new();
    let store = bench.path("capacity.db").display().to_string();
    let made = Command::new(PLIMSOLL)
        .args(["capacity", "--store", &store, "status"])
        .current_dir(bench.folder.path())
        .output();
    assert!(made.expect("plimsoll starts").status.success());
    let output = report(&bench, &["--server", &store, "-o", "json"]);
    let report: Value = serde_json::from_str(&said(&output)).expect("JSON");
    let capacity = &report["sources"][2];
    assert_eq!((&capacity["asked"], &capacity["from"]), (&true.into(), &store.into()));
    assert_eq!(capacity["remarks"][0], "nothing was observed yet: published values stand in");
}

#[test]
fn the_examples_pass_the_check() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/report");
    for file in [".gitlab-ci.yml", "cronjob.yaml"] {
        let output =
            Command::new(PLIMSOLL).args(["check", "--fail-on", "info"]).arg(folder.join(file)).output();
        let text = said(&output.expect("plimsoll starts"));
        assert!(text.contains("1 file, nothing found"), "{file}: {text}");
    }
}
