//! What the agent costs with hundreds of cgroups, beside what people have in its place: cAdvisor as kubelets embed it, which tells the same
//! of containers, and Prometheus' node exporter, which tells only of the node. All are scraped by turns, as a Prometheus does.

use crate::Failure;
use crate::machine;
use crate::table::median;
use clap::Args;
use plimsoll_probe::cgroup::{Layout, Version};
use plimsoll_real::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Containers of a pod.
const PER_POD: usize = 5;
/// What is being removed may still be busy for so long.
const REMOVE_PATIENCE: Duration = Duration::from_secs(10);

/// `plimsoll-bench agent`
#[derive(Args)]
pub struct Plan {
    /// Cgroups to make
    #[arg(long, default_value_t = 500)]
    groups: usize,
    /// Scrapes that count
    #[arg(long, default_value_t = 20)]
    scrapes: usize,
    /// Seconds between them
    #[arg(long, default_value_t = 15)]
    every: u64,
    /// A cAdvisor that takes `-listen ADDRESS`, as dev/cadvisor builds it
    #[arg(long)]
    cadvisor: Option<PathBuf>,
    /// A node exporter
    #[arg(long)]
    node_exporter: Option<PathBuf>,
}

/// Whoever is measured.
struct Contestant {
    name: &'static str,
    server: Server,
    cpu_shares: Vec<f64>,
    rss_mib: Vec<f64>,
    scrape_ms: Vec<f64>,
    bytes: usize,
    series: usize,
}

/// Measures all, and prints it.
pub fn agent(plan: &Plan, plimsoll: &Path) -> Result<(), Failure> {
    let town = Town::build(plan.groups)?;
    let mut all = vec![Contestant::start("plimsoll agent", plimsoll, |address| {
        vec!["agent".into(), "--listen".into(), address]
    })];
    if let Some(program) = &plan.cadvisor {
        all.push(Contestant::start("cAdvisor, memory only", program, |address| {
            vec!["-listen".into(), address]
        }));
    }
    if let Some(program) = &plan.node_exporter {
        let of = |address| vec![format!("--web.listen-address={address}")];
        all.push(Contestant::start("node exporter", program, of));
    }
    for contestant in &mut all {
        contestant.scrape()?;
    }
    for _ in 0..plan.scrapes {
        let before: Vec<f64> = all.iter().map(|it| it.server.cpu_seconds()).collect();
        let started = Instant::now();
        sleep(Duration::from_secs(plan.every));
        for contestant in &mut all {
            contestant.scrape()?;
        }
        let wall = started.elapsed().as_secs_f64();
        for (contestant, before) in all.iter_mut().zip(before) {
            contestant.cpu_shares.push((contestant.server.cpu_seconds() - before) / wall * 100.0);
            contestant.rss_mib.push(rss_mib(contestant.server.pid())?);
        }
    }
    println!("{}", machine::describe());
    println!(
        "{} cgroups with a process each beside the machine's own, {} scrapes {} s apart; medians",
        town.groups.len(),
        plan.scrapes,
        plan.every
    );
    println!(
        "{:<24} {:>9} {:>9} {:>9} {:>10} {:>8} {:>8}",
        "", "CPU %", "RSS MiB", "peak MiB", "scrape ms", "series", "KiB"
    );
    for contestant in all {
        contestant.print();
    }
    println!("goal of the agent: under 1 % of a core and 20 MiB");
    Ok(())
}

impl Contestant {
    fn start(name: &'static str, program: &Path, arguments: impl Fn(String) -> Vec<String>) -> Contestant {
        let listen = |port| arguments(format!("127.0.0.1:{port}"));
        let server = Server::start(&program.display().to_string(), &[], listen, "/metrics");
        Contestant {
            name,
            server,
            cpu_shares: Vec::new(),
            rss_mib: Vec::new(),
            scrape_ms: Vec::new(),
            bytes: 0,
            series: 0,
        }
    }

    fn scrape(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        let mut answer = ureq::get(format!("{}/metrics", self.server.url)).call()?;
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
        self.scrape_ms.push(started.elapsed().as_secs_f64() * 1000.0);
        self.bytes = text.len();
        self.series = text.lines().filter(|line| !line.starts_with('#')).count();
        Ok(())
    }

    fn print(self) {
        let of = |values: Vec<f64>| median(values).unwrap_or(f64::NAN);
        let peak_mib = self.server.peak_bytes() as f64 / 1024.0 / 1024.0;
        println!(
            "{:<24} {:>9.2} {:>9.1} {:>9.1} {:>10.1} {:>8} {:>8}",
            self.name,
            of(self.cpu_shares),
            of(self.rss_mib),
            peak_mib,
            of(self.scrape_ms),
            self.series,
            self.bytes / 1024,
        );
    }
}

fn rss_mib(pid: u32) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 =
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).ok_or("no VmRSS")?;
    Ok(kib / 1024.0)
}

/// Cgroups as a kubelet makes them, below our own, with somebody in each.
struct Town {
    top: PathBuf,
    groups: Vec<PathBuf>,
    people: Vec<Child>,
}

impl Town {
    fn build(count: usize) -> Result<Town, Failure> {
        let place = Layout::detect(Path::new("/"), std::process::id()).memory?;
        if place.version == Version::V2 {
            return Err(
                "on cgroup v2 it needs a cgroup of its own that may have children\nmeasure on a host with v1"
                    .into(),
            );
        }
        let top = place.dir.join(format!("plimsoll-bench-agent-{}", std::process::id()));
        let mut town = Town { top, groups: Vec::new(), people: Vec::new() };
        for number in 0..count {
            let pod = format!("kubepods/burstable/pod{:08x}-0000-4000-8000-000000000000", number / PER_POD);
            let group = town.top.join(pod).join(format!("{number:064x}"));
            fs::create_dir_all(&group).map_err(|error| format!("{}: {error}", group.display()))?;
            let person = Command::new("sleep").arg("86400").stdin(Stdio::null()).spawn()?;
            fs::write(group.join("cgroup.procs"), person.id().to_string())?;
            town.people.push(person);
            town.groups.push(group);
        }
        Ok(town)
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        for person in &mut self.people {
            // They sleep: nothing else ends them.
            let _ = person.kill();
            let _ = person.wait();
        }
        let started = Instant::now();
        while self.top.exists() && started.elapsed() < REMOVE_PATIENCE {
            remove(&self.top);
        }
    }
}

/// A cgroup goes when those in it have gone.
fn remove(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(dir);
}
