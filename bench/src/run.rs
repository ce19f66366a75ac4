//! The benchmark's course: each case, each limit, each way, resumed where it stopped.

use crate::Failure;
use crate::case::{self, Case, Setting};
use crate::machine;
use crate::record::{self, Record, Way};
use crate::table;
use crate::way::{Bout, Ended};
use plimsoll_core::size::{MIB, human};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Limits are rounded to this.
const STEP_BYTES: u64 = 16 * MIB;
/// A run that takes this many times the plain unlimited wall hangs.
const TIMEOUT_TIMES: u32 = 5;
const TIMEOUT_LEAST: Duration = Duration::from_secs(60);
const TIMEOUT_MOST: Duration = Duration::from_secs(15 * 60);
/// A fixed setting this many times slower than the plain unlimited run is no good one.
const TRIAL_TIMEOUT_TIMES: u32 = 4;

/// What to measure.
#[derive(clap::Args)]
pub struct Plan {
    /// Cases by name; all without
    #[arg(long, value_delimiter = ',')]
    case: Vec<String>,
    /// Limits in per cent of the plain unlimited peak
    #[arg(long, value_delimiter = ',', default_value = "100,75,50,35")]
    shares: Vec<u64>,
    /// Ways to run each
    #[arg(long, value_delimiter = ',', default_value = "plain,script,oracle,cold,warm")]
    ways: Vec<Way>,
    /// Ways to measure again although results.jsonl has them
    #[arg(long, value_delimiter = ',')]
    again: Vec<Way>,
    /// Write the table as Markdown here
    #[arg(long)]
    out: Option<PathBuf>,
    /// Start nothing new after this many minutes
    #[arg(long)]
    budget_minutes: Option<u64>,
}

/// Measures what is missing, then prints the table of all there is.
pub fn run(bench: &Path, plimsoll: &Path, plan: &Plan) -> Result<(), Failure> {
    let path = bench.join("work/results.jsonl");
    let mut course = Course {
        bench,
        plimsoll,
        plan,
        records: record::read(&path)?,
        path,
        started: Instant::now(),
        measured_before: 0,
    };
    course.measured_before = course.records.len();
    if plan.ways.iter().any(|way| matches!(way, Way::Cold | Way::Warm)) && !plimsoll.exists() {
        return Err(format!("{}: not there\nbuild it, or name it by --plimsoll", plimsoll.display()).into());
    }
    let cases = case::select(bench, &plan.case)?;
    for case in &cases {
        case.prepare()?;
        let unlimited = Bout { case, share: None, limit_bytes: None, timeout: Some(TIMEOUT_MOST) };
        course.once(&unlimited, Way::Unlimited)?;
    }
    for case in &cases {
        course.limited(case)?;
    }
    let rendered = table::render(&course.records, &machine::describe());
    print!("{}", rendered.text);
    if let Some(out) = &plan.out {
        std::fs::write(out, rendered.markdown)?;
    }
    Ok(())
}

struct Course<'a> {
    bench: &'a Path,
    plimsoll: &'a Path,
    plan: &'a Plan,
    path: PathBuf,
    records: Vec<Record>,
    /// How many records are from before this course.
    measured_before: usize,
    started: Instant,
}

impl Course<'_> {
    /// Every share of what a case took without a limit, in every way.
    fn limited(&mut self, case: &Case) -> Result<(), Failure> {
        let Some(whole) = self.find(case, None, Way::Unlimited).cloned() else { return Ok(()) };
        let peak_bytes = whole.peak_bytes.filter(|_| whole.passed).ok_or_else(|| {
            format!("{}: does not pass without a limit (exit {})", case.name, whole.exit_code)
        })?;
        let wall = Duration::from_millis(whole.wall_ms);
        for share in &self.plan.shares {
            let bout = Bout {
                case,
                share: Some(*share),
                limit_bytes: Some(limit_bytes(peak_bytes, *share)),
                timeout: Some((wall * TIMEOUT_TIMES).clamp(TIMEOUT_LEAST, TIMEOUT_MOST)),
            };
            for way in &self.plan.ways {
                if *way == Way::Oracle { self.oracle(&bout, wall)? } else { self.once(&bout, *way)? }
            }
        }
        Ok(())
    }

    /// Measures one way unless that is done or the time is over.
    fn once(&mut self, bout: &Bout, way: Way) -> Result<(), Failure> {
        if self.is_done(bout, way) || self.is_over() {
            return Ok(());
        }
        let record = match way {
            Way::Script => bout.script()?,
            Way::Cold | Way::Warm => bout.plimsoll(way, self.plimsoll, self.bench)?,
            Way::Unlimited | Way::Plain | Way::Trial | Way::Oracle => bout.fixed(way, Default::default())?,
        };
        self.keep(record)
    }

    /// Sweeps the fixed settings, each kept as a trial, and keeps the fastest that passes as the oracle. The plain run
    /// is the first trial.
    fn oracle(&mut self, bout: &Bout, wall: Duration) -> Result<(), Failure> {
        if self.is_done(bout, Way::Oracle) {
            return Ok(());
        }
        let timeout = (wall * TRIAL_TIMEOUT_TIMES).clamp(TIMEOUT_LEAST, TIMEOUT_MOST);
        let trial = Bout { timeout: Some(timeout), ..*bout };
        trial.sweep(|setting| {
            if let Some(ended) = self.known_end(bout, setting) {
                return Ok(ended);
            }
            if self.is_over() {
                return Ok(Ended::Otherwise);
            }
            let record = trial.fixed(Way::Trial, setting)?;
            let ended = Ended::of(&record);
            self.keep(record)?;
            Ok(ended)
        })?;
        if self.is_over() {
            return Ok(());
        }
        let trials = self.records.iter().filter(|record| is_trial(record, bout.case, bout.share));
        let best = trials.min_by_key(|record| (!record.passed, record.wall_ms)).cloned();
        best.map_or(Ok(()), |best| self.keep(Record { way: Way::Oracle, ..best }))
    }

    /// How a setting ended here, or in more room, where its jobs were killed already. A runtime's own heap is another in
    /// another room, so that says nothing.
    fn known_end(&self, bout: &Bout, setting: Setting) -> Option<Ended> {
        let name = setting.to_string();
        let is_own = setting.heap_mib.is_none() && setting.jobs == bout.case.jobs();
        let of_setting =
            |record: &&Record| record.setting.as_ref() == Some(&name) || is_own && record.way == Way::Plain;
        if let Some(here) =
            self.records.iter().filter(of_setting).find(|record| is_trial(record, bout.case, bout.share))
        {
            return Some(Ended::of(here));
        }
        let killed_in_more = |record: &Record| {
            let more = record.share > bout.share && is_trial(record, bout.case, record.share);
            more && !record.passed && record.kernel_kills > 0
        };
        let known = !bout.case.has_heap() && self.records.iter().filter(of_setting).any(killed_in_more);
        known.then_some(Ended::Otherwise)
    }

    fn find(&self, case: &Case, share: Option<u64>, way: Way) -> Option<&Record> {
        self.records.iter().rev().find(|record| record.is_of(&case.name, share, way))
    }

    fn is_done(&self, bout: &Bout, way: Way) -> bool {
        let from = if self.plan.again.contains(&way) { self.measured_before } else { 0 };
        // Without a limit a failure is a broken case, to be measured again once it is mended.
        let counts = |record: &Record| record.passed || way != Way::Unlimited;
        self.records[from..]
            .iter()
            .any(|record| record.is_of(&bout.case.name, bout.share, way) && counts(record))
    }

    fn is_over(&self) -> bool {
        self.plan
            .budget_minutes
            .is_some_and(|minutes| self.started.elapsed() >= Duration::from_secs(minutes * 60))
    }

    fn keep(&mut self, record: Record) -> Result<(), Failure> {
        eprintln!(
            "{} {} {}: exit {}{}, {} kills, {} attempts, peak {}, {:.1} s{}",
            record.case,
            record.limit_bytes.map_or("no limit".to_string(), human),
            record.way,
            record.exit_code,
            if record.timed_out { " (too long)" } else { "" },
            record.kernel_kills,
            record.attempts,
            record.peak_bytes.map_or("unknown".to_string(), human),
            record.wall_ms as f64 / 1000.0,
            record.setting.as_ref().map_or(String::new(), |setting| format!(" [{setting}]")),
        );
        record::append(&self.path, &mut self.records, record)
    }
}

/// A fixed setting at this limit; the plain run is one too.
fn is_trial(record: &Record, case: &Case, share: Option<u64>) -> bool {
    [Way::Trial, Way::Plain].iter().any(|way| record.is_of(&case.name, share, *way))
}

/// A share of the peak, rounded to the step, never below one.
fn limit_bytes(peak_bytes: u64, share_percent: u64) -> u64 {
    let exact = peak_bytes * share_percent / 100;
    ((exact + STEP_BYTES / 2) / STEP_BYTES).max(1) * STEP_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rounded_shares() {
        let check = |peak_mib: u64, share: u64, expect_mib: u64| {
            assert_eq!(limit_bytes(peak_mib * MIB, share), expect_mib * MIB, "{share} % of {peak_mib}");
        };
        check(1550, 100, 1552);
        check(1550, 75, 1168);
        check(1550, 35, 544);
        check(10, 35, 16);
    }
}
