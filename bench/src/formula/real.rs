//! A real app: Node with the memory of a study platform (`examples/study`), as processes under the visits of days that pass
//! in minutes. Nobody made its memory up: it is what the kernel says.

use crate::Failure;
use jiff::Timestamp;
use plimsoll_core::capacity::formula::observation::Observation;
use plimsoll_core::capacity::roles::{Counts, Role};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// How many times as fast as real time visits are played: ten minutes a second.
const SPEED: u64 = 600;
/// Pods; each is a process.
const PODS: usize = 2;
/// Between the last visit and the end, at the most.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was seen of it, in the order of time.
pub struct Seen {
    /// Once each minute that was played, of each pod.
    pub observations: Vec<Observation>,
    /// How many hours were played.
    pub hours: u64,
}

/// Plays for so many minutes of real time.
pub fn play(minutes: u64, seed: u64) -> Result<Seen, Failure> {
    let app = PathBuf::from("examples/study");
    if !Command::new(app.join("install")).status()?.success() {
        return Err(
            "examples/study/install failed\nrun this at the project's root, where npm reaches its registry"
                .into(),
        );
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("observations.ndjson");
    let hours = (minutes * SPEED / 60).max(1);
    let clock =
        Clock { origin_ms: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis(), hours };
    let pods = (0..PODS).map(|pod| Pod::start(&app, pod, &clock)).collect::<Result<Vec<Pod>, Failure>>()?;
    let mut visitors = node(&app, "visitors.mjs", &clock);
    pods.iter().for_each(|pod| {
        visitors.args(["--app", &pod.url]);
    });
    visitors.args(["--hours", &hours.to_string(), "--seed", &seed.to_string(), "--observations"]).arg(&file);
    let mut visitors = Running(visitors.spawn()?);
    let until = Instant::now() + Duration::from_secs(60 * minutes) + PATIENCE;
    loop {
        match visitors.0.try_wait()? {
            Some(status) if status.success() => break,
            Some(status) => return Err(format!("the visitors of examples/study ended with {status}").into()),
            None if Instant::now() > until => {
                return Err("the visitors of examples/study did not end in time".into());
            }
            None => std::thread::sleep(Duration::from_millis(200)),
        }
    }
    Ok(Seen { observations: read(&file)?, hours })
}

/// The time that is played.
struct Clock {
    origin_ms: u128,
    hours: u64,
}

/// A process that ends with this one, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Pod {
    url: String,
    _running: Running,
}

impl Pod {
    fn start(app: &Path, number: usize, clock: &Clock) -> Result<Pod, Failure> {
        let mut command = node(app, "app.mjs", clock);
        command.env("POD_NAME", format!("backend-{number}")).env("PORT", "0").stdout(Stdio::piped());
        let mut running = Running(command.spawn()?);
        let mut line = String::new();
        let out = running.0.stdout.take().ok_or("a process without stdout")?;
        BufReader::new(out).read_line(&mut line)?;
        let url = line.trim().strip_prefix("listening on ").ok_or("examples/study/app.mjs does not start")?;
        Ok(Pod { url: url.to_string(), _running: running })
    }
}

/// Node with the clock and the allocator that the app's image would set.
fn node(app: &Path, script: &str, clock: &Clock) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "node"]).arg(app.join(script)).stdin(Stdio::null());
    command.env("MALLOC_MMAP_THRESHOLD_", "131072");
    command.env("STUDY_ORIGIN_MS", clock.origin_ms.to_string()).env("STUDY_SPEED", SPEED.to_string());
    // A day more than is played, so that it never becomes the present.
    command.env("STUDY_HOURS_BACK", (clock.hours + 24).to_string());
    command
}

/// An observation as the API takes it.
#[derive(Deserialize)]
struct Line {
    at: String,
    pod: String,
    version: String,
    memory_bytes: Option<u64>,
    roles: BTreeMap<Role, u64>,
    uptime_seconds: Option<u64>,
    connections: Option<u64>,
}

fn read(file: &Path) -> Result<Vec<Observation>, Failure> {
    let mut observations = Vec::new();
    for line in BufReader::new(std::fs::File::open(file)?).lines() {
        let line: Line = serde_json::from_str(&line?)?;
        observations.push(Observation {
            at_ms: line.at.parse::<Timestamp>()?.as_millisecond(),
            pod: line.pod,
            version: line.version,
            memory_bytes: line.memory_bytes,
            counts: Counts::new(line.roles)?,
            uptime_ms: line.uptime_seconds.map(|seconds| seconds * 1_000),
            connections: line.connections,
        });
    }
    observations.sort_by(|one, other| (one.at_ms, &one.pod).cmp(&(other.at_ms, &other.pod)));
    Ok(observations)
}
