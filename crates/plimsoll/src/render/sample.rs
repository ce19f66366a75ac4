//! A report to render: a webpack build killed once, then through.

use super::report::{AttemptPart, BudgetPart, RecommendPart, RunReport, SCHEMA, SavedPart, TreePart};
use plimsoll_core::mode::Mode;
use plimsoll_core::outcome::{Cause, Outcome};
use plimsoll_core::size::{GIB, MIB};
use std::collections::BTreeMap;

pub fn attempt() -> AttemptPart {
    AttemptPart {
        mode: Mode::Critical,
        reason: "fits the budget".into(),
        outcome: Outcome::Succeeded,
        cause: None,
        exit_code: Some(0),
        kernel_kills: Some(0),
        heap_errors: 0,
        freezes: 0,
        peak_bytes: Some(1740 * MIB),
        jobs: 2,
        heap_bytes: Some(GIB),
        started_ms: 0,
        wall_ms: 22_000,
        cpu_ms: 30_000,
        evidence: Vec::new(),
        knobs: BTreeMap::from([("NODE_OPTIONS".into(), "--max-old-space-size=1024".into())]),
        cleanup: None,
        saved: None,
    }
}

pub fn quick() -> RunReport {
    RunReport {
        schema: SCHEMA,
        job: "app".into(),
        command: vec!["npx".into(), "webpack".into()],
        outcome: Outcome::Succeeded,
        exit_code: 0,
        wall_ms: 22_000,
        budget: BudgetPart { bytes: Some(2 * GIB), binding: Some("--limit".into()) },
        tree: TreePart { kind: "cgroup".into() },
        attempts: vec![attempt()],
        need_bytes: None,
        recommend: None,
        reason: "the build succeeded".into(),
        notes: Vec::new(),
        curve: vec![(0, 100 * MIB), (10_000, GIB), (22_000, 1740 * MIB)],
    }
}

pub fn rescued() -> RunReport {
    let killed = AttemptPart {
        outcome: Outcome::OutOfMemory,
        cause: Some(Cause::KernelKill),
        exit_code: Some(137),
        kernel_kills: Some(1),
        freezes: 2,
        peak_bytes: Some(2040 * MIB),
        jobs: 8,
        heap_bytes: None,
        wall_ms: 12_000,
        evidence: vec!["Killed".into()],
        saved: Some(SavedPart { files: 4, bytes: 12 * MIB, complete: true }),
        ..attempt()
    };
    RunReport {
        wall_ms: 34_000,
        attempts: vec![killed, AttemptPart { started_ms: 12_000, ..attempt() }],
        recommend: Some(RecommendPart {
            request_bytes: 1792 * MIB,
            limit_bytes: 2048 * MIB,
            reason: "1 peak seen".into(),
        }),
        notes: vec!["no PSI here".into()],
        curve: vec![(0, 100 * MIB), (12_000, 2040 * MIB), (13_000, 200 * MIB), (34_000, 1740 * MIB)],
        ..quick()
    }
}

pub fn unknown() -> RunReport {
    RunReport {
        budget: BudgetPart { bytes: None, binding: None },
        attempts: Vec::new(),
        curve: Vec::new(),
        ..quick()
    }
}
