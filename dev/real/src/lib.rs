//! The real parts that tests and benchmarks run against, as processes of their own on loopback, gone when they are dropped.
//!
//! They come from Debian's packages, and the control plane of Kubernetes from `dev/controlplane`; `make tools` gets them. What goes wrong here is a fault of the test, so it panics.

pub mod certificates;
pub mod cluster;
pub mod hub;
pub mod openmetrics;
pub mod postgres;
mod process;
pub mod query;
pub mod write;

pub use process::{Process, Server, answered, eventually, free_port};

use std::net::TcpStream;
use std::path::{Path, PathBuf};

/// A Prometheus on a folder of its own that takes remote write and keeps what is old.
pub fn prometheus(folder: &Path, more: &[&str]) -> Server {
    let arguments = prometheus_arguments(folder, more);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Server::start("prometheus", &arguments, prometheus_listens, "/-/ready")
}

/// A Prometheus that lets in whom its `--web.config.file` names, by TLS; its URL begins with `https`.
pub fn guarded_prometheus(folder: &Path, web_config: &str) -> Server {
    let file = folder.join("web.yml");
    std::fs::write(&file, web_config).expect("web.yml");
    let arguments = prometheus_arguments(folder, &[&format!("--web.config.file={}", file.display())]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Whether it is ready it tells only those whom it lets in; until then it answers 503, which clients ask again after.
    let mut server = Server::start_until("prometheus", &arguments, prometheus_listens, |port| {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    server.url = server.url.replacen("http", "https", 1);
    server
}

fn prometheus_listens(port: u16) -> Vec<String> {
    vec![format!("--web.listen-address=127.0.0.1:{port}")]
}

fn prometheus_arguments(folder: &Path, more: &[&str]) -> Vec<String> {
    let config = folder.join("prometheus.yml");
    std::fs::write(&config, "global: {}\nstorage:\n  tsdb:\n    out_of_order_time_window: 1000d\n")
        .expect("prometheus.yml");
    let mut arguments = vec![
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", folder.join("blocks").display()),
        "--storage.tsdb.retention.time=100y".to_string(),
        "--web.enable-remote-write-receiver".to_string(),
        "--web.enable-admin-api".to_string(),
        "--log.level=warn".to_string(),
    ];
    arguments.extend(more.iter().map(|argument| argument.to_string()));
    arguments
}

/// A VictoriaMetrics on a folder of its own.
pub fn victoria_metrics(folder: &Path) -> Server {
    let storage = format!("-storageDataPath={}", folder.join("victoria").display());
    let arguments =
        [storage.as_str(), "-retentionPeriod=100y", "-search.latencyOffset=0s", "-loggerLevel=WARN"];
    Server::start(
        "victoria-metrics",
        &arguments,
        |port| vec![format!("-httpListenAddr=127.0.0.1:{port}")],
        "/health",
    )
}

/// Has a Prometheus on this folder write down all it has, its last hours too: the folder of the blocks.
pub fn snapshot(server: &Server, folder: &Path) -> PathBuf {
    let url = format!("{}/api/v1/admin/tsdb/snapshot", server.url);
    let mut answer = ureq::post(url).send_empty().expect("a snapshot");
    let text = answer.body_mut().read_to_string().expect("an answer");
    let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    folder.join("blocks/snapshots").join(answer["data"]["name"].as_str().expect("its name"))
}
