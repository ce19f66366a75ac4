//! From what was read to the report.

use super::report::{ContainerReport, CostReport, DaysReport, RightsizeReport, SCHEMA, Skipped, Totals};
use super::source::History;
use super::{RightsizeArgs, Rule};
use jiff::Timestamp;
use plimsoll_core::rightsize::answer::{Answer, Container, Id, NotYet, Settings, answer_of, answers};
use plimsoll_core::rightsize::fleet::Terms;
use plimsoll_core::rightsize::reason;
use plimsoll_core::size::GIB;
use plimsoll_core::sizing::autopilot::ml::AutopilotMl;
use plimsoll_core::sizing::autopilot::window::AutopilotWindow;
use plimsoll_core::sizing::krr::{self, Krr};
use plimsoll_core::sizing::vpa::{self, Vpa};
use plimsoll_core::sizing::{DAY_MS, Policy};

/// A size lasts for this part of the history it rests on, unless told otherwise.
const HORIZONS: i64 = 4;
/// A month, as clouds reckon it.
const MONTH_HOURS: f64 = 730.0;

/// How containers are judged at a time, in milliseconds since 1970.
pub(super) fn settings(args: &RightsizeArgs, now_ms: i64) -> Settings {
    let horizon_ms = args.horizon.unwrap_or(args.window / HORIZONS).min(args.window / 2).max(1);
    let risk = args.risk.for_horizon(horizon_ms);
    let terms = Terms { now_ms, window_ms: args.window, horizon_ms, risk };
    Settings { terms, floor_bytes: args.floor }
}

pub(super) fn report(args: &RightsizeArgs, history: &History) -> RightsizeReport {
    let settings = settings(args, history.now_ms);
    let containers = &history.found.containers;
    let answers: Vec<Result<Answer, NotYet>> = match policy(args.policy) {
        None => answers(containers, &settings),
        Some(new) => containers.iter().map(|container| answer_of(container, new(), &settings)).collect(),
    };
    let mut reports = Vec::new();
    let mut skipped: Vec<Skipped> =
        history.found.skipped.iter().map(|(id, why)| skip(id, why.clone())).collect();
    for (container, answer) in containers.iter().zip(answers) {
        match answer {
            Ok(answer) => reports.push(of_container(container, &answer, history.now_ms)),
            Err(not_yet) => skipped.push(skip(&container.id, reason::of_not_yet(not_yet))),
        }
    }
    // People look for names, of whatever kind.
    reports.sort_by(|one: &ContainerReport, other: &ContainerReport| by_name(one).cmp(&by_name(other)));
    RightsizeReport {
        schema: SCHEMA,
        source: history.source.clone(),
        as_of: Timestamp::from_millisecond(history.now_ms).unwrap_or_default().to_string(),
        window_seconds: args.window as f64 / 1000.0,
        horizon_seconds: settings.terms.horizon_ms as f64 / 1000.0,
        policy: args.policy.name(),
        totals: totals(&reports, args.gib_hour_price),
        containers: reports,
        skipped,
        remarks: history.found.remarks.clone(),
        cost: history.read.map(|(way, cost)| CostReport {
            way,
            requests: cost.requests,
            bytes: cost.bytes,
            samples: cost.points,
            seconds: cost.seconds,
        }),
    }
}

fn by_name(one: &ContainerReport) -> (&str, &str, &str, &str) {
    (&one.namespace, &one.workload, &one.container, &one.kind)
}

/// `None` for ours, which judges all of them together. The others have the floors their own
/// tools have, of 100 and 250 MiB; that of the command line holds besides.
fn policy(rule: Rule) -> Option<fn() -> Box<dyn Policy>> {
    match rule {
        Rule::Plimsoll => None,
        Rule::Krr => Some(|| Box::new(Krr::new(krr::FLOOR_BYTES))),
        Rule::Vpa => Some(|| Box::new(Vpa::new(vpa::POD_FLOOR_BYTES))),
        Rule::AutopilotWindow => Some(|| Box::new(AutopilotWindow::default())),
        Rule::AutopilotMl => Some(|| Box::new(AutopilotMl::default())),
    }
}

fn skip(id: &Id, reason: String) -> Skipped {
    let Id { namespace, kind, workload, container } = id.clone();
    Skipped { namespace, kind, workload, container, reason }
}

fn of_container(container: &Container, answer: &Answer, now_ms: i64) -> ContainerReport {
    let Id { namespace, kind, workload, container: name } = container.id.clone();
    let change = |now: Option<u64>, then: u64| now.map(|now| then as f64 / now.max(1) as f64 - 1.0);
    ContainerReport {
        namespace,
        kind,
        workload,
        container: name,
        pods: container.pods,
        request_bytes: container.request_bytes,
        limit_bytes: container.limit_bytes,
        recommended_request_bytes: answer.request_bytes,
        recommended_limit_bytes: answer.limit_bytes,
        request_change_ratio: change(container.request_bytes, answer.request_bytes),
        limit_change_ratio: change(container.limit_bytes, answer.limit_bytes),
        request_reason: reason::of_request(answer),
        limit_reason: reason::of_limit(answer, now_ms),
        confidence: answer.confidence.name(),
        peak_bytes: answer.peak.map(|peak| peak.bytes),
        non_reclaimable_bytes: container.profile.non_reclaimable_bytes,
        used_bytes: container.profile.used.mean(now_ms - DAY_MS, now_ms).map(|mean| mean as u64),
        days_to_limit: answer.to_limit.map(|to_limit| DaysReport {
            days: to_limit.days,
            earliest: to_limit.earliest,
            latest: to_limit.latest,
        }),
        warnings: reason::warnings(container, answer, now_ms),
    }
}

/// What has no request now saves nothing by getting one: it is not part of the change.
fn totals(reports: &[ContainerReport], gib_hour_price: Option<f64>) -> Totals {
    let sum = |of: &dyn Fn(&ContainerReport) -> Option<u64>| {
        reports.iter().map(|one| of(one).unwrap_or(0) * u64::from(one.pods)).sum::<u64>()
    };
    let request_bytes = sum(&|one| one.request_bytes);
    let recommended_of_requested = sum(&|one| one.request_bytes.and(Some(one.recommended_request_bytes)));
    let recommended_request_bytes = sum(&|one| Some(one.recommended_request_bytes));
    let used_bytes = sum(&|one| one.used_bytes);
    let used_of_requested = sum(&|one| one.request_bytes.and(one.used_bytes));
    let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let saved_gib = (request_bytes as f64 - recommended_of_requested as f64) / GIB as f64;
    Totals {
        containers: reports.len() as u64,
        pods: reports.iter().map(|one| u64::from(one.pods)).sum(),
        request_bytes,
        recommended_request_bytes,
        request_change_ratio: ratio(recommended_of_requested, request_bytes).map(|ratio| ratio - 1.0),
        used_bytes,
        used_ratio: ratio(used_of_requested, request_bytes),
        recommended_used_ratio: ratio(used_bytes, recommended_request_bytes),
        saved_per_month: gib_hour_price.map(|price| saved_gib * price * MONTH_HOURS),
    }
}
