//! What is asked of which source.

use super::super::{CommandError, capacity, rightsize};
use super::{ReportArgs, period, price};
use crate::render::progress::Progress;
use crate::store::{jobs::remembered, lives};
use jiff::Timestamp;
use plimsoll_core::profile::Profile;
use plimsoll_core::report::seen::{Cluster, People, Period, Scored, Seen, Source};
use plimsoll_core::rightsize::answer::answers;
use plimsoll_core::rightsize::reason;
use plimsoll_core::sizing::DAY_MS;
use plimsoll_history::workloads::{self, Question, review};
use plimsoll_history::{Range, Source as HistorySource};
use serde_json::Value;

/// Sizes rest on two weeks at least, as those of `plimsoll rightsize`.
const WINDOW_MIN_MS: i64 = 14 * DAY_MS;
/// Skipped containers that are named.
const SKIPPED_SHOWN: usize = 5;

/// All that was asked for.
pub(super) fn all(args: &ReportArgs) -> Result<Seen, CommandError> {
    let builds = builds(args)?;
    if args.source.is_none() && args.server.is_none() && builds.read().is_none() {
        return Err(CommandError::NothingToReport(args.store.folder().display().to_string()));
    }
    // Of blocks the end is theirs, so that all sources are asked of the same period.
    let (cluster, period) = match &args.source {
        Some(source) => cluster(args, source)?,
        None => {
            let now_ms = args.as_of.unwrap_or_else(Timestamp::now).as_millisecond();
            let how = "--source URL of a Prometheus".to_string();
            (Source::NotAsked(how), period(args.since, now_ms))
        }
    };
    Ok(Seen { period, cluster, builds, capacity: people(args)? })
}

fn cluster(args: &ReportArgs, source: &str) -> Result<(Source<Cluster>, Period), CommandError> {
    let source: HistorySource = source.parse()?;
    let window_ms = WINDOW_MIN_MS.max(2 * args.since);
    let (reader, range) = args.access.open_stretch(&source, window_ms, args.as_of)?;
    let of = |from_ms: i64| Question {
        namespaces: args.namespace.clone(),
        labels: Vec::new(),
        range: Range { from_ms, to_ms: range.to_ms },
    };
    let progress = Progress::start("namespaces");
    let found = workloads::read(&reader, &of(range.from_ms), &|done, all| progress.show(done, all))?;
    drop(progress);
    let progress = Progress::start("namespaces, held and killed");
    let seen = review(&reader, &of(range.to_ms - 2 * args.since), &|done, all| progress.show(done, all))?;
    drop(progress);

    let settings = rightsize::settings(window_ms, range.to_ms)?;
    let mut remarks = [found.remarks, seen.remarks].concat();
    let mut skipped = found.skipped;
    let mut judged = Vec::new();
    for (container, answer) in found.containers.iter().zip(answers(&found.containers, &settings)) {
        match answer {
            Ok(answer) => judged.push((container.clone(), answer)),
            Err(not_yet) => skipped.push((container.id.clone(), reason::of_not_yet(not_yet))),
        }
    }
    for (id, why) in skipped.iter().take(SKIPPED_SHOWN) {
        remarks.push(format!("no size for {}/{}/{}: {why}", id.namespace, id.workload, id.container));
    }
    if skipped.len() > SKIPPED_SHOWN {
        remarks.push(format!("no size for {} more", skipped.len() - SKIPPED_SHOWN));
    }
    if let Some(cost) = reader.cost() {
        // Bytes, samples and seconds differ from call to call; the number of requests does not.
        remarks.push(format!("read by {}, {} requests", reader.way(), cost.requests));
    }
    let price = price::of(args, seen.gib_hour)?;
    let read = Cluster { judged, held: seen.held, kills: seen.kills, requested: seen.requested, price };
    let from = source.to_string();
    Ok((Source::Asked { from, remarks, read }, period(args.since, range.to_ms)))
}

/// What is remembered; a store that is found by default and not there was not asked.
fn builds(args: &ReportArgs) -> Result<Source<Vec<Profile>>, CommandError> {
    let folder = args.store.folder();
    if !folder.join("jobs").is_dir() {
        if args.store.is_named() {
            let error = std::io::Error::new(std::io::ErrorKind::NotFound, "nothing is remembered there");
            return Err(CommandError::Store { path: folder.display().to_string(), error });
        }
        return Ok(Source::NotAsked("--store DIR that plimsoll run has filled".to_string()));
    }
    let found = remembered(&folder)
        .map_err(|(path, error)| CommandError::Store { path: path.display().to_string(), error })?;
    let of = |(_, mut profile): (_, Profile)| {
        profile.intents.retain(|intent| !lives(intent));
        profile
    };
    let read: Vec<Profile> = found.into_iter().map(of).collect();
    let remarks = if read.is_empty() { vec!["no build is remembered there".to_string()] } else { Vec::new() };
    Ok(Source::Asked { from: folder.display().to_string(), remarks, read })
}

fn people(args: &ReportArgs) -> Result<Source<People>, CommandError> {
    let Some(server) = &args.server else {
        return Ok(Source::NotAsked("--server URL of plimsoll serve, or its store".to_string()));
    };
    let answer = capacity::profiling(server, args.server_token_file.as_deref(), args.config.as_deref());
    let answer = answer.map_err(|error| match error {
        CommandError::Asked(text) => CommandError::Asked(text.replace("--token-file", "--server-token-file")),
        other => other,
    })?;
    let in_force =
        answer["profiles"].as_array().and_then(|profiles| profiles.last()).cloned().unwrap_or_default();
    let is_assumed = in_force["is_assumed"] == true;
    let remarks = is_assumed.then(|| "nothing was observed yet: published values stand in".to_string());
    let from = without_password(server);
    Ok(Source::Asked { from, remarks: remarks.into_iter().collect(), read: of_answer(&answer, &in_force) })
}

fn of_answer(answer: &Value, in_force: &Value) -> People {
    let drifts = in_force["drifts"].as_array().into_iter().flatten();
    let drift = |it: &Value| Some((it["found_ms"].as_i64()?, it["share"].as_f64()?));
    let scored = |of: &Value| {
        Some(Scored {
            projections: of["projections"].as_u64()?,
            error_share: of["error_share"].as_f64()?,
            breach_share: of["breach_share"].as_f64()?,
        })
    };
    People {
        drifts: drifts.filter_map(drift).collect(),
        scored: scored(&answer["accuracy"]),
        leak_mb_per_hour: in_force["leak_mb_per_hour"].as_f64().unwrap_or(0.0),
    }
}

/// A database's URL as it may be shown.
fn without_password(server: &str) -> String {
    match server.split_once("://").zip(server.rsplit_once('@')) {
        Some(((scheme, _), (_, host))) => format!("{scheme}://{host}"),
        None => server.to_string(),
    }
}
