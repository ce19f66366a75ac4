//! `plimsoll serve`, which remembers builds, has learned what people take, asks the app who is there, and has pods ready for those who
//! have booked.

use super::shop::Shop;
use super::stage::{SERVICE, Scraped, listen, said};
use super::study::Study;
use crate::Failure;
use plimsoll_real::{Server, eventually};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

/// What it is told of pods.
const CAPACITY: &str = "
capacity:
  pod_limit: 512Mi
  regions:
  - {name: eu, pods: 2, most_pods: 4}
";

/// The service and the app that it asks.
pub struct Service {
    pub server: Server,
    pub study: Study,
}

/// What it needs.
pub struct Place {
    /// The plimsoll.
    pub program: String,
    /// Where it keeps everything.
    pub folder: PathBuf,
    /// Of the cluster that is scaled; it may come later.
    pub kubeconfig: PathBuf,
}

impl Service {
    /// Has it learn, and then serve.
    pub fn open(place: &Place, scraped: &Scraped) -> Result<Service, Failure> {
        let at = |name: &str| place.folder.join(name).display().to_string();
        let (store, builds) = (at("capacity.db"), at("builds"));
        build(&place.program, &builds)?;
        let config = at("learn.yaml");
        std::fs::write(&config, CAPACITY)?;
        let learner = Server::start(&place.program, &serve(&config, &store, &builds), listen, "/readyz");
        let mut study = Study::begin(&place.folder, &learner.url)?;
        study.until_present()?;
        // It learns when it starts, and each hour: nobody wants to wait for that.
        drop(learner);
        let config = at("serve.yaml");
        let observe = format!("  observe: {{scrape: ['{}/metrics'], every: 1s}}\n", study.app.url);
        let ahead = format!("  ahead: {{{}, dry_run: false}}\n", Shop::scaled());
        std::fs::write(&config, format!("{CAPACITY}{observe}{ahead}"))?;
        eventually(|| place.kubeconfig.exists());
        let kubeconfig = format!("KUBECONFIG={}", place.kubeconfig.display());
        let command = [&[&*kubeconfig, &*place.program][..], &serve(&config, &store, &builds)].concat();
        let server = Server::start("env", &command, listen, "/readyz");
        eventually(|| has_learned(&place.program, &server.url));
        reserve(&place.program, &server.url)?;
        scraped.add(SERVICE, &server)?;
        Ok(Service { server, study })
    }
}

fn serve<'a>(config: &'a str, store: &'a str, builds: &'a str) -> [&'a str; 7] {
    ["serve", "--config", config, "--store", store, "--state", builds]
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

/// Whether what people take is what the app showed, and no assumption.
fn has_learned(program: &str, service: &str) -> bool {
    let asked =
        said(Command::new(program).args(["capacity", "--server", service, "profiling", "-o", "json"]));
    let answer: serde_json::Value =
        asked.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut profiles = answer["profiles"].as_array().into_iter().flatten();
    profiles.any(|it| it["app_version"] == answer["in_force"] && it["is_assumed"] == false)
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
        false => {
            let said = |it: &Output| {
                let texts = [&it.stdout, &it.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
                format!("{}\n{}", it.status, texts.concat())
            };
            Err(format!("capacity: of 4 people: {}of 100,000: {}", said(&fits), said(&does_not)).into())
        }
    }
}
