//! `plimsoll diagnose`: what happened to a job, a pod, or a build by what it has printed, in five lines.

use super::cluster::{ClusterArgs, block_on};
use super::form::Form;
use super::{CommandError, whole_file};
use crate::render::table::table;
use crate::store;
use crate::store::jobs::remembered;
use clap::Args;
use plimsoll_cluster::ends;
use plimsoll_core::diagnosis::{Diagnosis, Log, exit_code_in, of_job, of_log, of_pod};
use plimsoll_core::signature::Scanner;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  plimsoll diagnose build                   a job that plimsoll run has run here
  plimsoll diagnose shop/web-7d9c5b-x2x8q   a pod
  plimsoll diagnose build.log
  curl -s JOB_LOG_URL | plimsoll diagnose -";

/// A longer log is read up to here, in bytes.
const LOG_MAX_BYTES: u64 = 1 << 30;
/// A line is looked at up to here, in bytes, and shown up to there, in characters.
const LINE_MAX_BYTES: u64 = 1 << 16;
const SHOWN_MAX_CHARS: usize = 200;

/// `plimsoll diagnose`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DiagnoseArgs {
    /// A log file, `-` for stdin; a job; or NAMESPACE/POD
    #[arg(value_name = "WHAT")]
    what: String,
    /// The form
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Folder of what is remembered [env: PLIMSOLL_STORE]
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_STORE", hide_env = true)]
    store: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Says it.
pub fn run(args: &DiagnoseArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let said = diagnose(args)?;
    Ok(out.write_all(args.output.text(&said, lines)?.as_bytes())?)
}

/// A file before a job before a pod: who has a file of a job's name means the file.
fn diagnose(args: &DiagnoseArgs) -> Result<Diagnosis, CommandError> {
    let what = args.what.as_str();
    if what == "-" {
        return log("stdin", io::stdin().lock()).map_err(CommandError::Output);
    }
    if Path::new(what).is_file() {
        let file = File::open(what).map_err(|error| whole_file::of(Path::new(what), error))?;
        return log(what, BufReader::new(file)).map_err(|error| whole_file::of(Path::new(what), error));
    }
    if let Some(said) = job(args)? {
        return Ok(said);
    }
    match what.split_once('/') {
        Some((namespace, pod)) if is_name(namespace) && is_name(pod) => self::pod(args, namespace, pod),
        _ => Err(CommandError::NothingToDiagnose(what.to_string())),
    }
}

fn log(name: &str, mut source: impl BufRead) -> io::Result<Diagnosis> {
    let mut scanner = Scanner::new();
    let mut found = Log { name: name.to_string(), ..Log::default() };
    let mut source = source.by_ref().take(LOG_MAX_BYTES);
    let mut line = Vec::new();
    while source.by_ref().take(LINE_MAX_BYTES).read_until(b'\n', &mut line)? > 0 {
        scanner.feed(&line);
        let text = String::from_utf8_lossy(&line);
        if let Some(code) = exit_code_in(&text).filter(|code| *code != 0) {
            let shown = text.trim().chars().filter(|it| !it.is_control()).take(SHOWN_MAX_CHARS).collect();
            found.end = Some((shown, code));
        }
        line.clear();
    }
    found.sightings = scanner.finish();
    Ok(of_log(&found))
}

fn job(args: &DiagnoseArgs) -> Result<Option<Diagnosis>, CommandError> {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let folder = store::folder(args.store.as_deref(), |name| std::env::var(name).ok(), &here);
    let jobs = remembered(&folder)
        .map_err(|(path, error)| CommandError::Store { path: path.display().to_string(), error })?;
    let of_this_name = jobs.into_iter().map(|(_, profile)| profile).filter(|it| it.job == args.what);
    let latest = of_this_name.max_by_key(|it| it.runs.last().map(|run| run.ended_unix_ms));
    Ok(latest.as_ref().and_then(of_job))
}

fn pod(args: &DiagnoseArgs, namespace: &str, pod: &str) -> Result<Diagnosis, CommandError> {
    block_on(async {
        let client = args.cluster.client().await.map_err(CommandError::Cluster)?;
        let end = ends::of_pod(&client, namespace, pod).await.map_err(CommandError::Cluster)?;
        let end = end.ok_or_else(|| CommandError::NoSuchPod(args.what.clone()))?;
        Ok(of_pod(&args.what, &end.containers, end.evicted.as_deref()))
    })
}

/// As Kubernetes names things; whatever else there is must not get into what is asked for.
fn is_name(text: &str) -> bool {
    let is_part = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-' || it == '.';
    !text.is_empty() && text.len() <= 253 && text.chars().all(is_part)
}

fn lines(said: &Diagnosis) -> String {
    let evidence = if said.evidence.is_empty() { "none".to_string() } else { said.evidence.join("; ") };
    let row = |name: &str, text: &str| vec![name.to_string(), text.to_string()];
    table(&[
        row("what", &said.what),
        row("why", &said.why),
        row("evidence", &evidence),
        row("do", &said.advice),
        row("next", &said.next),
    ])
}
