//! The parts, as processes of their own on loopback.

use crate::Failure;
use plimsoll_real::Server;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A panel that shows nothing by then shows nothing.
const PANELS_WITHIN: Duration = Duration::from_secs(60);

/// What there is to see here: what panels need beside these is not on this stage.
const THERE: [&str; 7] = ["agent", "service", "limits", "builds", "ci", "heap", "reservations"];

/// Seconds in place of minutes.
const SETTINGS: &str = "\
monitoring:
  interval: 1s
  usage: &tiers
    warning: {above: 0.75, for: 3s, keep_firing_for: 2s}
    critical: {above: 0.85, for: 2s, keep_firing_for: 2s}
    emergency: {above: 0.95, for: 1s, keep_firing_for: 2s}
  builds: *tiers
capacity:
  pod_limit: 512Mi
  regions:
  - {name: eu, pods: 2, most_pods: 4}
";

/// Running parts; they end when this is dropped.
pub struct Stage {
    pub prometheus: Server,
    pub alertmanager: Server,
    pub agent: Server,
    pub service: Server,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// Starts them all; `hook` is told of every tier.
    pub fn set(plimsoll: &Path, hook: &str) -> Result<Stage, Failure> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("plimsoll.yaml"), SETTINGS)?;
        let program = plimsoll.display().to_string();
        let plimsoll = |arguments: &[&str]| said(Command::new(&program).args(arguments));
        let config = at("plimsoll.yaml");
        plimsoll(&["render", "rules", "--config", &config, "--out", &at("rules")])?;
        let mut routes = vec!["render", "alertmanager", "--config", &config];
        let webhooks = ["emergency", "critical", "warning", "info"].map(|tier| format!("{tier}={hook}"));
        routes.extend(webhooks.iter().flat_map(|webhook| ["--webhook", webhook]));
        std::fs::write(at("alertmanager.yml"), quick(&plimsoll(&routes)?))?;
        let alertmanager = Server::start(
            "prometheus-alertmanager",
            &[
                &format!("--config.file={}", at("alertmanager.yml")),
                &format!("--storage.path={}", at("alertmanager")),
                "--cluster.listen-address=",
            ],
            |port| vec![format!("--web.listen-address=127.0.0.1:{port}")],
            "/-/ready",
        );
        let listen = |port: u16| vec![format!("--listen=127.0.0.1:{port}")];
        let agent = Server::start(&program, &["agent", "--interval", "1s"], listen, "/readyz");
        build(&program, &at("builds"))?;
        let service = Server::start(
            &program,
            &["serve", "--config", &config, "--store", &at("capacity.db"), "--state", &at("builds")],
            listen,
            "/readyz",
        );
        reserve(&program, &service.url)?;
        let scraped = [("plimsoll-agent", &agent), ("plimsoll", &service)];
        std::fs::write(at("prometheus.yml"), configuration(&at("rules"), &alertmanager, &scraped))?;
        let prometheus = Server::start(
            "prometheus",
            &[
                &format!("--config.file={}", at("prometheus.yml")),
                &format!("--storage.tsdb.path={}", at("blocks")),
            ],
            |port| vec![format!("--web.listen-address=127.0.0.1:{port}")],
            "/-/ready",
        );
        Ok(Stage { prometheus, alertmanager, agent, service, _folder: folder })
    }

    /// Asks Prometheus for what each panel of our boards shows, until it has an answer for all that can be seen here.
    pub fn ask_panels(&self, plimsoll: &Path) -> Result<(), Failure> {
        let text = said(Command::new(plimsoll).args(["render", "dashboards", "--queries"]))?;
        let panels: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let is_there = |need: &Value| THERE.iter().any(|it| need == it);
        let needs_no_more =
            |panel: &Value| panel["needs"].as_array().is_some_and(|all| all.iter().all(is_there));
        let (all, others): (Vec<Value>, Vec<Value>) = panels.into_iter().partition(needs_no_more);
        let began = Instant::now();
        let mut missing = all.clone();
        while !missing.is_empty() && began.elapsed() < PANELS_WITHIN {
            std::thread::sleep(Duration::from_secs(1));
            missing.retain(|panel| !self.answers(panel["expr"].as_str().unwrap_or_default()));
        }
        println!(
            "{} of {} queries of our boards are answered; {} more are of what is not here.",
            all.len() - missing.len(),
            all.len(),
            others.len()
        );
        for panel in &missing {
            println!("  nothing: {} / {}: {}", panel["board"], panel["panel"], panel["expr"]);
        }
        if missing.is_empty() { Ok(()) } else { Err("panels without an answer".into()) }
    }

    fn answers(&self, expr: &str) -> bool {
        let answer = ureq::get(format!("{}/api/v1/query", self.prometheus.url)).query("query", expr).call();
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string()).unwrap_or_default();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        answer["data"]["result"].as_array().is_some_and(|result| !result.is_empty())
    }
}

/// A build under Plimsoll, which the store remembers.
fn build(program: &str, store: &str) -> Result<(), Failure> {
    let code = "held = bytearray(b'x' * (64 << 20))";
    for _ in 0..2 {
        said(Command::new(program).args([
            "run", "--store", store, "--job", "demo", "--limit", "256MiB", "--", "python3", "-c", code,
        ]))?;
    }
    Ok(())
}

/// Somebody who is promised a place from now on, and somebody for whom there is none.
fn reserve(program: &str, service: &str) -> Result<(), Failure> {
    let start = (jiff::Timestamp::now() + Duration::from_secs(5)).to_string();
    let add = |participants: &str| {
        let mut command = Command::new(program);
        command.args([
            "capacity",
            "--server",
            service,
            "schedule",
            "add",
            "--minutes",
            "60",
            "--start",
            &start,
        ]);
        command.args(["--participants", participants, "--title", "demo"]).output()
    };
    let (fits, does_not) = (add("4")?, add("100000")?);
    match fits.status.success() && !does_not.status.success() {
        true => Ok(()),
        false => Err(format!("capacity: {}", String::from_utf8_lossy(&fits.stderr)).into()),
    }
}

/// Alerts are gathered for seconds.
fn quick(text: &str) -> String {
    let line =
        |line: &str| match line.split_once("group_wait:").or_else(|| line.split_once("group_interval:")) {
            Some((before, _)) => {
                let key = line[before.len()..].split(':').next().unwrap_or_default();
                format!("{before}{key}: 1s\n")
            }
            None => format!("{line}\n"),
        };
    text.lines().map(line).collect()
}

fn configuration(rules: &str, alertmanager: &Server, scraped: &[(&str, &Server)]) -> String {
    let target = |server: &Server| server.url.replace("http://", "");
    let jobs: String = scraped
        .iter()
        .map(|(job, server)| {
            format!("- job_name: {job}\n  static_configs: [{{targets: ['{}']}}]\n", target(server))
        })
        .collect();
    format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{rules}/*.yaml']\nalerting:\n  alertmanagers:\n  - static_configs: [{{targets: ['{}']}}]\nscrape_configs:\n{jobs}",
        target(alertmanager)
    )
}

/// What a program has said; it must succeed.
fn said(command: &mut Command) -> Result<String, Failure> {
    let done = command.output()?;
    if !done.status.success() {
        return Err(format!("{command:?}: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(String::from_utf8(done.stdout)?)
}
