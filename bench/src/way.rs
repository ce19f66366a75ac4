//! The ways a build is run at one limit.

use crate::Failure;
use crate::case::{Case, Setting};
use crate::confine::{self, Measured, Order};
use crate::record::{Record, Way};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Heap sizes of the usual script, tried downwards.
const SCRIPT_HEAPS_MIB: [u64; 3] = [6144, 4096, 2048];
/// Heap sizes of the sweep, per cent of the limit, the largest first: where one process has most of it, and where
/// several share it.
const SWEEP_HEAPS_PERCENT: [u64; 6] = [95, 90, 85, 75, 60, 40];
const SWEEP_SHARED_HEAPS_PERCENT: [u64; 4] = [75, 40, 25, 15];
/// Jobs at once of the sweep.
const SWEEP_JOBS: [u64; 4] = [8, 4, 2, 1];
/// So many that pass, of one heap or of all, and no smaller is tried any more: it would only be slower.
const PASSES_ENOUGH: usize = 2;

/// How Node exits when its heap is full: abort(3) as a shell tells it.
const V8_HEAP_FULL: i32 = 134;

/// One case at one limit.
pub struct Bout<'a> {
    pub case: &'a Case,
    pub share: Option<u64>,
    pub limit_bytes: Option<u64>,
    pub timeout: Option<Duration>,
}

impl Bout<'_> {
    /// One run from scratch with a fixed setting.
    pub fn fixed(&self, way: Way, setting: Setting) -> Result<Record, Failure> {
        self.case.clean()?;
        let (command, variables) = self.case.start(setting);
        let measured = self.measure(way, command, variables)?;
        let mut record = self.record(way, &measured, self.case.verify()?);
        record.setting = Some(setting.to_string());
        Ok(record)
    }

    /// As the usual script does: smaller heaps and half the jobs until one passes, from scratch each time.
    pub fn script(&self) -> Result<Record, Failure> {
        let mut dead: Vec<Record> = Vec::new();
        for (attempt, heap_mib) in SCRIPT_HEAPS_MIB.into_iter().enumerate() {
            let jobs = self.case.jobs().map(|jobs| (jobs >> attempt).max(1));
            let mut last = self.fixed(Way::Script, Setting { heap_mib: Some(heap_mib), jobs })?;
            if last.passed || attempt + 1 == SCRIPT_HEAPS_MIB.len() {
                let lost: u64 = dead.iter().map(|record| record.cpu_ms).sum();
                last.attempts += dead.len() as u64;
                last.wall_ms += dead.iter().map(|record| record.wall_ms).sum::<u64>();
                last.kernel_kills += dead.iter().map(|record| record.kernel_kills).sum::<u64>();
                last.dead_cpu_ms = Some(lost + if last.passed { 0 } else { last.cpu_ms });
                last.cpu_ms += lost;
                return Ok(last);
            }
            dead.push(last);
        }
        unreachable!("the last size returns")
    }

    /// Every fixed setting worth trying at this limit, the build's own first. `trial` tells how one ended.
    pub fn sweep(&self, mut trial: impl FnMut(Setting) -> Result<Ended, Failure>) -> Result<(), Failure> {
        let limit_mib = self.limit_bytes.ok_or("a sweep needs a limit")? >> 20;
        let percents: &[u64] = match (self.case.has_heap(), self.case.jobs()) {
            (false, _) => &[],
            (true, None) => &SWEEP_HEAPS_PERCENT,
            (true, Some(_)) => &SWEEP_SHARED_HEAPS_PERCENT,
        };
        self.jobs_of_one_heap(None, &mut trial)?;
        let mut passes = 0;
        for percent in percents {
            match self.jobs_of_one_heap(Some(limit_mib * percent / 100), &mut trial)? {
                Ended::Passed => passes += 1,
                // No smaller one can do.
                Ended::HeapFull => break,
                Ended::Otherwise => {}
            }
            if passes == PASSES_ENOUGH {
                break;
            }
        }
        Ok(())
    }

    /// Fewer and fewer jobs with one heap.
    fn jobs_of_one_heap(
        &self,
        heap_mib: Option<u64>,
        trial: &mut impl FnMut(Setting) -> Result<Ended, Failure>,
    ) -> Result<Ended, Failure> {
        let own = self.case.jobs();
        let fewer = SWEEP_JOBS.into_iter().filter(|jobs| own.is_some_and(|own| *jobs < own));
        let mut passes = 0;
        for jobs in std::iter::once(own).chain(fewer.map(Some)) {
            match trial(Setting { heap_mib, jobs })? {
                Ended::Passed => passes += 1,
                Ended::HeapFull => return Ok(Ended::HeapFull),
                Ended::Otherwise => {}
            }
            let uses_all_cores = jobs.is_some_and(|jobs| jobs > cores());
            if passes == PASSES_ENOUGH || passes > 0 && !uses_all_cores {
                break;
            }
        }
        Ok(if passes > 0 { Ended::Passed } else { Ended::Otherwise })
    }

    /// Under Plimsoll, which sits inside the limit as it does in a CI job's container.
    pub fn plimsoll(&self, way: Way, plimsoll: &Path, bench: &Path) -> Result<Record, Failure> {
        let folder =
            bench.join("work/plimsoll").join(format!("{}-{}", self.case.name, self.share.unwrap_or(0)));
        let (store, report) = (folder.join("store"), folder.join(format!("{way}.json")));
        if way == Way::Cold && store.exists() {
            fs::remove_dir_all(&store)?;
        }
        fs::create_dir_all(&store)?;
        let _ = fs::remove_file(&report);
        self.case.clean()?;
        let (build, variables) = self.case.start(Setting::default());
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut command = vec![text(plimsoll), "run".into(), "--job".into(), self.case.name.clone()];
        command.extend(["--store".into(), text(&store), "--report".into(), text(&report), "--".into()]);
        command.extend(build);
        // The script's three runs may take as long each.
        let timeout = self.timeout.map(|timeout| timeout * SCRIPT_HEAPS_MIB.len() as u32);
        let measured = Bout { timeout, ..*self }.measure(way, command, variables)?;
        let mut record = self.record(way, &measured, self.case.verify()?);
        if let Ok(report) = Report::read(&report) {
            record.attempts = report.attempts.len() as u64;
            let told: u64 = report.attempts.iter().filter_map(|attempt| attempt.kernel_kills).sum();
            record.kernel_kills = record.kernel_kills.max(told);
            record.need_bytes = report.need_bytes;
            if record.passed {
                record.dead_cpu_ms = report.dead_cpu_ms();
            }
        }
        Ok(record)
    }

    fn measure(
        &self,
        way: Way,
        command: Vec<String>,
        variables: Vec<(String, String)>,
    ) -> Result<Measured, Failure> {
        let mut order = Order::new("bench", command, self.case.work.clone());
        order.variables = variables;
        order.limit_bytes = self.limit_bytes;
        order.timeout = self.timeout;
        order.log = Some(self.log(way));
        confine::measure(&order)
    }

    /// Where the output of the last run of this way is kept.
    fn log(&self, way: Way) -> PathBuf {
        let share = self.share.map_or("all".to_string(), |share| share.to_string());
        self.case.work.with_file_name(format!("{}-{share}-{way}.log", self.case.name))
    }

    fn record(&self, way: Way, measured: &Measured, made: bool) -> Record {
        let passed = measured.exit_code == 0 && !measured.timed_out && made;
        Record {
            case: self.case.name.clone(),
            way,
            share: self.share,
            limit_bytes: self.limit_bytes,
            passed,
            exit_code: measured.exit_code,
            timed_out: measured.timed_out,
            kernel_kills: measured.kernel_kills,
            attempts: 1,
            wall_ms: measured.wall_ms,
            cpu_ms: measured.cpu_ms,
            dead_cpu_ms: Some(if passed { 0 } else { measured.cpu_ms }),
            peak_bytes: measured.peak_bytes,
            need_bytes: None,
            setting: None,
        }
    }
}

/// How a trial of the sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Passed,
    /// V8 gave up at its own limit, and the kernel killed nothing.
    HeapFull,
    Otherwise,
}

impl Ended {
    pub fn of(record: &Record) -> Ended {
        match (record.passed, record.exit_code) {
            (true, _) => Ended::Passed,
            (false, V8_HEAP_FULL) if record.kernel_kills == 0 => Ended::HeapFull,
            _ => Ended::Otherwise,
        }
    }
}

fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// What a benchmark reads of `plimsoll run --report`.
#[derive(Deserialize)]
struct Report {
    attempts: Vec<Attempt>,
    need_bytes: Option<u64>,
}

#[derive(Deserialize)]
struct Attempt {
    kernel_kills: Option<u64>,
    cpu_ms: Option<u64>,
}

impl Report {
    fn read(path: &Path) -> Result<Report, Failure> {
        Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
    }

    /// CPU time of all attempts but the last, where each is known.
    fn dead_cpu_ms(&self) -> Option<u64> {
        let (_, dead) = self.attempts.split_last()?;
        dead.iter().map(|attempt| attempt.cpu_ms).sum()
    }
}
