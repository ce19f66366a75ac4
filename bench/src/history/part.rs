//! One way of reading, in a process of its own: the highest use of each workload, and what memory that took.

use super::fleet::{self, CONTAINER, FROM_MS, METRIC, TO_MS};
use super::fold;
use crate::Failure;
use plimsoll_core::sizing::HOUR_MS;
use plimsoll_history::server::access::Access;
use plimsoll_history::workloads::{self, Question};
use plimsoll_history::{Range, Reader, server};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// Ours, by remote read.
    Ours,
    /// As KRR asks: two instant queries with a subquery for each workload's container.
    Krr,
    /// All readings by range queries, a day at a time.
    Range,
    /// Ours, where there are only queries.
    Queries,
    /// No server: many containers folded and judged.
    Fold,
}

/// `plimsoll-bench history-part`
#[derive(Debug, clap::Args)]
pub struct Part {
    #[arg(long)]
    way: Way,
    #[arg(long, default_value = "")]
    url: String,
    /// Of the server, or to fold
    #[arg(long)]
    series: u64,
}

/// What a part prints.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Done {
    /// Highest use of each `namespace/workload`, in bytes.
    pub highest: BTreeMap<String, f64>,
    /// Highest memory of the process, in bytes.
    pub rss_bytes: u64,
    /// CPU time of the process, in seconds.
    pub cpu_seconds: f64,
    /// Memory of the process at some steps, in bytes.
    pub steps: Vec<(String, u64)>,
}

/// As many as KRR's default.
const KRR_WORKERS: usize = 6;
/// As many as ours.
const RANGE_WORKERS: usize = 4;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Part {
    /// Reads and prints.
    pub fn run(&self) -> Result<(), Failure> {
        let mut done = Done::default();
        match self.way {
            Way::Ours => done.highest = self.ours(server::Way::RemoteRead)?,
            Way::Queries => done.highest = self.ours(server::Way::Query)?,
            Way::Krr => done.highest = self.krr()?,
            Way::Range => done.highest = self.range()?,
            Way::Fold => done.steps = fold::fold(self.series)?,
        }
        done.rss_bytes = fold::memory("VmHWM")?;
        done.cpu_seconds = cpu_seconds()?;
        println!("{}", serde_json::to_string(&done)?);
        Ok(())
    }

    fn ours(&self, way: server::Way) -> Result<BTreeMap<String, f64>, Failure> {
        let reader = Reader::of_server(&self.url, &[way], &Access::default())?;
        let range = Range { from_ms: FROM_MS, to_ms: TO_MS };
        let question = Question { namespaces: Vec::new(), labels: Vec::new(), range };
        let found = workloads::read(&reader, &question, &|_, _| ())?;
        let highest = found.containers.iter().map(|container| {
            let highest = container.profile.used.highest(FROM_MS, TO_MS).unwrap_or(0);
            (format!("{}/{}", container.id.namespace, container.id.workload), highest as f64)
        });
        Ok(highest.collect())
    }

    /// KRR has two more for processors, and batches of 50 pods; it knows the pods from Kubernetes.
    fn krr(&self) -> Result<BTreeMap<String, f64>, Failure> {
        each(&fleet::workloads(self.series), KRR_WORKERS, |workload| {
            let series = format!(
                "max({METRIC}{{namespace=\"{}\",pod=~\"{}\",container=\"{CONTAINER}\"}}) by (container,pod,job)",
                workload.namespace,
                workload.pods.join("|")
            );
            let asked = |function: &str| {
                let query = format!("{function}({series}[14d:75s])");
                self.get("query", &[("query", &query), ("time", &(TO_MS / 1000).to_string())])
            };
            let (highest, count) = (asked("max_over_time")?, asked("count_over_time")?);
            if highest.len() != workload.pods.len() || count.len() != workload.pods.len() {
                return Err(format!("{}: {} series", workload.name, highest.len()).into());
            }
            Ok(vec![(format!("{}/{}", workload.namespace, workload.name), most(&highest))])
        })
    }

    fn range(&self) -> Result<BTreeMap<String, f64>, Failure> {
        let days = (FROM_MS..TO_MS).step_by(DAY_MS as usize);
        let asked: Vec<(String, i64)> = fleet::namespaces(self.series)
            .into_iter()
            .flat_map(|namespace| days.clone().map(move |day_ms| (namespace.clone(), day_ms)))
            .collect();
        each(&asked, RANGE_WORKERS, |(namespace, day_ms)| {
            let query = format!("{METRIC}{{namespace=\"{namespace}\",container!=\"\"}}");
            let seconds = |ms: i64| (ms / 1000).to_string();
            let (start, end) = (seconds(day_ms + 60_000), seconds(day_ms + DAY_MS));
            let asked = [("query", query.as_str()), ("start", &start), ("end", &end), ("step", "60")];
            let highest = |series: &Series| {
                let pod = series.metric.get("pod").map_or("", String::as_str);
                let workload = pod.rsplit_once('-').map_or(pod, |(workload, _)| workload);
                (format!("{namespace}/{workload}"), most(std::slice::from_ref(series)))
            };
            Ok(self.get("query_range", &asked)?.iter().map(highest).collect())
        })
    }

    fn get(&self, what: &str, parameters: &[(&str, &str)]) -> Result<Vec<Series>, Failure> {
        let request =
            ureq::get(format!("{}/api/v1/{what}", self.url)).query_pairs(parameters.iter().copied());
        let text = request.call()?.body_mut().with_config().limit(4 << 30).read_to_vec()?;
        Ok(serde_json::from_slice::<Answer>(&text)?.data.result)
    }
}

/// Of all threads of this process, of those that have ended too.
fn cpu_seconds() -> Result<f64, Failure> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // User and system time are the 14th and 15th field, the first after the name being the third.
    let fields = stat.rsplit(") ").next().unwrap_or("").split(' ').skip(11).take(2);
    Ok(fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND)
}

#[derive(Deserialize)]
struct Answer {
    data: Matrix,
}

#[derive(Deserialize)]
struct Matrix {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    value: Option<(f64, String)>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

fn most(series: &[Series]) -> f64 {
    let values = series.iter().flat_map(|series| series.value.iter().chain(&series.values));
    values.filter_map(|(_, text)| text.parse::<f64>().ok()).fold(0.0, f64::max)
}

/// The highest of each name that the answers for the items have, so many items at a time.
fn each<I: Sync>(
    items: &[I],
    at_once: usize,
    of: impl Fn(&I) -> Result<Vec<(String, f64)>, Failure> + Sync,
) -> Result<BTreeMap<String, f64>, Failure> {
    let (next, answers) = (AtomicUsize::new(0), Mutex::new(Ok(BTreeMap::new())));
    let work = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let answer = of(item).map_err(|failure| failure.to_string());
            let mut answers = answers.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            match (answer, answers.as_mut()) {
                (Ok(found), Ok(answers)) => found.into_iter().for_each(|(name, value)| {
                    let highest: &mut f64 = answers.entry(name).or_default();
                    *highest = highest.max(value);
                }),
                (Err(failure), Ok(_)) => *answers = Err(failure),
                (_, Err(_)) => return,
            }
        }
    };
    std::thread::scope(|scope| (0..at_once).for_each(|_| drop(scope.spawn(work))));
    answers.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).map_err(Failure::from)
}
