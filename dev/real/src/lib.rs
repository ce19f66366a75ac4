//! The real parts that tests and benchmarks run against, as processes of their own on loopback, gone when they are dropped.
//!
//! They come from Debian's packages; `make tools` installs them. What goes wrong here is a fault of the test, so it panics.

pub mod openmetrics;
mod process;
pub mod query;
pub mod write;

pub use process::{Server, free_port};

use std::path::Path;

/// A Prometheus on a folder of its own that takes remote write and keeps what is old.
pub fn prometheus(folder: &Path, more: &[&str]) -> Server {
    let config = folder.join("prometheus.yml");
    std::fs::write(&config, "global: {}\nstorage:\n  tsdb:\n    out_of_order_time_window: 1000d\n")
        .expect("prometheus.yml");
    let (config, storage) = (config.display().to_string(), folder.join("blocks").display().to_string());
    let (config, storage) = (format!("--config.file={config}"), format!("--storage.tsdb.path={storage}"));
    let mut arguments = vec![
        config.as_str(),
        storage.as_str(),
        "--storage.tsdb.retention.time=100y",
        "--web.enable-remote-write-receiver",
        "--web.enable-admin-api",
        "--log.level=warn",
    ];
    arguments.extend(more);
    Server::start(
        "prometheus",
        &arguments,
        |port| vec![format!("--web.listen-address=127.0.0.1:{port}")],
        "/-/ready",
    )
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
