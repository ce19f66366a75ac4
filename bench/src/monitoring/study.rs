//! An app with people in it (`examples/study`): hours of visits are played in seconds, so that `plimsoll serve` learns what people take;
//! then it is the present, and the service asks the app itself.

use crate::Failure;
use plimsoll_real::{Process, Server};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// Hours that are played before the present.
const HOURS_BACK: u64 = 12;
/// How many times as fast as real time.
const SPEED: u64 = 900;
/// What the visitors say when it is.
const PRESENT: &str = "it is the present";
/// Longer than it takes to play and to hand on what was seen.
const PRESENT_WITHIN: Duration = Duration::from_secs(150);

/// Prints the first seed by which people of all kinds are there for the next minutes: at night few come.
const SEED: &str = r#"
import(process.argv[1]).then(({ visits, HOUR_MS }) => {
  const there = (seed, atMs) => {
    const here = new Map();
    const hour = Math.floor(atMs / HOUR_MS);
    for (const each of [hour - 2, hour - 1, hour, hour + 1])
      for (const it of visits(seed, each))
        if (it.atMs <= atMs) it.does === 'join' ? here.set(it.name, it) : here.delete(it.name);
    return [...here.values()];
  };
  const full = (people) =>
    people.some((it) => it.hasVideo) &&
    people.some((it) => it.role === 'participant' && !it.hasVideo) &&
    people.some((it) => it.role === 'experimenter');
  const soon = [1, 3, 5, 8, 12].map((minutes) => Date.now() + minutes * 60_000);
  for (let seed = 1; seed < 100_000; seed += 1)
    if (soon.every((atMs) => full(there(seed, atMs)))) return console.log(seed);
});
"#;

/// The app and its visitors; they end when this is dropped.
pub struct Study {
    pub app: Server,
    visitors: Process,
    log: PathBuf,
}

impl Study {
    /// Begins to play; what is seen is handed to a service.
    pub fn begin(folder: &Path, service: &str) -> Result<Study, Failure> {
        let sources = PathBuf::from("examples/study").canonicalize()?;
        if !Command::new(sources.join("install")).status()?.success() {
            return Err("examples/study/install failed\nrun this at the project's root, where npm reaches its registry".into());
        }
        let seed = Command::new("node").args(["-e", SEED]).arg(sources.join("visits.mjs")).output()?.stdout;
        let seed = String::from_utf8(seed)?.trim().to_string();
        if seed.is_empty() {
            return Err("examples/study/visits.mjs: nobody would be there".into());
        }
        let clock = clock()?;
        let clock: Vec<&str> = clock.iter().map(String::as_str).collect();
        let script = |name: &str| sources.join(name).display().to_string();
        let app = Server::start(
            "env",
            // What is freed goes back to the kernel at once, as images of such apps set it.
            &[&clock[..], &["MALLOC_MMAP_THRESHOLD_=131072", "sh", "-c", APP, &script("app.mjs")]].concat(),
            |port| vec![port.to_string()],
            "/health/pod",
        );
        let log = folder.join("visitors.log");
        let mut command = Command::new("env");
        command.args(&clock).args(["node", &script("visitors.mjs"), "--app", &app.url, "--seed", &seed]);
        command
            .args(["--post", service])
            .stdout(File::create(&log)?)
            .stderr(File::create(folder.join("visitors.err"))?);
        Ok(Study { app, visitors: Process::start(command, "visitors"), log })
    }

    /// Waits until it is the present, and all that was seen is handed on.
    pub fn until_present(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        while !std::fs::read_to_string(&self.log)?.contains(PRESENT) {
            if began.elapsed() > PRESENT_WITHIN || self.visitors.has_ended() {
                return Err(
                    format!("{}: the visitors did not come to the present", self.log.display()).into()
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

/// The app at a port that is named last.
const APP: &str = r#"PORT=$1 exec node "$0""#;

/// The same time for all.
fn clock() -> Result<[String; 3], Failure> {
    let origin_ms = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
    Ok([
        format!("STUDY_ORIGIN_MS={origin_ms}"),
        format!("STUDY_HOURS_BACK={HOURS_BACK}"),
        format!("STUDY_SPEED={SPEED}"),
    ])
}
