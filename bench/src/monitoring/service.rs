//! `plimsoll serve`, which remembers builds, has learned what people take, asks the app who is there, and has pods ready for those who
//! have booked.

use super::shop::Shop;
use super::stage::{SERVICE, Scraped, listen, said};
use super::study::Study;
use crate::Failure;
use plimsoll_real::{Server, answered, eventually};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

/// Pods that there may be.
const MOST_PODS: u32 = 4;

/// It learns when it starts, from what it has.
const LEARNS_WITHIN: Duration = Duration::from_secs(60);

/// The service and the app that it asks.
pub struct Service {
    server: Option<Server>,
    pub study: Study,
    place: Place,
    scraped: Scraped,
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

impl Place {
    fn at(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn serve(&self, config: &str) -> [String; 7] {
        let (store, builds) = (self.at("capacity.db"), self.at("builds"));
        ["serve", "--config", config, "--store", &store, "--state", &builds].map(str::to_string)
    }

    /// What it is told of pods, and more.
    fn configure(&self, most_pods: u32, more: &str) -> std::io::Result<String> {
        let config = self.at("serve.yaml");
        let pods = most_pods.min(2);
        let regions = format!("[{{name: eu, pods: {pods}, most_pods: {most_pods}}}]");
        std::fs::write(&config, format!("capacity:\n  pod_limit: 512Mi\n  regions: {regions}\n{more}"))?;
        Ok(config)
    }
}

impl Service {
    /// Has it learn, and then serve.
    pub fn open(place: Place, scraped: &Scraped) -> Result<Service, Failure> {
        build(&place.program, &place.at("builds"))?;
        let command = place.serve(&place.configure(MOST_PODS, "")?);
        let learner =
            Server::start(&place.program, &command.each_ref().map(String::as_str), listen, "/readyz");
        let mut study = Study::begin(&place.folder, &learner.url)?;
        study.until_present()?;
        // It learns when it starts, and each hour: nobody wants to wait for that.
        drop(learner);
        eventually(|| place.kubeconfig.exists());
        let mut service = Service { server: None, study, place, scraped: scraped.clone() };
        service.begin(MOST_PODS)?;
        answered(LEARNS_WITHIN, "what people take is learned", || {
            has_learned(&service.place.program, service.url())
        });
        reserve(&service.place.program, service.url())?;
        Ok(service)
    }

    /// Serves anew, with all the pods that it had at first.
    pub fn again(&mut self) -> Result<(), Failure> {
        self.end();
        self.begin(MOST_PODS)
    }

    /// Begins to serve.
    pub fn begin(&mut self, most_pods: u32) -> Result<(), Failure> {
        let place = &self.place;
        let observe = format!("  observe: {{scrape: ['{}/metrics'], every: 1s}}\n", self.study.app.url);
        let ahead = format!("  ahead: {{{}, dry_run: false}}\n", Shop::scaled());
        let config = place.configure(most_pods, &format!("{observe}{ahead}"))?;
        let kubeconfig = format!("KUBECONFIG={}", place.kubeconfig.display());
        let command = [vec![kubeconfig, place.program.clone()], place.serve(&config).to_vec()].concat();
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let server = Server::start("env", &command, listen, "/readyz");
        self.scraped.add(SERVICE, &server)?;
        self.server = Some(server);
        Ok(())
    }

    /// Does not serve for a while.
    pub fn end(&mut self) {
        self.server = None;
    }

    /// Where it is; empty where it does not serve.
    pub fn url(&self) -> &str {
        self.server.as_ref().map_or("", |server| &server.url)
    }

    /// Promises all that there is, to groups that get smaller: which those are.
    pub fn promise_all(&self) -> Result<Vec<String>, Failure> {
        let (mut promised, mut people) = (Vec::new(), 64);
        while people > 0 {
            match self.book(people)? {
                (201, booked) => promised.extend(booked["reservation"]["id"].as_str().map(str::to_string)),
                (409, _) => people /= 2,
                (status, said) => return Err(format!("capacity: of {people} people: {status} {said}").into()),
            }
        }
        Ok(promised)
    }

    /// Takes promises back.
    pub fn cancel(&self, promised: &[String]) -> Result<(), Failure> {
        for id in promised {
            ureq::delete(format!("{}/api/capacity/schedule/{id}", self.url())).call()?;
        }
        Ok(())
    }

    /// So many people from now on for an hour, however likely they are to need more than there is: the status and what is said.
    fn book(&self, count: u64) -> Result<(u16, Value), Failure> {
        let start = (jiff::Timestamp::now() + Duration::from_secs(2)).to_string();
        let body = json!({
            "title": "all of it", "start": start, "duration_minutes": 60, "expected_participants": count, "risk": 0.5,
        });
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let asked = agent.post(format!("{}/api/capacity/schedule", self.url()));
        let mut answer = asked.header("content-type", "application/json").send(body.to_string())?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_str(&answer.body_mut().read_to_string()?)?))
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

/// Whether what people take is what the app showed, and no assumption; else what is said of it.
fn has_learned(program: &str, service: &str) -> Result<(), Value> {
    let asked =
        said(Command::new(program).args(["capacity", "--server", service, "profiling", "-o", "json"]));
    let answer: Value = asked.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut profiles = answer["profiles"].as_array().into_iter().flatten();
    let is_learned = profiles.any(|it| it["app_version"] == answer["in_force"] && it["is_assumed"] == false);
    if is_learned { Ok(()) } else { Err(answer) }
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
