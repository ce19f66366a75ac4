//! What it costs to keep the memory of a cluster right: contestants watch the same cluster, one after the other, and go round in
//! their loops.
//!
//! The API server, the scheduler and the controllers are real; kwok plays kubelets, and what pods use we tell by metrics.k8s.io.
//! Nothing has to be changed in that cluster: what is measured is the watch, not the work.

mod calls;
mod contestant;
mod fleet;
mod lap;

use crate::Failure;
use crate::machine;
use crate::table::{aligned, median, piped};
use calls::Calls;
use contestant::{ALL, Arena, Contestant};
use fleet::Fleet;
use lap::{Course, Lap};
use plimsoll_core::size::human;
use plimsoll_real::cluster::vpa::Autoscaler;
use plimsoll_real::cluster::{Cluster, Options};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Nodes of the cluster
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=2000))]
    nodes: u64,
    /// Pods on them, of one container each
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pods: u64,
    /// Deployments that the pods are of
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=5000))]
    deployments: u64,
    /// Loops of each program after its first; medians are told
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    loops: u64,
    /// Seconds from the start of one loop to the next
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    interval: u64,
    /// No contestant, nor the making of the cluster, takes longer than so many minutes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    minutes: u64,
    /// Calls a second that each program of the autoscaler may make; what it has by itself without this
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    qps: Option<u64>,
    /// Write the table as Markdown here
    #[arg(long)]
    out: Option<PathBuf>,
}

const HEAD: [&str; 8] = [
    "contestant",
    "program",
    "loops",
    "first loop",
    "a loop",
    "CPU a loop",
    "most memory",
    "API calls a loop",
];

/// Measures all and prints it.
pub fn cluster(plan: &Plan, plimsoll: &Path) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let started = Instant::now();
    eprintln!("making a cluster of {} nodes ...", plan.nodes);
    let users: BTreeSet<&str> = ALL.iter().flat_map(|contestant| contestant.users).copied().collect();
    let options = Options {
        users: users.iter().map(|name| contestant::user(name)).collect(),
        apiserver: calls::audit(folder.path(), users.into_iter())?,
        ..Options::default()
    };
    let cluster = Cluster::start_with(folder.path(), &fleet::nodes(plan.nodes), &options);
    eprintln!("{:.0} s; making {} pods ...", started.elapsed().as_secs_f64(), plan.pods);
    let fleet = Fleet { deployments: plan.deployments, pods: plan.pods };
    fleet.run(&cluster, Instant::now() + Duration::from_secs(plan.minutes * 60))?;
    eprintln!("{:.0} s; all run", started.elapsed().as_secs_f64());
    let arena = Arena {
        autoscaler: Autoscaler::install(&cluster),
        cluster: &cluster,
        fleet,
        interval: Duration::from_secs(plan.interval),
        qps: plan.qps,
        plimsoll,
    };
    let mut rows = Vec::new();
    let mut more = String::new();
    for contestant in &ALL {
        let courses = measured(contestant, &arena, &mut Calls::open(folder.path())?, plan)?;
        rows.extend(courses.iter().map(|course| row(contestant.name, course)));
        more.extend(courses.iter().map(kinds));
        drop(courses);
        (contestant.leave)(&arena);
    }
    print!("{}\n{more}", aligned(&HEAD, &rows));
    if let Some(out) = &plan.out {
        let size = format!("{} pods of {} Deployments on {} nodes", plan.pods, plan.deployments, plan.nodes);
        let table = piped(&HEAD, &rows);
        let text = format!("Machine: {}\n\n{size}\n\n{table}\n```text\n{more}```\n", machine::describe());
        std::fs::write(out, text)?;
    }
    Ok(())
}

/// Lets a contestant go round until each of its programs has done its loops, or the time is up.
fn measured(
    contestant: &Contestant,
    arena: &Arena,
    calls: &mut Calls,
    plan: &Plan,
) -> Result<Vec<Course>, Failure> {
    const LOOK_EVERY: Duration = Duration::from_millis(500);
    let deadline = Instant::now() + Duration::from_secs(plan.minutes * 60);
    let mut courses: Vec<Course> = (contestant.enter)(arena)?.into_iter().map(Course::new).collect();
    while courses.iter().any(|course| (course.laps.len() as u64) <= plan.loops) && Instant::now() < deadline {
        std::thread::sleep(LOOK_EVERY);
        let mut made = calls.since_last()?;
        for course in &mut courses {
            let before = course.laps.len();
            course.look(made.remove(course.program.user).unwrap_or_default())?;
            if let Some(lap) = course.laps.get(before) {
                eprintln!("{}: a loop in {:.2} s", course.program.name, lap.wall_seconds);
            }
        }
    }
    Ok(courses)
}

/// The first loop stands by itself: it loads all, and writes what nobody has written yet.
fn row(contestant: &str, course: &Course) -> Vec<String> {
    let steady = course.laps.get(1..).unwrap_or_default();
    let middle = |of: &dyn Fn(&Lap) -> f64| median(steady.iter().map(of).collect());
    let seconds = |value: Option<f64>| value.map_or("?".to_string(), |value| format!("{value:.3} s"));
    let count = |value: Option<f64>| value.map_or("?".to_string(), |value| format!("{value:.0}"));
    vec![
        contestant.to_string(),
        course.program.name.to_string(),
        steady.len().to_string(),
        seconds(course.laps.first().map(|lap| lap.wall_seconds)),
        seconds(middle(&|lap| lap.wall_seconds)),
        seconds(middle(&|lap| lap.cpu_seconds)),
        human(course.program.server.peak_bytes()),
        // Without the 0 the sum of none would be -0.
        count(middle(&|lap| lap.calls.values().sum::<f64>() + 0.0)),
    ]
}

/// The calls of a program by kind, the most frequent first.
fn kinds(course: &Course) -> String {
    const SHOWN: usize = 6;
    let steady = course.laps.get(1..).unwrap_or_default();
    let all: BTreeMap<&str, ()> =
        steady.iter().flat_map(|lap| lap.calls.keys()).map(|kind| (kind.as_str(), ())).collect();
    let middle =
        |kind: &str| median(steady.iter().map(|lap| lap.calls.get(kind).copied().unwrap_or(0.0)).collect());
    let mut counts: Vec<(f64, &str)> =
        all.into_keys().map(|kind| (middle(kind).unwrap_or(0.0), kind)).collect();
    counts.sort_by(|one, other| other.0.total_cmp(&one.0));
    let shown = counts.iter().filter(|(count, _)| *count > 0.0).take(SHOWN);
    let shown: Vec<String> = shown.map(|(count, kind)| format!("{count:.0} {kind}")).collect();
    let shown = if shown.is_empty() { "none".to_string() } else { shown.join(", ") };
    format!("{}, API calls a loop: {shown}\n", course.program.name)
}
