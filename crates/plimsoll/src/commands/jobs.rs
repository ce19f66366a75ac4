//! `plimsoll jobs`: what is remembered of jobs, and how to forget it.

use super::CommandError;
use super::form::Form;
use crate::render::table::table;
use crate::store;
use crate::store::jobs::{Job, remembered};
use clap::{Args, Subcommand, ValueHint};
use plimsoll_core::attempt::Attempt;
use plimsoll_core::profile::Profile;
use plimsoll_core::size::human;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// `plimsoll jobs`
#[derive(Debug, Args)]
pub struct JobsArgs {
    /// What to do [default: list]
    #[command(subcommand)]
    action: Option<Action>,
    /// The form
    #[arg(short, long, global = true, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Folder of what is remembered [env: PLIMSOLL_STORE]
    #[arg(long, global = true, value_name = "DIR", env = "PLIMSOLL_STORE", hide_env = true, value_hint = ValueHint::DirPath)]
    store: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the jobs, one line each
    List,
    /// Show the runs of a job
    Show {
        /// Its name
        job: String,
    },
    /// Forget a job
    Forget {
        /// Its name
        job: String,
    },
}

/// Does what was asked for.
pub fn run(args: &JobsArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let folder = store::folder(args.store.as_deref(), |name| std::env::var(name).ok(), &here);
    let jobs = remembered(&folder).map_err(|(path, error)| failed(&path, error))?;
    let named = |name: &String| {
        let found: Vec<_> = jobs.iter().filter(|(_, profile)| profile.job == *name).collect();
        if found.is_empty() { Err(CommandError::NoSuchJob(name.clone())) } else { Ok(found) }
    };
    match args.action.as_ref().unwrap_or(&Action::List) {
        Action::List => {
            let jobs: Vec<Job> = jobs.iter().map(|(_, profile)| Job::of(profile)).collect();
            let nothing = || format!("nothing is remembered in {}\n", folder.display());
            let shown = |jobs: &Vec<Job>| if jobs.is_empty() { nothing() } else { list(jobs) };
            out.write_all(args.output.text(&jobs, shown)?.as_bytes())?;
        }
        Action::Show { job } => {
            let profiles: Vec<&Profile> = named(job)?.into_iter().map(|(_, profile)| profile).collect();
            let shown = |profiles: &Vec<&Profile>| profiles.iter().map(|profile| show(profile)).collect();
            out.write_all(args.output.text(&profiles, shown)?.as_bytes())?;
        }
        Action::Forget { job } => {
            for (path, profile) in named(job)? {
                std::fs::remove_file(path).map_err(|error| failed(path, error))?;
                writeln!(out, "forgot {} of {} ({})", profile.job, profile.project, profile.command)?;
            }
        }
    }
    Ok(())
}

fn failed(path: &Path, error: io::Error) -> CommandError {
    CommandError::Store { path: path.display().to_string(), error }
}

fn list(jobs: &[Job]) -> String {
    let head = ["project", "job", "command", "runs", "last", "mode", "peak", "budget", "request", "limit"];
    let mut rows = vec![row(head)];
    rows.extend(jobs.iter().map(|job| {
        vec![
            job.project.clone(),
            job.job.clone(),
            job.command.clone(),
            job.runs.to_string(),
            job.outcome.map_or("-".into(), |outcome| crate::render::outcome(outcome).to_string()),
            job.mode.map_or("-".into(), |mode| mode.name().to_string()),
            amount(job.peak_bytes),
            amount(job.budget_bytes),
            amount(job.request_bytes),
            amount(job.limit_bytes),
        ]
    }));
    table(&rows)
}

fn show(profile: &Profile) -> String {
    let mut rows =
        vec![row(["run", "attempt", "mode", "jobs", "heap", "budget", "peak", "kills", "outcome"])];
    for (run, attempts) in profile.runs.iter().enumerate() {
        rows.extend(
            attempts
                .attempts
                .iter()
                .enumerate()
                .map(|(number, attempt)| attempt_row(run + 1, number + 1, attempt)),
        );
    }
    let (project, job, command) = (&profile.project, &profile.job, &profile.command);
    format!("{job} of {project} ({command}), the oldest run first\n{}", table(&rows))
}

fn attempt_row(run: usize, number: usize, attempt: &Attempt) -> Vec<String> {
    vec![
        run.to_string(),
        number.to_string(),
        attempt.setting.mode.name().to_string(),
        attempt.setting.jobs.to_string(),
        amount(attempt.setting.heap_bytes),
        amount(attempt.budget_bytes),
        amount(attempt.census.peak_bytes),
        attempt.kernel_kills.map_or("-".into(), |kills| kills.to_string()),
        crate::render::outcome(attempt.outcome).to_string(),
    ]
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(String::from).to_vec()
}

fn amount(bytes: Option<u64>) -> String {
    bytes.map_or("-".into(), human)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::attempt::{Census, Setting};
    use plimsoll_core::mode::Mode;
    use plimsoll_core::outcome::Outcome;
    use plimsoll_core::profile::Run;
    use plimsoll_core::size::GIB;

    fn stored() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let setting = Setting {
            mode: Mode::Critical,
            jobs: 2,
            heap_bytes: Some(GIB),
            worker_heap_bytes: None,
            less_work: false,
        };
        let attempt = Attempt {
            setting,
            budget_bytes: Some(2 * GIB),
            outcome: Outcome::Succeeded,
            cause: None,
            exit_code: Some(0),
            kernel_kills: None,
            heap_errors: 0,
            freezes: 0,
            wall_ms: 1,
            census: Census { peak_bytes: Some(GIB), ..Census::default() },
        };
        let mut profile = Profile::new("group/app", "build", "make -j");
        profile.record(Run { ended_unix_ms: 1, outcome: Outcome::Succeeded, attempts: vec![attempt] });
        std::fs::create_dir(folder.path().join("jobs")).unwrap();
        std::fs::write(folder.path().join("jobs/build.json"), serde_json::to_string(&profile).unwrap())
            .unwrap();
        std::fs::write(folder.path().join("jobs/half.json"), "{").unwrap();
        folder
    }

    fn said(folder: &Path, action: Option<Action>) -> Result<String, String> {
        let mut out = Vec::new();
        let args = JobsArgs { action, output: Form::Table, store: Some(folder.to_path_buf()) };
        run(&args, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn listed_shown_forgotten() {
        let folder = stored();
        let expect = "\
project    job    command  runs  last       mode      peak     budget   request  limit
group/app  build  make -j  1     succeeded  critical  1.0 GiB  2.0 GiB  1.0 GiB  1.4 GiB
";
        assert_eq!(said(folder.path(), None).unwrap(), expect);
        let expect = "\
build of group/app (make -j), the oldest run first
run  attempt  mode      jobs  heap     budget   peak     kills  outcome
1    1        critical  2     1.0 GiB  2.0 GiB  1.0 GiB  -      succeeded
";
        let args = JobsArgs { action: None, output: Form::Json, store: Some(folder.path().to_path_buf()) };
        let mut out = Vec::new();
        run(&args, &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&json[0]["outcome"], &json[0]["peak_bytes"]), (&"succeeded".into(), &GIB.into()));
        let show = |job: &str| said(folder.path(), Some(Action::Show { job: job.into() }));
        assert_eq!(show("build").unwrap(), expect);
        assert_eq!(show("other").unwrap_err(), "no job 'other' is remembered\nsee plimsoll jobs list");
        let forget = Action::Forget { job: "build".into() };
        assert_eq!(said(folder.path(), Some(forget)).unwrap(), "forgot build of group/app (make -j)\n");
        assert!(said(folder.path(), Some(Action::List)).unwrap().starts_with("nothing is remembered in "));
        assert!(folder.path().join("jobs/half.json").exists(), "looking sets nothing aside");
    }
}
