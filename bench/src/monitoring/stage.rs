//! The parts, as processes of their own on loopback. What takes long begins at once, side by side; who scrapes finds each as it comes.

use super::pace;
use super::service::{Place, Service};
use super::shop::{self, NODE, Shop};
use crate::Failure;
use plimsoll_real::Server;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;

/// Rules are evaluated each second.
const SETTINGS: &str = "monitoring: {interval: 1s}\n";
/// Jobs that are scraped.
const AGENT: &str = "plimsoll-agent";
pub const SERVICE: &str = "plimsoll";
const CONTROLLER: &str = "plimsoll-controller";
const HOST: &str = "node-exporter";

/// Running parts; they end when this is dropped.
pub struct Stage {
    pub prometheus: Server,
    pub alertmanager: Server,
    pub agent: Server,
    _host: Server,
    _folder: tempfile::TempDir,
}

/// Parts that are still to come.
pub struct Coming {
    service: JoinHandle<Result<Service, String>>,
    shop: JoinHandle<Result<Shop, String>>,
}

/// Those, once they are there.
pub struct Rest {
    pub service: Service,
    pub shop: Shop,
}

impl Stage {
    /// Starts them all; `hook` is told of every tier.
    pub fn set(plimsoll: &Path, hook: &str) -> Result<(Stage, Coming), Failure> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        let program = plimsoll.canonicalize()?.display().to_string();
        let scraped = Scraped::new(at("targets"))?;
        let place = Place {
            program: program.clone(),
            folder: folder.path().to_path_buf(),
            kubeconfig: at("cluster/admin.kubeconfig"),
        };
        let told = scraped.clone();
        let service = begin(move || Service::open(place, &told));
        let (alertmanager, prometheus) = watchers(&program, folder.path(), hook, &scraped)?;
        let cluster = shop::cluster(&at("cluster"))?;
        let kubeconfig = cluster.kubeconfig.display().to_string();
        let (opener, told) = (program.clone(), scraped.clone());
        let shop = begin(move || {
            let shop = Shop::open(cluster, &opener)?;
            told.add(CONTROLLER, &shop.controller)?;
            Ok(shop)
        });
        let arguments = ["agent", "--interval", "1s", "--kubeconfig", &kubeconfig, "--node", NODE];
        let agent = Server::start(&program, &arguments, listen, "/readyz");
        scraped.add(AGENT, &agent)?;
        let of_kills = ["--collector.disable-defaults", "--collector.vmstat"];
        let host = Server::start("prometheus-node-exporter", &of_kills, web, "/");
        scraped.add(HOST, &host)?;
        Ok((
            Stage { prometheus, alertmanager, agent, _host: host, _folder: folder },
            Coming { service, shop },
        ))
    }
}

impl Coming {
    /// Waits for them.
    pub fn wait(self) -> Result<Rest, Failure> {
        Ok(Rest { service: ended(self.service)?, shop: ended(self.shop)? })
    }
}

fn begin<T: Send + 'static>(
    make: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> JoinHandle<Result<T, String>> {
    std::thread::spawn(move || make().map_err(|error| error.to_string()))
}

fn ended<T>(thread: JoinHandle<Result<T, String>>) -> Result<T, Failure> {
    Ok(thread.join().map_err(|_| "a part of the stage did not come; it says why above")??)
}

/// Prometheus with our rules, and Alertmanager.
fn watchers(
    program: &str,
    folder: &Path,
    hook: &str,
    scraped: &Scraped,
) -> Result<(Server, Server), Failure> {
    let at = |name: &str| folder.join(name).display().to_string();
    let config = at("plimsoll.yaml");
    std::fs::write(&config, SETTINGS)?;
    let plimsoll = |arguments: &[&str]| said(Command::new(program).args(arguments));
    std::fs::write(at("rules.yaml"), pace::rules(&plimsoll(&["render", "rules", "--config", &config])?))?;
    let mut routes = vec!["render", "alertmanager", "--config", &config];
    let webhooks = ["emergency", "critical", "warning", "info"].map(|tier| format!("{tier}={hook}"));
    routes.extend(webhooks.iter().flat_map(|webhook| ["--webhook", webhook]));
    std::fs::write(at("alertmanager.yml"), pace::routes(&plimsoll(&routes)?))?;
    let alertmanager = Server::start(
        "prometheus-alertmanager",
        &[
            &format!("--config.file={}", at("alertmanager.yml")),
            &format!("--storage.path={}", at("alertmanager")),
            "--cluster.listen-address=",
        ],
        web,
        "/-/ready",
    );
    std::fs::write(at("prometheus.yml"), scraped.configuration(&at("rules.yaml"), &alertmanager))?;
    let prometheus = Server::start(
        "prometheus",
        &[
            &format!("--config.file={}", at("prometheus.yml")),
            &format!("--storage.tsdb.path={}", at("blocks")),
        ],
        web,
        "/-/ready",
    );
    Ok((alertmanager, prometheus))
}

/// Who is scraped: a file for each, which Prometheus follows.
#[derive(Clone)]
pub struct Scraped(PathBuf);

impl Scraped {
    fn new(folder: PathBuf) -> Result<Scraped, Failure> {
        std::fs::create_dir(&folder)?;
        Ok(Scraped(folder))
    }

    /// One more, from now on.
    pub fn add(&self, job: &str, server: &Server) -> Result<(), Failure> {
        let targets = json!([{"targets": [address(server)]}]).to_string();
        // It is there as a whole or not.
        let new = self.0.join(format!("{job}.new"));
        std::fs::write(&new, targets)?;
        Ok(std::fs::rename(new, self.0.join(format!("{job}.json")))?)
    }

    fn configuration(&self, rules: &str, alertmanager: &Server) -> String {
        let job = |job: &str| {
            let file = self.0.join(format!("{job}.json"));
            let relabel = if job == AGENT { ours() } else { String::new() };
            format!(
                "- job_name: {job}\n  file_sd_configs: [{{files: ['{}'], refresh_interval: 1s}}]\n{relabel}",
                file.display()
            )
        };
        let jobs: String = [AGENT, SERVICE, CONTROLLER, HOST].map(job).concat();
        format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{rules}']\nalerting:\n  alertmanagers:\n  - static_configs: [{{targets: ['{}']}}]\nscrape_configs:\n{jobs}",
            address(alertmanager)
        )
    }
}

/// Of hosts' cgroups only ours, by their own names: this machine may have others, and ours lie below the one that we are in.
fn ours() -> String {
    let name = format!("plimsoll-{}-[^/]+", std::process::id());
    format!(
        "  metric_relabel_configs:
  - {{source_labels: [cgroup], regex: '(.*/{name})?', action: keep}}
  - {{source_labels: [cgroup], regex: '.*/({name})', target_label: cgroup, replacement: '/$1'}}
"
    )
}

fn address(server: &Server) -> String {
    server.url.replace("http://", "")
}

/// Where Prometheus' programs listen.
fn web(port: u16) -> Vec<String> {
    vec![format!("--web.listen-address=127.0.0.1:{port}")]
}

/// Where our programs listen.
pub fn listen(port: u16) -> Vec<String> {
    vec![format!("--listen=127.0.0.1:{port}")]
}

/// What a program has said; it must succeed.
pub fn said(command: &mut Command) -> Result<String, Failure> {
    let done = command.output()?;
    if !done.status.success() {
        return Err(format!("{command:?}: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(String::from_utf8(done.stdout)?)
}
