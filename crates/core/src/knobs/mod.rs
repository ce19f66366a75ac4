//! Knobs: the environment a setting becomes, each set only where the user has not set it.
//!
//! Every knob is documented with its source and its test in `docs/knobs.md`.

mod flags;
mod jvm;
mod native;
mod node;
mod report;

pub use report::is_heap_report;

use crate::attempt::Setting;
use crate::program::{Runtime, Shape};
use crate::size::MIB;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One thing we set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knob {
    /// Environment variable.
    pub name: String,
    /// Its whole value.
    pub value: String,
    /// Why, in a few words.
    pub reason: String,
}

/// What the project's own Node was seen to accept in `NODE_OPTIONS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeFlags {
    /// `--max-old-space-size`
    pub heap: bool,
    /// `--require` of the preload.
    pub preload: bool,
    /// `--report-on-fatalerror` and its companions.
    pub report: bool,
}

impl NodeFlags {
    /// Everything: what Node from version 16 accepts.
    pub const ALL: NodeFlags = NodeFlags { heap: true, preload: true, report: true };
    /// Nothing.
    pub const NONE: NodeFlags = NodeFlags { heap: false, preload: false, report: false };
}

/// What files of the project and of the user already set; a variable of ours would beat each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectFlags {
    /// Text of `.mvn/jvm.config`.
    pub maven_jvm_config: Option<String>,
    /// Texts of `gradle.properties`, the user's and the project's.
    pub gradle_properties: Vec<String>,
    /// Text of the file `go env -w` writes.
    pub go_env: Vec<String>,
    /// Texts of cargo's configuration files.
    pub cargo_configs: Vec<String>,
    /// Texts of `buildkitd.toml`, the user's and root's.
    pub buildkitd_configs: Vec<String>,
    /// True when CMake's build folder was made for Ninja, whose default is the host's cores + 2.
    pub cmake_ninja: bool,
    /// True when the `ninja` found speaks to a jobserver (from 1.13).
    pub ninja_is_client: bool,
    /// Variables that would beat a number the project's files hold for the same tool.
    pub settled: BTreeSet<&'static str>,
}

/// All that decides the knobs.
#[derive(Debug, Clone)]
pub struct KnobInput<'a> {
    /// What this attempt is given.
    pub setting: &'a Setting,
    /// What the command is.
    pub shape: &'a Shape,
    /// The user's environment.
    pub env: &'a BTreeMap<String, String>,
    /// The budget in bytes, where one is known.
    pub budget_bytes: Option<u64>,
    /// Variables that tell clients of our jobserver; empty without one.
    pub jobserver: &'a [(String, String)],
    /// Path of the Node preload on disk.
    pub preload_path: Option<&'a str>,
    /// Folder for Node's reports of a fatal error: given where the build's text cannot be read (a terminal).
    pub report_dir: Option<&'a str>,
    /// What Node accepts.
    pub node: NodeFlags,
    /// Whether the project's `java` starts with our `JAVA_TOOL_OPTIONS`.
    pub java_tool_options: bool,
    /// What the project's files set.
    pub project: &'a ProjectFlags,
    /// The mode's own variables.
    pub mode_env: &'a BTreeMap<String, String>,
    /// The user's variables for less work; used when the setting says so.
    pub less_work_env: &'a BTreeMap<String, String>,
}

impl KnobInput<'_> {
    /// The user's own value, where there is one; an empty value counts as none.
    fn user(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A knob, unless the user has set the variable.
    fn unless_set(&self, name: &str, value: impl ToString, reason: &str) -> Option<Knob> {
        self.user(name).is_none().then(|| knob(name, value, reason))
    }
}

fn knob(name: &str, value: impl ToString, reason: &str) -> Knob {
    Knob { name: name.to_string(), value: value.to_string(), reason: reason.to_string() }
}

/// The whole MiB of a size, at least one: no tool takes 0 for "a little".
fn mib(bytes: u64) -> u64 {
    (bytes / MIB).max(1)
}

/// Everything to set, each name once. The user's choices for a mode come first and win over ours.
pub fn plan(input: &KnobInput) -> Vec<Knob> {
    let mut knobs = Vec::new();
    if input.setting.less_work {
        knobs.extend(
            input
                .less_work_env
                .iter()
                .filter_map(|(k, v)| input.unless_set(k, v, "less work, as configured")),
        );
    }
    let reason = format!("mode {}, as configured", input.setting.mode.name());
    knobs.extend(input.mode_env.iter().filter_map(|(k, v)| input.unless_set(k, v, &reason)));
    knobs.extend(input.jobserver.iter().map(|(k, v)| knob(k, v, "jobserver: parallelism by memory")));
    match input.shape.runtime {
        Some(Runtime::Node) => knobs.extend(node::knobs(input)),
        Some(Runtime::Jvm) => knobs.extend(jvm::knobs(input)),
        Some(Runtime::Native) => knobs.extend(node::preload_only(input)),
        None => knobs.extend(node::knobs(input)),
    }
    knobs.extend(native::knobs(input));
    knobs.extend(facts(input));
    first_of_each_name(knobs)
}

fn first_of_each_name(knobs: Vec<Knob>) -> Vec<Knob> {
    let mut kept: Vec<Knob> = Vec::with_capacity(knobs.len());
    for knob in knobs {
        if kept.iter().all(|other| other.name != knob.name) {
            kept.push(knob);
        }
    }
    kept
}

/// `PLIMSOLL_*`: the setting for scripts, and for the preload.
fn facts(input: &KnobInput) -> Vec<Knob> {
    let setting = input.setting;
    let fact =
        |name, value: Option<String>| value.map(|value| knob(name, value, "for scripts and the preload"));
    [
        fact("PLIMSOLL_MODE", Some(setting.mode.name().to_string())),
        fact("PLIMSOLL_JOBS", Some(setting.jobs.to_string())),
        fact("PLIMSOLL_BUDGET_BYTES", input.budget_bytes.map(|bytes| bytes.to_string())),
        fact("PLIMSOLL_BUDGET_MIB", input.budget_bytes.map(|bytes| mib(bytes).to_string())),
        fact("PLIMSOLL_HEAP_MIB", setting.heap_bytes.map(|bytes| mib(bytes).to_string())),
        fact("PLIMSOLL_WORKER_HEAP_MIB", setting.worker_heap_bytes.map(|bytes| mib(bytes).to_string())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Fills `{heap_mib}`, `{worker_heap_mib}` and `{jobs}` in the command. A placeholder without a value is left as it
/// is written, so that it is seen; without a worker heap `{worker_heap_mib}` is the main one.
pub fn fill(argv: &[String], setting: &Setting) -> Vec<String> {
    let worker = setting.worker_heap_bytes.or(setting.heap_bytes);
    let values = [
        ("{heap_mib}", setting.heap_bytes.map(mib)),
        ("{worker_heap_mib}", worker.map(mib)),
        ("{jobs}", Some(u64::from(setting.jobs))),
    ];
    let fill_word = |word: &String| {
        values.iter().fold(word.clone(), |word, (placeholder, value)| match value {
            Some(value) => word.replace(placeholder, &value.to_string()),
            None => word,
        })
    };
    argv.iter().map(fill_word).collect()
}

#[cfg(test)]
mod tests;
