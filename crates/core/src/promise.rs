//! Promises: how much memory a running process will have needed when it ends, from what its like has needed.
//!
//! Free memory says nothing about a compiler that has just started: it grows for ten seconds and more (measured
//! with g++). So a process counts as the larger of what it holds and what is expected of it, and what is
//! expected is learned per program and input, per program, and before that from a table of priors.

use crate::attempt::ProgramUse;
use crate::size::{GIB, MIB};
use std::collections::{BTreeMap, BTreeSet};

/// Programs and inputs remembered; past it the smallest is forgotten, since that one is guessed well enough from
/// its program's other inputs.
pub const INPUTS_MAX: usize = 4096;
/// Inputs of a program, or processes of one whose inputs are not known, after which its prior no longer counts.
const SAMPLES_TRUSTED: u64 = 8;
/// Percentile of a program's known peaks that an unknown input of it is expected to need.
const PERCENTILE: usize = 95;

/// Bytes a program is expected to need before anything of it was seen. All are priors, corrected by what is
/// learned; "measured" names the measurement the prior leans on.
const PRIORS: &[(&[&str], u64)] = &[
    // Measured: 12 C++ files of a JSON library's tests, g++ 12 -O0 -g, 380-802 MiB each, one 1132 at -O2 -g.
    (&["cc1plus"], 850 * MIB),
    // Prior; clang compiles C and C++ in a program of one name, so it lies between the two rows beside it.
    (&["clang", "clang++"], 600 * MIB),
    // Prior; a trivial file holds 23 MiB (measured), headers and optimisation bring hundreds.
    (&["cc1", "cc1obj", "cc1objplus", "f951", "gnat1"], 256 * MIB),
    // Measured: a release build of one big generated crate, 854 MiB; `fn main` alone, 81 MiB.
    (&["rustc"], GIB),
    // Prior: linking with debug information; link-time optimisation works on whole programs.
    (&["ld", "ld.bfd", "ld.gold", "ld.lld", "lld", "mold", "lto1", "lto1-wpa"], 600 * MIB),
    // Prior for the Go compiler and linker.
    (&["compile", "link"], 300 * MIB),
    // Prior. A heap limit is a ceiling and no expectation: npm's own Node holds 54 MiB (measured) under any.
    (&["node", "nodejs"], 256 * MIB),
    // Prior, with the JVM's own 100 MiB and more beside its heap.
    (&["java", "javac"], 384 * MIB),
    // Prior; the interpreter alone holds 13 MiB (measured).
    (&["python", "pypy", "ruby", "perl", "as", "cargo"], 64 * MIB),
];

/// Programs that hold little (measured: sh, bash and make 2-3 MiB) and exist to start others: what counts is what
/// they start.
const STARTERS: &[&str] = &[
    "bash",
    "c++",
    "cc",
    "ccache",
    "cmake",
    "collect2",
    "dash",
    "env",
    "g++",
    "gcc",
    "gmake",
    "lto-wrapper",
    "make",
    "meson",
    "ninja",
    "samu",
    "sccache",
    "sh",
    "time",
    "timeout",
    "xargs",
    "zsh",
];
/// What a starter is expected to need itself, in bytes; a prior, cmake and ninja on large graphs included.
const STARTER_BYTES: u64 = 16 * MIB;
/// Bounds, in bytes, of what a program in no table is expected to need; between them a sixteenth of the budget.
const UNKNOWN_BYTES: (u64, u64) = (16 * MIB, 128 * MIB);

/// A program in no table of which no process has ended yet may be at the beginning of its growth: it is expected
/// to need so many times what any has held. Measured: eight of a kind that grew in step filled a budget when each was
/// expected to need what the largest held.
const GROWING_FACTOR: u64 = 2;

/// A program of which one process held this many bytes is worth a job of its own.
const JOB_BYTES: u64 = 64 * MIB;

/// What is expected of every program of a build.
#[derive(Debug, Clone, Default)]
pub struct Promises {
    budget_bytes: Option<u64>,
    /// Whether an earlier run has shown what programs this build has.
    warm: bool,
    learned: BTreeMap<String, ProgramUse>,
    /// Programs of which a process has ended.
    ended: BTreeSet<String>,
    /// The known peaks of each program over its inputs, ascending: `learned` by program.
    peaks: BTreeMap<String, Vec<u64>>,
}

impl Promises {
    /// Starts from what earlier runs learned ([`crate::profile::Profile::programs`]).
    pub fn new(learned: BTreeMap<String, ProgramUse>, budget_bytes: Option<u64>) -> Promises {
        let mut promises = Promises { budget_bytes, warm: !learned.is_empty(), ..Promises::default() };
        for (key, usage) in learned {
            promises.set(key, usage);
        }
        promises
    }

    /// What this program is expected to need at its peak, in bytes. Best known first: the same input, other
    /// inputs of the program, what its living processes hold, the prior.
    pub fn expected_bytes(&self, program: &str, input: Option<&str>) -> u64 {
        let known = self.learned.get(&key(program, input));
        if let (Some(usage), Some(_)) = (known, input)
            && usage.count > 0
        {
            return usage.peak_bytes;
        }
        let prior = self.prior_bytes(program);
        let Some(peaks) = self.peaks.get(program) else { return prior };
        let rank = (peaks.len() * PERCENTILE).div_ceil(100);
        if !self.ended.contains(program) && prior_of(program).is_none() {
            return prior.max(peaks[peaks.len() - 1].saturating_mul(GROWING_FACTOR));
        }
        let seen = peaks[rank - 1];
        // A few small ones do not prove that the next is small: the prior fades with each one seen.
        let samples = known.map_or(0, |usage| usage.count).max(peaks.len() as u64);
        let doubt = SAMPLES_TRUSTED.saturating_sub(samples);
        seen + prior.saturating_sub(seen) * doubt / SAMPLES_TRUSTED
    }

    /// Whether a process of this program with this input was seen to its end.
    pub fn is_measured(&self, program: &str, input: Option<&str>) -> bool {
        input.is_some() && self.learned.get(&key(program, input)).is_some_and(|usage| usage.count > 0)
    }

    /// What a process that holds `held_bytes` counts as, in bytes.
    pub fn promise_bytes(&self, program: &str, input: Option<&str>, held_bytes: u64) -> u64 {
        held_bytes.max(self.expected_bytes(program, input))
    }

    /// A process ended by itself with this peak. One that was killed has not shown its peak: see
    /// [`Promises::raise`].
    pub fn learn(&mut self, program: &str, input: Option<&str>, peak_bytes: u64) {
        let key = key(program, input);
        let mut usage = self.learned.get(&key).cloned().unwrap_or_default();
        usage.count += 1;
        usage.peak_bytes = usage.peak_bytes.max(peak_bytes);
        self.set(key, usage);
    }

    /// A process that still runs, or was killed, held this much: a lower bound, which counts only above what was
    /// expected.
    pub fn raise(&mut self, program: &str, input: Option<&str>, held_bytes: u64) {
        let key = key(program, input);
        let (count, seen_bytes) =
            self.learned.get(&key).map_or((0, 0), |usage| (usage.count, usage.peak_bytes));
        if held_bytes > seen_bytes.max(self.prior_bytes(program)) {
            self.set(key, ProgramUse { count, peak_bytes: held_bytes });
        }
    }

    /// Everything learned, by `program input`: what the profile keeps.
    pub fn learned(&self) -> &BTreeMap<String, ProgramUse> {
        &self.learned
    }

    /// What the build's next job is expected to need, in bytes: the largest expectation for any program that was
    /// seen in it and is a job. Before one was seen, that of a large compiler: a `configure` of small programs
    /// does not show what is to come.
    pub fn next_job_bytes<'a>(&'a self, running: impl Iterator<Item = &'a str>) -> u64 {
        let known = self.peaks.keys().map(String::as_str);
        running
            .chain(known)
            .filter(|program| self.is_job(program))
            .map(|program| self.expected_bytes(program, None))
            .max()
            .unwrap_or_else(|| self.prior_bytes("cc1plus"))
            .max(MIB)
    }

    /// Whether a process of this program is a job, and not a step (a shell, `sed`, a compiler driver) on the way to
    /// one.
    pub fn is_job(&self, program: &str) -> bool {
        let seen = self.peaks.get(program).and_then(|peaks| peaks.last().copied());
        seen.is_some_and(|peak| self.warm || peak >= JOB_BYTES) || prior_of(program).is_some()
    }

    fn prior_bytes(&self, program: &str) -> u64 {
        if is_starter(program) {
            return STARTER_BYTES;
        }
        if let Some(bytes) = prior_of(program) {
            return bytes;
        }
        let (least, most) = UNKNOWN_BYTES;
        self.budget_bytes.map_or(most, |budget| (budget / 16).clamp(least, most))
    }

    fn set(&mut self, key: String, usage: ProgramUse) {
        self.forget(&key);
        let peaks = self.peaks.entry(program_of(&key).to_string()).or_default();
        let at = peaks.partition_point(|peak| *peak < usage.peak_bytes);
        if usage.count > 0 {
            self.ended.insert(program_of(&key).to_string());
        }
        peaks.insert(at, usage.peak_bytes);
        self.learned.insert(key, usage);
        if self.learned.len() > INPUTS_MAX {
            let smallest = self.learned.iter().min_by_key(|(_, usage)| usage.peak_bytes);
            if let Some(smallest) = smallest.map(|(key, _)| key.clone()) {
                self.forget(&smallest);
            }
        }
    }

    fn forget(&mut self, key: &str) {
        let Some(usage) = self.learned.remove(key) else { return };
        let Some(peaks) = self.peaks.get_mut(program_of(key)) else { return };
        if let Ok(at) = peaks.binary_search(&usage.peak_bytes) {
            peaks.remove(at);
        }
        if peaks.is_empty() {
            self.peaks.remove(program_of(key));
        }
    }
}

/// The prior of a program in the table, in bytes, also of one with a version in its name (`python3.11`, `clang-14`).
pub fn prior_of(program: &str) -> Option<u64> {
    let stem = program.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    let row = |name: &str| PRIORS.iter().find(|(programs, _)| programs.contains(&name));
    row(program).or_else(|| row(stem)).map(|(_, bytes)| *bytes)
}

/// Whether this program only starts others: shells, make, compiler drivers.
pub fn is_starter(program: &str) -> bool {
    STARTERS.contains(&program)
}

fn key(program: &str, input: Option<&str>) -> String {
    input.map_or_else(|| program.to_string(), |input| format!("{program} {input}"))
}

fn program_of(key: &str) -> &str {
    key.split_once(' ').map_or(key, |(program, _)| program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn promises(learned: &[(&str, u64)]) -> Promises {
        let learned = learned
            .iter()
            .map(|(key, mib)| (key.to_string(), ProgramUse { count: 1, peak_bytes: mib * MIB }))
            .collect();
        Promises::new(learned, Some(2 * GIB))
    }

    #[test]
    fn best_known_first() {
        let known = promises(&[("cc1plus a.cc", 700), ("ld app", 90), ("tool", 7)]);
        let check = |program: &str, input: Option<&str>, mib: u64| {
            assert_eq!(known.expected_bytes(program, input) / MIB, mib, "{program} {input:?}");
        };
        check("cc1plus", Some("a.cc"), 700);
        check("cc1plus", Some("b.cc"), 831); // 700 and seven eighths of the way up to 850
        check("cc1", Some("a.cc"), 256); // cc1plus is another program
        check("ld", Some("app"), 90);
        check("ld", None, 536);
        check("tool", None, 112);
        check("tool", Some("x"), 112);
        check("rustc", Some("serde"), 1024);
        check("python3.11", None, 64);
        check("clang-14", None, 600);
        check("sh", None, 16);
        check("never-heard-of", None, 128);
    }

    #[test]
    fn an_unknown_program_is_scaled_by_the_budget() {
        let check = |budget_bytes, mib| {
            let promises = Promises::new(BTreeMap::new(), budget_bytes);
            assert_eq!(promises.expected_bytes("never-heard-of", None) / MIB, mib, "{budget_bytes:?}");
        };
        check(None, 128);
        check(Some(64 * GIB), 128);
        check(Some(512 * MIB), 32);
        check(Some(MIB), 16);
    }

    #[test]
    fn the_prior_fades() {
        let mut known = promises(&[]);
        let mut last = known.expected_bytes("rustc", Some("next"));
        for crate_number in 0..SAMPLES_TRUSTED {
            known.learn("rustc", Some(&crate_number.to_string()), 100 * MIB);
            let expected = known.expected_bytes("rustc", Some("next"));
            assert!(expected < last, "{expected} after {crate_number}");
            last = expected;
        }
        assert_eq!(last, 100 * MIB);
    }

    #[test]
    fn a_killed_process_teaches_only_upwards() {
        let mut known = promises(&[]);
        known.raise("cc1plus", Some("a.cc"), 300 * MIB);
        assert!(known.learned().is_empty());
        known.raise("cc1plus", Some("a.cc"), 900 * MIB);
        assert_eq!(known.expected_bytes("cc1plus", Some("a.cc")), 900 * MIB);
        assert_eq!(known.learned()["cc1plus a.cc"].count, 0);
    }

    #[test]
    fn an_unknown_kind_may_be_at_its_half_until_one_has_ended() {
        let mut known = promises(&[]);
        known.raise("tool", None, 200 * MIB);
        assert_eq!(known.expected_bytes("tool", None), 400 * MIB);
        assert_eq!(known.expected_bytes("tool", Some("another")), 400 * MIB, "its like grow in step");
        known.learn("tool", None, 250 * MIB);
        assert_eq!(known.expected_bytes("tool", None), 250 * MIB);
    }

    #[test]
    fn the_next_job_is_like_the_largest_seen() {
        let check = |learned: &[(&str, u64)], running: &[&str], mib: u64| {
            let next = promises(learned).next_job_bytes(running.iter().copied());
            assert_eq!(next / MIB, mib, "{learned:?} {running:?}");
        };
        check(&[], &[], 850);
        check(&[], &["sh", "make"], 850);
        check(&[], &["sh", "cc1"], 256);
        check(&[], &["sed", "my-tool"], 850);
        check(&[("my-tool", 9)], &["sed"], 113); // 9 and seven eighths of the way up to 128
        check(&[("cc1plus a.cc", 700)], &["cc1"], 831);
    }

    #[test]
    fn steps_seen_in_a_cold_run_show_no_job() {
        let mut cold = promises(&[]);
        cold.learn("sed", None, 2 * MIB);
        assert!(!cold.is_job("sed"));
        assert_eq!(cold.next_job_bytes(std::iter::empty()), 850 * MIB);
        cold.learn("ghc", None, 300 * MIB);
        assert!(cold.is_job("ghc"));
        assert_eq!(cold.next_job_bytes(std::iter::empty()), 300 * MIB);
    }

    #[test]
    fn memory_of_inputs_is_bounded() {
        let mut known = promises(&[]);
        for number in 0..INPUTS_MAX as u64 + 10 {
            known.learn("cc1", Some(&number.to_string()), number * 1000);
        }
        assert_eq!(known.learned().len(), INPUTS_MAX);
        assert!(!known.learned().contains_key("cc1 0"));
        assert_eq!(known.peaks["cc1"].len(), INPUTS_MAX);
    }

    proptest! {
        /// What was seen is never promised away, and the two views of it agree.
        #[test]
        fn learning_only_raises(steps in prop::collection::vec((0u8..3, 0u8..6, 0u64..4 * GIB, any::<bool>()), 0..60)) {
            let mut known = promises(&[]);
            let mut highest: BTreeMap<String, u64> = BTreeMap::new();
            for (program, input, bytes, ended) in steps {
                let (program, input) = (["cc1", "cc1plus", "tool"][program as usize], input.to_string());
                if ended {
                    known.learn(program, Some(&input), bytes);
                    let entry = highest.entry(key(program, Some(&input))).or_default();
                    *entry = bytes.max(*entry);
                } else {
                    known.raise(program, Some(&input), bytes);
                }
                prop_assert!(known.promise_bytes(program, Some(&input), bytes) >= bytes);
            }
            for (key, peak) in highest {
                prop_assert!(known.learned()[&key].peak_bytes >= peak);
            }
            let mut listed: Vec<u64> = known.peaks.values().flatten().copied().collect();
            let mut kept: Vec<u64> = known.learned().values().map(|usage| usage.peak_bytes).collect();
            listed.sort_unstable();
            kept.sort_unstable();
            prop_assert_eq!(listed, kept);
        }
    }
}
