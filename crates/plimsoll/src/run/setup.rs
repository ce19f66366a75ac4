//! Setting an attempt up: the command line, the environment, the jobserver.

use super::settings::Settings;
use super::tree::Tree;
use crate::{shim, sniff};
use plimsoll_core::attempt::Setting;
use plimsoll_core::knobs::{self, Knob, KnobInput, NodeFlags, ProjectFlags};
use plimsoll_core::program::{Shape, with_workers, workers_asked};
use plimsoll_probe::jobserver::Jobserver;
use plimsoll_probe::jobserver::flags::{self, Clients, Environment, Taken};
use plimsoll_probe::supervise::{Spawn, Streams};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::RawFd;
use std::path::Path;
use tempfile::TempDir;

/// Jobs to a core that make's bare `-j` is taken for.
const BARE_JOBS_PER_CORE: u32 = 4;

/// What is known of the project and its tools.
#[derive(Debug, Clone)]
pub struct Project {
    /// What its files set themselves.
    pub flags: ProjectFlags,
    /// What its Node accepts.
    pub node: NodeFlags,
    /// Whether its `java` starts with our `JAVA_TOOL_OPTIONS`.
    pub java_tool_options: bool,
    /// Path of the preload on disk.
    pub preload_path: Option<String>,
}

/// What all attempts of a run share.
#[derive(Debug)]
pub struct Setup {
    /// The user's environment.
    pub env: BTreeMap<String, String>,
    /// What is known of the project and its tools.
    pub project: Project,
    /// How output is taken.
    pub streams: Streams,
    /// Holds the preload, the fifo and Node's reports; `None` where no folder could be made.
    pub scratch: Option<TempDir>,
    /// Which jobserver clients there are; `None` where the command is none of them.
    pub clients: Option<Clients>,
}

/// One attempt, ready to be started.
#[derive(Debug)]
pub struct Prepared {
    /// The command, placeholders filled, `-jN` taken off where the jobserver stands for it.
    pub argv: Vec<OsString>,
    /// What is set, and why.
    pub knobs: Vec<Knob>,
    /// The token pool.
    pub jobserver: Option<Jobserver>,
    /// How output is taken.
    pub streams: Streams,
}

impl Setup {
    /// Makes an attempt of a setting.
    pub fn prepare(
        &self,
        settings: &Settings,
        shape: &Shape,
        setting: &Setting,
        budget_bytes: Option<u64>,
    ) -> Prepared {
        let words: Vec<String> = settings.command_words();
        let tool = shape.tool.unwrap_or_default();
        let fewer = workers_asked(tool, &words).filter(|asked| *asked > setting.jobs);
        let words = fewer.map_or_else(|| words.clone(), |_| with_workers(tool, &words, setting.jobs));
        let filled = knobs::fill(&words, setting);
        // Words that are no text have no placeholders and stay as they are.
        let argv: Vec<OsString> = settings
            .command
            .iter()
            .zip(filled)
            .map(|(word, filled)| if word.to_str().is_some() { filled.into() } else { word.clone() })
            .collect();
        let pool = self.clients.and_then(|clients| self.pool(clients, argv.clone()));
        let (argv, jobserver, variables) = match pool {
            Some(pool) => (pool.argv, Some(pool.jobserver), pool.variables),
            None => (argv, None, Vec::new()),
        };
        let knobs = self.with_input(settings, shape, setting, budget_bytes, &variables, knobs::plan);
        if let Some(path) = &self.project.preload_path {
            // The variables say the same to all but a few.
            let _ = shim::tell(Path::new(path), &knobs);
        }
        Prepared { argv, knobs, jobserver, streams: self.streams }
    }

    /// Asks the project's Node and Java, once, which of our flags they start with; says where the user's own keep
    /// Node from starting.
    pub fn check_tools(
        &mut self,
        settings: &Settings,
        shape: &Shape,
        setting: &Setting,
        budget_bytes: Option<u64>,
    ) -> Option<String> {
        let folder = &settings.folder;
        let (node, java_tool_options, refusal) =
            self.with_input(settings, shape, setting, budget_bytes, &[], |input| {
                let node = sniff::node_flags(input, folder);
                let refusal = if node == NodeFlags::NONE { sniff::node_refusal(input, folder) } else { None };
                (node, sniff::java_tool_options(input, folder), refusal)
            });
        self.project.node = node;
        self.project.java_tool_options = java_tool_options;
        refusal
    }

    fn with_input<T>(
        &self,
        settings: &Settings,
        shape: &Shape,
        setting: &Setting,
        budget_bytes: Option<u64>,
        jobserver: &[(String, String)],
        then: impl FnOnce(&KnobInput) -> T,
    ) -> T {
        let spec = settings.modes.spec(setting.mode);
        let mode_env: BTreeMap<String, String> =
            settings.env.iter().chain(&spec.env).map(|(name, value)| (name.clone(), value.clone())).collect();
        then(&KnobInput {
            setting,
            shape,
            env: &self.env,
            budget_bytes,
            jobserver,
            preload_path: self.project.preload_path.as_deref(),
            report_dir: self.report_dir().and_then(Path::to_str),
            node: self.project.node,
            java_tool_options: self.project.java_tool_options,
            project: &self.project.flags,
            mode_env: &mode_env,
            less_work_env: &spec.less_work_env,
        })
    }

    /// Jobs or workers the command asks for, where fewer are ours to give. A bare `-j` asks for any number: more than this
    /// many to a core are of no use.
    pub fn jobs_asked(&self, settings: &Settings, shape: &Shape, cores: u32) -> Option<u32> {
        let workers = shape.tool.and_then(|tool| workers_asked(tool, &settings.command_words()));
        workers.or_else(|| self.jobserver_jobs(settings, shape, cores))
    }

    fn jobserver_jobs(&self, settings: &Settings, shape: &Shape, cores: u32) -> Option<u32> {
        let clients = self.clients.filter(|_| self.scratch.is_some())?;
        let asked = flags::jobs_asked(&settings.command, clients).or_else(|| {
            // Jobs in `MAKEFLAGS` are asked for as if they stood in the command.
            let users = self.env.get("MAKEFLAGS").filter(|_| shape.tool == Some("make"))?;
            let words: Vec<OsString> =
                ["make"].into_iter().chain(users.split_whitespace()).map(Into::into).collect();
            flags::jobs_asked(&words, clients)
        })?;
        Some(if asked == u32::MAX { cores.saturating_mul(BARE_JOBS_PER_CORE) } else { asked })
    }

    /// Where Node writes a report of its death: where the terminal has its text and we do not.
    pub fn report_dir(&self) -> Option<&Path> {
        self.scratch.as_ref().filter(|_| self.streams == Streams::Inherit).map(TempDir::path)
    }

    fn pool(&self, clients: Clients, argv: Vec<OsString>) -> Option<Pool> {
        let jobserver = Jobserver::create(self.scratch.as_ref()?.path(), 0).ok()?;
        let auth = jobserver.auth();
        let taken: Option<Taken> = flags::take_jobs(&argv, &auth, clients);
        let user = |name: &str| self.env.get(name).cloned();
        let Environment::Set(variables) = flags::environment(&auth, clients, taken.as_ref(), user) else {
            return None;
        };
        Some(Pool {
            argv: taken.map_or(argv, |taken| taken.command),
            jobserver,
            variables: variables.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
        })
    }
}

struct Pool {
    argv: Vec<OsString>,
    jobserver: Jobserver,
    variables: Vec<(String, String)>,
}

impl Prepared {
    /// The command as it is to be started in this tree.
    pub fn spawn(&self, tree: &mut Tree) -> Spawn {
        let inherit: Vec<RawFd> =
            self.jobserver.iter().flat_map(|jobserver| <[RawFd; 2]>::from(jobserver.auth().fds)).collect();
        Spawn {
            argv: self.argv.clone(),
            env: self.knobs.iter().map(|knob| (knob.name.clone(), knob.value.clone())).collect(),
            cgroup_procs: tree.entrances(),
            inherit,
            streams: self.streams,
        }
    }
}
