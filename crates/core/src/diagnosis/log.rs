//! Of what a build has printed.

use super::{Death, Diagnosis};
use crate::signature::{Sighting, Signature};

/// What was found in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// How it is called.
    pub name: String,
    /// Messages about memory.
    pub sightings: Vec<Sighting>,
    /// The last line that tells an exit code or an OOM kill, and the code.
    pub end: Option<(String, i32)>,
}

/// The code of a kill by SIGKILL, as shells and runtimes write it.
const KILLED: i32 = 137;
/// V8's abort at its heap limit, among other aborts.
const ABORTED: i32 = 134;

/// The exit code that a line tells, as runners, make, npm and docker write it; `OOMKilled` is 137.
pub fn exit_code_in(line: &str) -> Option<i32> {
    if line.contains("OOMKilled") {
        return Some(KILLED);
    }
    // Lengths stay: only ASCII is changed.
    let lower = line.to_ascii_lowercase();
    ["exit code", "exit status", "exitcode", "exited with", "errno", "returned a non-zero code:"]
        .into_iter()
        .find_map(|mark| {
            let after = &lower[lower.find(mark)? + mark.len()..];
            let number = after.trim_start_matches([':', '=', ' ']).trim_start_matches("code ");
            let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            number[..end].parse().ok().filter(|code| (0..=255).contains(code))
        })
}

/// What the text says.
pub fn of_log(log: &Log) -> Diagnosis {
    let has = |of: fn(Signature) -> bool| log.sightings.iter().any(|it| of(it.signature));
    let code = log.end.as_ref().map(|(_, code)| *code);
    let is_killed = has(Signature::is_kill) || code == Some(KILLED);
    let is_refused = has(|it| !it.is_heap_limit() && !it.is_kill());
    let is_heap = has(Signature::is_heap_limit) || code == Some(ABORTED);
    let death = match (is_heap, is_killed, is_refused) {
        (true, true, _) => Some(Death::HeapAtLimit),
        (true, false, _) => Some(Death::Heap),
        (false, true, _) => Some(Death::Kill),
        (false, false, true) => Some(Death::Refused),
        (false, false, false) => None,
    };
    let mut evidence: Vec<String> = log.sightings.iter().map(seen).collect();
    evidence.extend(log.end.iter().map(|(line, _)| line.clone()));
    let Some(death) = death else { return unspoken(log, evidence) };
    let is_sure = log.sightings.iter().any(|it| it.signature.is_strong()) || code == Some(KILLED);
    let what = if is_sure { "died of memory" } else { "probably died of memory" };
    Diagnosis {
        what: format!("{} {what}", log.name),
        why: death.why().to_string(),
        evidence,
        advice: death.advice().to_string(),
        next: "plimsoll run -- THE SAME COMMAND, which sets what fits and remembers what it took".to_string(),
    }
}

fn seen(it: &Sighting) -> String {
    if it.count > 1 { format!("{} ({} times)", it.line, it.count) } else { it.line.clone() }
}

fn unspoken(log: &Log, evidence: Vec<String>) -> Diagnosis {
    Diagnosis {
        what: format!("nothing in {} speaks of memory", log.name),
        why: "it ended for another reason, or was killed with all that it had printed".to_string(),
        evidence,
        advice: "ask who ran it: a container that is killed as a whole prints nothing".to_string(),
        next: "plimsoll diagnose NAMESPACE/POD".to_string(),
    }
}
