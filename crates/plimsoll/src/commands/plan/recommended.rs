//! The sizes a plan is made of: of a history, of a file that `plimsoll rightsize` wrote, or of patches that people wrote.

use super::PlanArgs;
use super::patches::{self, Written};
use crate::commands::CommandError;
use crate::commands::rightsize;
use jiff::Timestamp;
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{Inventory, Kind, WorkloadId};
use plimsoll_core::plan::{LeftAloneCode, Plan, Recommended};
use serde::Deserialize;
use std::path::Path;

/// A limit stays this far above what the kernel could not take back at the most.
const FLOOR_MARGIN: f64 = 1.02;
const SCHEMA: &str = "plimsoll.rightsize/1";

/// What was read.
#[derive(Default)]
pub(super) struct Wanted {
    /// Those of history.
    sizes: Vec<Recommended>,
    /// Those that people wrote; they go before those of history, which then only says what is needed.
    patches: Option<Vec<Written>>,
    /// Containers without a size, and why.
    skipped: Vec<(WorkloadId, String, String)>,
    /// When history ended, in milliseconds since 1970.
    pub evidence_ms: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Report {
    schema: String,
    as_of: Timestamp,
    containers: Vec<Sized>,
    skipped: Vec<Skipped>,
}

#[derive(Debug, Deserialize)]
struct Sized {
    namespace: String,
    kind: String,
    workload: String,
    container: String,
    recommended_request_bytes: u64,
    recommended_limit_bytes: u64,
    limit_reason: String,
    peak_bytes: Option<u64>,
    non_reclaimable_bytes: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Skipped {
    namespace: String,
    kind: String,
    workload: String,
    container: String,
    reason: String,
}

pub(super) fn read(args: &PlanArgs) -> Result<Wanted, CommandError> {
    let mut wanted = match (&args.source, &args.recommendations) {
        (_, Some(path)) => of_file(path)?,
        (Some(source), None) => {
            let namespaces = args.namespace.iter().cloned().collect();
            of_report("the report", &rightsize::report_of(source, namespaces, &args.access)?)?
        }
        (None, None) => Wanted::default(),
    };
    if let Some(folder) = &args.from {
        wanted.patches = Some(patches::of_folder(folder, args.namespace.as_deref().unwrap_or("default"))?);
    }
    if let Some(namespace) = &args.namespace {
        wanted.sizes.retain(|one| one.workload.namespace == *namespace);
        wanted.skipped.retain(|(workload, _, _)| workload.namespace == *namespace);
        wanted
            .patches
            .iter_mut()
            .for_each(|all| all.retain(|one| one.sizes.workload.namespace == *namespace));
    }
    Ok(wanted)
}

impl Wanted {
    /// Something is wanted of this workload.
    pub fn names(&self, workload: &WorkloadId) -> bool {
        let written = self.patches.iter().flatten().map(|one| &one.sizes.workload);
        self.sizes.iter().map(|one| &one.workload).chain(written).any(|one| one == workload)
    }

    /// The sizes that are wanted of what is there: those of patches, if there are any, else those of history.
    pub fn sizes(&self, inventory: &Inventory) -> Result<Vec<Recommended>, CommandError> {
        match &self.patches {
            Some(written) => patches::recommended(written, &self.sizes, inventory),
            None => Ok(self.sizes.clone()),
        }
    }
}

fn of_file(path: &Path) -> Result<Wanted, CommandError> {
    let name = path.display().to_string();
    let text =
        if name == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    of_report(&name, &text.map_err(|error| CommandError::Input { path: name.clone(), error })?)
}

fn of_report(name: &str, text: &str) -> Result<Wanted, CommandError> {
    let no = |why: String| CommandError::NoPlan { path: name.to_string(), why };
    let report: Report = serde_json::from_str(text).map_err(|error| no(error.to_string()))?;
    if report.schema != SCHEMA {
        return Err(no(format!("its schema is {}, not {SCHEMA}", report.schema)));
    }
    let sizes = report.containers.iter().filter_map(|one| {
        let held = one.non_reclaimable_bytes.or(one.peak_bytes).unwrap_or(0);
        Some(Recommended {
            workload: workload(&one.namespace, &one.kind, &one.workload)?,
            container: one.container.clone(),
            request: Quantity::of_bytes(one.recommended_request_bytes),
            limit: Some(Quantity::of_bytes(one.recommended_limit_bytes)),
            floor_bytes: (held as f64 * FLOOR_MARGIN) as u64,
            evidence: one.limit_reason.clone(),
        })
    });
    let skipped = report.skipped.iter().filter_map(|one| {
        Some((workload(&one.namespace, &one.kind, &one.workload)?, one.container.clone(), one.reason.clone()))
    });
    Ok(Wanted {
        sizes: sizes.collect(),
        skipped: skipped.collect(),
        patches: None,
        evidence_ms: Some(report.as_of.as_millisecond()),
    })
}

/// Kinds that we change; others are nobody's business here.
fn workload(namespace: &str, kind: &str, name: &str) -> Option<WorkloadId> {
    let kind = Kind::from_name(kind)?;
    Some(WorkloadId { namespace: namespace.into(), kind, name: name.into() })
}

/// Nothing says why containers that nobody could size are left alone, but what was read does.
pub(super) fn reasons(plan: &mut Plan, wanted: &Wanted) {
    for left in plan.left_alone.iter_mut().filter(|left| left.code == LeftAloneCode::TooLittleHistory) {
        let known = wanted.skipped.iter().find(|(workload, container, _)| {
            *workload == left.workload && left.container.as_ref().is_none_or(|name| name == container)
        });
        if wanted.patches.is_some() {
            left.reason = "no patch names it".to_string();
        } else if let Some((_, _, reason)) = known {
            left.reason.clone_from(reason);
        }
    }
}
