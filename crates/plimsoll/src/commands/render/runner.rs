//! `plimsoll render runner`: values of GitLab Runner's chart, variables of jobs and BuildKit's parallelism, from what is remembered of
//! jobs; and the way back.

use super::Files;
use crate::commands::CommandError;
use crate::commands::check::found::{Folder, shown};
use crate::commands::form::json;
use crate::config::read_file;
use crate::render::runner::now::{PipelineNow, config, pipeline};
use crate::render::runner::values::{Before, Changed};
use crate::render::runner::{BUILDKIT_FILE, CI_FILE, VALUES_FILE, buildkit, ci, json::Decisions};
use crate::store;
use crate::store::jobs::remembered;
use clap::{Args, ValueEnum, ValueHint};
use plimsoll_core::profile::Profile;
use plimsoll_core::runner::{JobSize, RUNS_MIN, jobs, pipeline_name};
use plimsoll_core::size::parse_size;
use plimsoll_lint::source::Source;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// `plimsoll render runner`
#[derive(Debug, Args)]
pub(super) struct RunnerArgs {
    /// All files, or one of them
    #[arg(long, value_enum, default_value_t = RunnerForm::Files)]
    format: RunnerForm,
    /// Write files into this folder instead of printing them
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) out: Option<PathBuf>,
    /// Folder of what is remembered [env: PLIMSOLL_STORE]
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_STORE", hide_env = true, value_hint = ValueHint::DirPath)]
    store: Option<PathBuf>,
    /// Only jobs of this project
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Only this job, repeatable
    #[arg(long = "job", value_name = "NAME")]
    jobs: Vec<String>,
    /// Runs that have to pass alike before a job gets a size that no kill asks for
    #[arg(long, value_name = "COUNT", default_value_t = RUNS_MIN, value_parser = at_least_one)]
    min_runs: usize,
    /// Values of the runner's chart as they are now
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    values: Option<PathBuf>,
    /// The pipeline as it is now
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ci: Option<PathBuf>,
    /// BuildKit's configuration as it is now
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    buildkitd: Option<PathBuf>,
    /// What BuildKit's daemon may use: how many steps it runs at once follows
    #[arg(long, value_name = "SIZE", value_parser = size)]
    buildkit_memory: Option<u64>,
    /// Write what was set before instead: what --values, --ci and --buildkitd say
    #[arg(long)]
    undo: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RunnerForm {
    /// runner-values.yaml, plimsoll.gitlab-ci.yml, and buildkitd.toml where BuildKit is asked for
    Files,
    /// Values of the runner's chart
    Values,
    /// What a pipeline includes
    Ci,
    /// buildkitd.toml
    Buildkitd,
    /// The decisions behind them
    Json,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "write a number of at least 1".to_string())
}

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|error| error.to_string())
}

/// The files that are asked for.
pub(super) fn files(args: &RunnerArgs) -> Result<Files, CommandError> {
    let (jobs, pipeline) = (sized(args)?, args.ci.as_deref().map(read_pipeline).transpose()?);
    if let Some(pipeline) = pipeline.as_ref().filter(|pipeline| pipeline.is_whole) {
        let missing = args.jobs.iter().find(|job| !pipeline.jobs.contains_key(*job));
        if let Some(job) = missing {
            return Err(asked(format!(
                "there is no job '{job}' in {}\nits jobs are: {}",
                pipeline.name,
                names(pipeline)
            )));
        }
    }
    let before = read_values(args, pipeline.as_ref())?;
    match args.undo {
        true => undo(args, &jobs, &before, pipeline.as_ref()),
        false => apply(args, &jobs, &before, pipeline.as_ref()),
    }
}

fn apply(
    args: &RunnerArgs,
    jobs: &[JobSize],
    before: &Before,
    pipeline: Option<&PipelineNow>,
) -> Result<Files, CommandError> {
    let changes = || before.changes(jobs).map_err(asked);
    let values = |changes: &[Changed]| before.overlay(changes).map_err(asked);
    let include = || {
        one_project(jobs)?;
        let written = ci::include(jobs, pipeline, &args.jobs);
        written.notes.iter().for_each(|note| eprintln!("plimsoll: {note}"));
        Ok::<_, CommandError>(written.text)
    };
    Ok(match args.format {
        RunnerForm::Files => {
            let mut files =
                vec![(VALUES_FILE.to_string(), values(&changes()?)?), (CI_FILE.to_string(), include()?)];
            if args.buildkit_memory.is_some() && args.out.is_none() {
                return Err(asked("buildkitd.toml is no YAML, as the other files are\nwrite them to a folder with --out DIR, or take --format buildkitd".into()));
            }
            if args.buildkit_memory.is_some() {
                files.push((BUILDKIT_FILE.to_string(), read_buildkitd(args)?));
            }
            files
        }
        RunnerForm::Values => vec![(VALUES_FILE.to_string(), values(&changes()?)?)],
        RunnerForm::Ci => vec![(CI_FILE.to_string(), include()?)],
        RunnerForm::Buildkitd => vec![(BUILDKIT_FILE.to_string(), read_buildkitd(args)?)],
        RunnerForm::Json => vec![("runner.json".to_string(), json(&Decisions::of(jobs, &changes()?))?)],
    })
}

/// What was there before, of each file that was given.
fn undo(
    args: &RunnerArgs,
    jobs: &[JobSize],
    before: &Before,
    pipeline: Option<&PipelineNow>,
) -> Result<Files, CommandError> {
    if args.format == RunnerForm::Json {
        return Err(asked(
            "--undo: json has decisions, and to take them back takes files\nleave --format out".into(),
        ));
    }
    let mut files = Files::new();
    let wants = |form| args.format == form || args.format == RunnerForm::Files;
    if args.values.is_some() && wants(RunnerForm::Values) {
        files.push((VALUES_FILE.to_string(), before.undo()));
    }
    if let Some(pipeline) = pipeline.filter(|_| wants(RunnerForm::Ci)) {
        files.push((CI_FILE.to_string(), ci::undo(jobs, pipeline)));
    }
    if let Some(path) = args.buildkitd.as_deref().filter(|_| wants(RunnerForm::Buildkitd)) {
        files.push((BUILDKIT_FILE.to_string(), text_of(path)?));
    }
    if files.is_empty() {
        return Err(asked(
            "--undo: what was set before is not known\nname it: --values FILE, --ci FILE, --buildkitd FILE"
                .into(),
        ));
    }
    Ok(files)
}

/// What is remembered of the jobs that are meant.
fn sized(args: &RunnerArgs) -> Result<Vec<JobSize>, CommandError> {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let folder = store::folder(args.store.as_deref(), |name| std::env::var(name).ok(), &here);
    let found = remembered(&folder)
        .map_err(|(path, error)| CommandError::Store { path: path.display().to_string(), error })?;
    // What was goes by the files alone, and BuildKit by its memory.
    if found.is_empty() && !args.undo && args.format != RunnerForm::Buildkitd {
        return Err(asked(format!(
            "nothing is remembered in {}\nrun jobs by plimsoll run, or name what they remember: --store DIR",
            folder.display()
        )));
    }
    let profiles: Vec<Profile> = found.into_iter().map(|(_, profile)| profile).collect();
    let of_project =
        |profile: &Profile| args.project.as_ref().is_none_or(|project| profile.project == *project);
    let profiles: Vec<Profile> = profiles.into_iter().filter(of_project).collect();
    if let Some(project) = args.project.as_ref().filter(|_| profiles.is_empty()) {
        return Err(asked(format!("no job of project '{project}' is remembered\nsee plimsoll jobs list")));
    }
    let is_named = |profile: &&Profile, job: &String| pipeline_name(&profile.job) == job.as_str();
    if let Some(job) =
        args.jobs.iter().find(|job| !args.undo && !profiles.iter().any(|profile| is_named(&profile, job)))
    {
        return Err(CommandError::NoSuchJob(job.clone()));
    }
    let wanted = |job: &JobSize| args.jobs.is_empty() || args.jobs.contains(&job.job);
    Ok(jobs(&profiles, args.min_runs).into_iter().filter(wanted).collect())
}

/// A pipeline is one project's.
fn one_project(jobs: &[JobSize]) -> Result<(), CommandError> {
    let projects: BTreeSet<&str> = jobs.iter().map(|job| job.project.as_str()).collect();
    if projects.len() < 2 {
        return Ok(());
    }
    let names: Vec<&str> = projects.into_iter().collect();
    Err(asked(format!(
        "jobs of several projects are remembered, and a pipeline is of one: {}\nname it: --project NAME",
        names.join(", ")
    )))
}

fn read_values(args: &RunnerArgs, pipeline: Option<&PipelineNow>) -> Result<Before, CommandError> {
    let mut before = Before {
        name: args.values.as_deref().map(shown),
        config: None,
        asked_limit_bytes: pipeline.and_then(|pipeline| pipeline.asked_limit_bytes),
        asked_request_bytes: pipeline.and_then(|pipeline| pipeline.asked_request_bytes),
    };
    if let Some(path) = &args.values {
        let found = config(&text_of(path)?).map_err(|why| asked(format!("{}: {why}", shown(path))))?;
        before.config = found;
    }
    Ok(before)
}

fn read_pipeline(path: &Path) -> Result<PipelineNow, CommandError> {
    let root = Source { name: shown(path), text: text_of(path)? };
    pipeline(root, &Folder).map_err(asked)
}

fn read_buildkitd(args: &RunnerArgs) -> Result<String, CommandError> {
    let no_memory = || {
        asked("how much memory BuildKit's daemon may use is not known\nsay it: --buildkit-memory SIZE".into())
    };
    let memory_bytes = args.buildkit_memory.ok_or_else(no_memory)?;
    let now = args.buildkitd.as_deref().map(text_of).transpose()?;
    let name = args.buildkitd.as_deref().map_or(BUILDKIT_FILE.to_string(), shown);
    buildkit::file(now.as_deref(), memory_bytes).map_err(|why| asked(format!("{name}: {why}")))
}

fn text_of(path: &Path) -> Result<String, CommandError> {
    read_file(path).map_err(|error| CommandError::Input { path: path.display().to_string(), error })
}

fn names(pipeline: &PipelineNow) -> String {
    pipeline.jobs.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn asked(text: String) -> CommandError {
    CommandError::Asked(text)
}
