//! The history that is judged: of a cluster's containers, or of series in a file.

use super::RightsizeArgs;
use crate::commands::CommandError;
use crate::render::progress::Progress;
use plimsoll_core::backtest::packed::Packed;
use plimsoll_core::rightsize::answer::{Container, Id};
use plimsoll_core::rightsize::profile::Profile;
use plimsoll_history::server::Cost;
use plimsoll_history::workloads::{self, Found, Question};
use plimsoll_history::{HistoryError, Source, series};

/// What was read.
pub(super) struct History {
    pub source: String,
    pub found: Found,
    /// The time that counts as now, in milliseconds since 1970.
    pub now_ms: i64,
    /// How it was read, and what that cost; `None` for a file.
    pub read: Option<(&'static str, Cost)>,
}

pub(super) fn read(args: &RightsizeArgs) -> Result<History, CommandError> {
    let source: Source = args.source.parse()?;
    match &source {
        Source::File(format, path) => of_file(args, &source, series::of_file(*format, path)?),
        Source::Server(_) | Source::Blocks(_) => {
            let (reader, range) = args.access.open_stretch(&source, args.window, args.as_of)?;
            let question =
                Question { namespaces: args.namespace.clone(), labels: args.selector.clone(), range };
            let progress = Progress::start("namespaces");
            let found = workloads::read(&reader, &question, &|done, all| progress.show(done, all))?;
            drop(progress);
            Ok(History {
                source: source.to_string(),
                found,
                now_ms: range.to_ms,
                read: reader.cost().map(|cost| (reader.way(), cost)),
            })
        }
    }
}

/// Series of a file are containers by themselves; a name of the form `namespace/workload/container` says which.
fn of_file(args: &RightsizeArgs, source: &Source, series: Vec<Packed>) -> Result<History, CommandError> {
    if !args.namespace.is_empty() || !args.selector.is_empty() {
        let advice = "leave out --namespace and --selector";
        return Err(HistoryError::OtherThing(source.to_string(), "namespaces or labels", advice).into());
    }
    let last = series.iter().filter_map(Packed::last_ms).max();
    let now_ms = args.as_of.map_or(last.map_or(0, |last| last + 1), |as_of| as_of.as_millisecond());
    let containers = series.into_iter().map(|series| {
        let mut profile = Profile::new(now_ms - args.window, now_ms);
        series.samples().for_each(|sample| profile.take(sample.at_ms, None, sample.bytes as f64));
        profile.oom_kills = series.oom_kills;
        let limit_bytes = series.limit_bytes;
        Container { id: named(&series.id), profile, pods: 1, request_bytes: None, limit_bytes }
    });
    let found = Found { containers: containers.collect(), ..Found::default() };
    Ok(History { source: source.to_string(), found, now_ms, read: None })
}

fn named(id: &str) -> Id {
    let parts: Vec<&str> = id.split('/').collect();
    let (namespace, workload, container) = match parts[..] {
        [namespace, workload, container] => (namespace, workload, container),
        [namespace, workload] => (namespace, workload, workload),
        _ => ("", id, id),
    };
    let text = str::to_string;
    Id {
        namespace: text(namespace),
        kind: "Series".into(),
        workload: text(workload),
        container: text(container),
    }
}
