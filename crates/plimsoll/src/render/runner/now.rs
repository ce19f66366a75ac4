//! What is set now: the runners of a chart's values, and of a pipeline's jobs what ours has to be put beside.

use super::{CI_FILE, yaml};
use plimsoll_core::runner::{Key, Now};
use plimsoll_lint::document::yaml::parse;
use plimsoll_lint::document::{Node, Value};
use plimsoll_lint::fix::toml;
use plimsoll_lint::gitlab::Pipeline;
use plimsoll_lint::gitlab::include::Loader;
use plimsoll_lint::gitlab::job::Job;
use plimsoll_lint::gitlab::runner::{Part, Runner, bytes};
use plimsoll_lint::project::Files;
use plimsoll_lint::source::{Source, Span};
use std::collections::BTreeMap;

/// Most caches of a job (<https://docs.gitlab.com/ci/yaml/#cache>).
const CACHES_MAX: usize = 4;

/// A `[[runners]]` of Kubernetes.
#[derive(Debug, Clone)]
pub struct RunnerNow {
    /// Which of them it is.
    pub index: usize,
    /// What it is called.
    pub name: String,
    /// What it says, in bytes.
    pub now: Now,
    /// And in its own words.
    pub words: BTreeMap<Key, String>,
}

/// The runners in a text of TOML.
pub fn runners(text: &str) -> Result<Vec<RunnerNow>, String> {
    let tree = toml::parse(text)?;
    let all = Runner::all(&tree).into_iter().enumerate();
    let of = all.filter(|(_, runner)| runner.kubernetes().is_some()).map(|(index, runner)| {
        let bytes = |key: Key| runner.bytes(key.name());
        let word = |key: Key| Some((key, runner.setting(key.name())?.text()?.to_string()));
        let now = Now {
            request_bytes: bytes(Key::MemoryRequest),
            limit_bytes: bytes(Key::MemoryLimit),
            request_max_bytes: bytes(Key::MemoryRequestMax),
            limit_max_bytes: bytes(Key::MemoryLimitMax),
            helper_request_bytes: bytes(Key::HelperMemoryRequest),
            helper_limit_bytes: bytes(Key::HelperMemoryLimit),
            bounds_pod: runner.setting(&Part::Pod.key(true)).is_some(),
            ..Now::default()
        };
        RunnerNow {
            index,
            name: runner.name.clone(),
            now,
            words: Key::ALL.into_iter().filter_map(word).collect(),
        }
    });
    Ok(of.collect())
}

/// `runners.config` of a chart's values; `None` where there is none.
pub fn config(text: &str) -> Result<Option<String>, String> {
    let (documents, error) = parse(0, text);
    if let Some(error) = error {
        let line = text[..error.span.start.min(text.len())].matches('\n').count() + 1;
        return Err(format!("line {line}: {}", error.message));
    }
    let config = documents.iter().find_map(|node| node.at(&["runners", "config"]));
    Ok(config.filter(|node| !node.is_null()).and_then(Node::text).map(String::from))
}

/// A variable as it was, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Was {
    /// Its value as it was written.
    pub text: String,
    /// File and line.
    pub place: String,
    /// The pipeline's own file sets it for this very job, and that wins over whatever is included.
    pub wins: bool,
}

/// What ours does beside what a job has of a keyword.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// What is there does it.
    Enough,
    /// Ours is written, after these that the job would lose otherwise.
    Ours(Vec<String>),
    /// What is at this place wins.
    Theirs(String),
}

/// A job of the pipeline.
#[derive(Debug, Clone)]
pub struct JobNow {
    /// `KUBERNETES_MEMORY_REQUEST`.
    pub request: Option<Was>,
    /// `KUBERNETES_MEMORY_LIMIT`.
    pub limit: Option<Was>,
    /// `retry`.
    pub retry: Beside,
    /// `cache`.
    pub cache: Beside,
}

/// A pipeline without what we have written into it.
#[derive(Debug, Clone)]
pub struct PipelineNow {
    /// Its file.
    pub name: String,
    /// False where it includes what is not here.
    pub is_whole: bool,
    /// Its jobs, without templates.
    pub jobs: BTreeMap<String, JobNow>,
    /// The highest request that any of them asks for, in bytes.
    pub asked_request_bytes: Option<u64>,
    /// The highest limit.
    pub asked_limit_bytes: Option<u64>,
}

/// Files, of which ours says nothing.
struct WithoutOurs<'a>(&'a dyn Files);

impl Files for WithoutOurs<'_> {
    fn read(&self, name: &str) -> Option<String> {
        if name.rsplit('/').next() == Some(CI_FILE) {
            return Some(".plimsoll: {}\n".to_string());
        }
        self.0.read(name)
    }

    fn names(&self, pattern: &str) -> Vec<String> {
        self.0.names(pattern)
    }
}

/// Reads a pipeline, and asks for what it includes.
pub fn pipeline(root: Source, files: &dyn Files) -> Result<PipelineNow, String> {
    let name = root.name.clone();
    let mut sources = vec![root];
    let (pipeline, errors) = Loader::new(&mut sources, &WithoutOurs(files)).pipeline(0);
    if let Some(error) = errors.first() {
        return Err(format!("{}: {}", place(&sources[error.span.file], error.span), error.message));
    }
    let none = || format!("{name}: there is no job in it\nname the pipeline's own file: --ci .gitlab-ci.yml");
    let pipeline = pipeline.ok_or_else(none)?;
    let jobs: Vec<Job> = pipeline.jobs().into_iter().filter(|job| !job.name.starts_with('.')).collect();
    let asked = |is_limit: bool| {
        let name = Part::Build.variable(is_limit);
        let all = jobs
            .iter()
            .flat_map(|job| job.variants.iter().flatten())
            .filter(|variable| variable.name == name);
        all.filter_map(|variable| bytes(&variable.value)).max()
    };
    Ok(PipelineNow {
        is_whole: pipeline.is_whole,
        asked_request_bytes: asked(false),
        asked_limit_bytes: asked(true),
        jobs: jobs.iter().map(|job| (job.name.clone(), of_job(&pipeline, &sources, job))).collect(),
        name,
    })
}

fn of_job(pipeline: &Pipeline, sources: &[Source], job: &Job) -> JobNow {
    // As it is written in the pipeline's own file, before anything it extends.
    let own = pipeline.tree.get(&job.name);
    let in_root = |keys: &[&str]| own.and_then(|own| own.at(keys)).is_some_and(|node| node.span.file == 0);
    let was = |is_limit: bool| {
        let name = Part::Build.variable(is_limit);
        let variable = job.variants.first()?.iter().find(|variable| variable.name == name)?;
        Some(Was {
            text: variable.value.text().filter(|text| !text.is_empty())?.to_string(),
            place: place(&sources[variable.value.span.file], variable.value.span),
            wins: in_root(&["variables", &name]),
        })
    };
    let wins = |key: &str| {
        let node = job.node.get(key).filter(|_| in_root(&[key]))?;
        Some(place(&sources[node.span.file], node.span))
    };
    let retry = match wins("retry") {
        _ if sees_all_deaths(job.node.get("retry")) => Beside::Enough,
        Some(place) => Beside::Theirs(place),
        None => Beside::Ours(Vec::new()),
    };
    let caches = job.node.get("cache").map(Node::one_or_more).unwrap_or_default();
    let caches: Vec<&Node> = caches.into_iter().filter(|cache| !cache.entries().is_empty()).collect();
    let cache = match wins("cache") {
        _ if caches.iter().any(|cache| holds_store(cache)) => Beside::Enough,
        Some(place) => Beside::Theirs(place),
        None if caches.len() >= CACHES_MAX => {
            let span = caches[0].span;
            Beside::Theirs(place(&sources[span.file], span))
        }
        None => Beside::Ours(caches.into_iter().map(yaml::flow).collect()),
    };
    JobNow { request: was(false), limit: was(true), retry, cache }
}

fn place(source: &Source, span: Span) -> String {
    format!("{}:{}", source.name, source.place(span.start).line)
}

/// Every class of memory death is retried.
fn sees_all_deaths(retry: Option<&Node>) -> bool {
    let Some(retry) = retry else { return false };
    // A number alone is for whatever fails.
    if let Value::Scalar(scalar) = &retry.value {
        return scalar.text.parse::<u64>().is_ok_and(|max| max > 0);
    }
    let has = |key: &str, value: &str| {
        let all = retry.get(key).map(Node::one_or_more).unwrap_or_default();
        all.iter().any(|node| node.text() == Some(value))
    };
    let is_on = retry.text_at(&["max"]).is_some_and(|max| max != "0");
    let only_max = retry.get("when").is_none() && retry.get("exit_codes").is_none();
    let of_script = has("when", "script_failure") || (has("exit_codes", "86") && has("exit_codes", "137"));
    is_on && (only_max || has("when", "always") || (has("when", "runner_system_failure") && of_script))
}

/// What plimsoll remembers is among what it keeps.
fn holds_store(cache: &Node) -> bool {
    let paths = cache.get("paths").map(Node::one_or_more).unwrap_or_default();
    let names = |path: &&Node| {
        path.text()
            .is_some_and(|path| path.trim_start_matches("./").trim_end_matches('/').starts_with(".plimsoll"))
    };
    paths.iter().any(names)
}
