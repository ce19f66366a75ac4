//! The census: what a tree looked like over its life, from one scan after the other.

use crate::attempt::Census;
use crate::program::Runtime;
use crate::size::MIB;

/// Programs kept; of more the smallest are left out.
const PROGRAMS_MAX: usize = 64;
/// A process counts as parallel work from this size on, in bytes: below it are shells and drivers.
const PARALLEL_BYTES: u64 = 32 * MIB;

/// One process in one scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Names it for good (pid and start time).
    pub id: u64,
    /// Program name.
    pub program: &'a str,
    /// What it holds, in bytes.
    pub held_bytes: u64,
}

/// Counts over the life of an attempt.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    census: Census,
    /// The process with the largest peak so far.
    main: Option<u64>,
    /// Processes already counted, the living ones only.
    counted: std::collections::BTreeSet<u64>,
}

/// The runtime a program is known to be.
pub fn runtime_of(program: &str) -> Runtime {
    match program {
        "node" | "nodejs" => Runtime::Node,
        "java" => Runtime::Jvm,
        _ => Runtime::Native,
    }
}

impl Counter {
    /// Adds a scan; `used_bytes` is what the kernel says of the tree, where it does.
    pub fn look(&mut self, processes: &[Seen], used_bytes: Option<u64>) {
        let sum_bytes: u64 = processes.iter().map(|process| process.held_bytes).sum();
        self.peak(used_bytes.unwrap_or(sum_bytes));
        let Some(largest) = processes.iter().max_by_key(|process| process.held_bytes) else { return };
        if Some(largest.held_bytes) > self.census.main_peak_bytes {
            self.main = Some(largest.id);
            self.census.main_peak_bytes = Some(largest.held_bytes);
            self.census.main_program = Some(largest.program.to_string());
            self.census.main_runtime = Some(runtime_of(largest.program));
        }
        let parallel = processes.iter().filter(|process| process.held_bytes >= PARALLEL_BYTES).count();
        self.census.parallel = self.census.parallel.max(parallel as u32);
        self.look_beside_main(processes);
        for process in processes {
            self.count(process);
        }
        self.counted.retain(|id| processes.iter().any(|process| process.id == *id));
    }

    /// Adds a reading of the whole tree between two scans. Nothing at all was nothing seen.
    pub fn peak(&mut self, used_bytes: u64) {
        self.census.peak_bytes = self.census.peak_bytes.max(Some(used_bytes).filter(|bytes| *bytes > 0));
    }

    /// What was seen.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Workers are other processes of the main one's program; everything else is the rest.
    fn look_beside_main(&mut self, processes: &[Seen]) {
        let Some(main) = self.main.and_then(|id| processes.iter().find(|process| process.id == id)) else {
            return;
        };
        let others = || processes.iter().filter(|process| process.id != main.id);
        let worker = others()
            .filter(|process| process.program == main.program)
            .map(|process| process.held_bytes)
            .max();
        self.census.worker_peak_bytes = self.census.worker_peak_bytes.max(worker);
        let rest = others()
            .filter(|process| process.program != main.program)
            .map(|process| process.held_bytes)
            .sum();
        self.census.rest_peak_bytes = self.census.rest_peak_bytes.max(rest);
    }

    fn count(&mut self, process: &Seen) {
        let programs = &mut self.census.programs;
        let usage = programs.entry(process.program.to_string()).or_default();
        usage.peak_bytes = usage.peak_bytes.max(process.held_bytes);
        usage.count += u64::from(self.counted.insert(process.id));
        if programs.len() > PROGRAMS_MAX {
            let smallest =
                programs.iter().min_by_key(|(_, usage)| usage.peak_bytes).map(|(name, _)| name.clone());
            smallest.and_then(|name| programs.remove(&name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::ProgramUse;

    fn seen(id: u64, program: &str, mib: u64) -> Seen<'_> {
        Seen { id, program, held_bytes: mib * MIB }
    }

    #[test]
    fn a_main_process_its_workers_and_the_rest() {
        let mut counter = Counter::default();
        counter.look(&[seen(1, "npm", 50), seen(2, "node", 400)], None);
        counter.look(
            &[seen(1, "npm", 50), seen(2, "node", 1000), seen(3, "node", 300), seen(4, "esbuild", 90)],
            None,
        );
        counter.look(&[seen(1, "npm", 50), seen(2, "node", 700), seen(5, "node", 350)], Some(1500 * MIB));
        let census = counter.census();
        assert_eq!(census.peak_bytes, Some(1500 * MIB));
        assert_eq!(census.main_peak_bytes, Some(1000 * MIB));
        assert_eq!(census.main_program.as_deref(), Some("node"));
        assert_eq!(census.main_runtime, Some(Runtime::Node));
        assert_eq!(census.worker_peak_bytes, Some(350 * MIB));
        assert_eq!(census.rest_peak_bytes, 140 * MIB);
        assert_eq!(census.parallel, 4);
        assert_eq!(census.programs["node"], ProgramUse { count: 3, peak_bytes: 1000 * MIB });
    }

    #[test]
    fn bounded() {
        let names: Vec<String> = (0..200).map(|n| format!("program{n}")).collect();
        let mut counter = Counter::default();
        for (n, name) in (0..).zip(&names) {
            counter.look(&[seen(n, name, n + 1)], None);
        }
        assert_eq!(counter.census().programs.len(), PROGRAMS_MAX);
        assert!(counter.census().programs.contains_key("program199"));
    }

    #[test]
    fn nothing_seen_is_unknown_and_not_zero() {
        let mut counter = Counter::default();
        counter.look(&[], None);
        assert_eq!(counter.census().main_peak_bytes, None);
    }
}
