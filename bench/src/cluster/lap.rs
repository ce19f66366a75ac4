//! Loops of a program as they end, by its own count and clock.

use super::contestant::Program;
use crate::Failure;
use crate::history::meter::{metrics, sum};
use std::collections::BTreeMap;

/// A loop, and what was spent from the end of the one before to its end.
#[derive(Debug)]
pub struct Lap {
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
    /// Calls to the API server, by what they were.
    pub calls: BTreeMap<String, f64>,
}

/// A program and its loops so far.
pub struct Course {
    pub program: Program,
    pub laps: Vec<Lap>,
    /// As of the last loop's end.
    count: f64,
    wall_seconds: f64,
    cpu_seconds: f64,
    /// Since then.
    calls: BTreeMap<String, f64>,
}

impl Course {
    pub fn new(program: Program) -> Course {
        Course {
            program,
            laps: Vec::new(),
            count: 0.0,
            wall_seconds: 0.0,
            cpu_seconds: 0.0,
            calls: BTreeMap::new(),
        }
    }

    /// Takes note of the calls since the last look and of the loop that has ended since.
    pub fn look(&mut self, calls: BTreeMap<String, f64>) -> Result<(), Failure> {
        for (kind, count) in calls {
            *self.calls.entry(kind).or_default() += count;
        }
        let text = metrics(&self.program.server)?;
        let of = |what: &str| {
            let name = format!("{}_{what}", self.program.loops);
            sum(&text, &name, |labels| labels.contains(self.program.label))
        };
        let (count, wall_seconds) = (of("count"), of("sum"));
        let ended = count - self.count;
        if ended < 1.0 {
            return Ok(());
        }
        let cpu_seconds = self.program.server.cpu_seconds();
        // A program that is faster than we look has its loops taken together.
        self.laps.push(Lap {
            wall_seconds: (wall_seconds - self.wall_seconds) / ended,
            cpu_seconds: (cpu_seconds - self.cpu_seconds) / ended,
            calls: std::mem::take(&mut self.calls)
                .into_iter()
                .map(|(kind, count)| (kind, count / ended))
                .collect(),
        });
        (self.count, self.wall_seconds, self.cpu_seconds) = (count, wall_seconds, cpu_seconds);
        Ok(())
    }
}
