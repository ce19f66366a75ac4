//! Policies, as the controller's decisions are made by them.

use crate::kinds::{BoundSpec, BudgetSpec, DAYS, MemoryPolicy, ScheduleSpec};
use crate::watch::{Stores, Synced};
use jiff::{Timestamp, civil::Time, tz::TimeZone};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kube::ResourceExt;
use plimsoll_core::controller::policy::{Bound, Mode, Policy, govern};
use plimsoll_core::controller::selector::{Labels, Selector, Term};
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{Hand, Inventory, Kind, WorkloadId};
use plimsoll_core::plan::Budget;
use plimsoll_core::sizing::plimsoll::fleet::Risk;
use std::collections::BTreeMap;

/// Workloads of a policy that change at the same time, where it does not say.
const WORKLOADS_AT_ONCE: u32 = 10;

/// A policy that is followed, or why it is not.
pub struct Read {
    /// As it was written.
    pub object: std::sync::Arc<MemoryPolicy>,
    /// What follows from it.
    pub policy: Result<Policy, String>,
}

impl Synced {
    /// All policies as of `now_ms`, in milliseconds since 1970; in the order of their names.
    pub fn policies(&self, now_ms: i64) -> Vec<Read> {
        policies(self.stores(), now_ms)
    }

    /// Labels of workloads.
    pub fn labels(&self) -> BTreeMap<WorkloadId, Labels> {
        labels(self.stores())
    }
}

fn policies(stores: &Stores, now_ms: i64) -> Vec<Read> {
    let objects = stores.memory_policies.iter().flat_map(|store| store.state());
    let read = |object: std::sync::Arc<MemoryPolicy>| Read { policy: policy(&object, now_ms), object };
    let mut all: Vec<Read> = objects.map(read).collect();
    all.sort_by_key(|read| (read.object.namespace(), read.object.name_any()));
    all
}

fn labels(stores: &Stores) -> BTreeMap<WorkloadId, Labels> {
    let mut all = BTreeMap::new();
    macro_rules! take {
        ($store:expr, $kind:expr) => {
            for object in $store.state() {
                if let Some(namespace) = object.namespace() {
                    let id = WorkloadId { namespace, kind: $kind, name: object.name_any() };
                    all.insert(id, object.labels().clone());
                }
            }
        };
    }
    take!(stores.deployments, Kind::Deployment);
    take!(stores.stateful_sets, Kind::StatefulSet);
    take!(stores.daemon_sets, Kind::DaemonSet);
    all
}

/// Workloads whose sizes a policy has follow use.
pub(super) fn add_hands(stores: &Stores, inventory: &mut Inventory) {
    let policies: Vec<Policy> =
        policies(stores, inventory.as_of_ms).into_iter().filter_map(|read| read.policy.ok()).collect();
    if policies.is_empty() {
        return;
    }
    for (id, index) in govern(&policies, &labels(stores)) {
        let policy = &policies[index];
        if let Some(workload) = inventory.workloads.get_mut(&id).filter(|_| policy.mode.acts()) {
            workload.hands.push(Hand::MemoryPolicy(policy.name.clone()));
        }
    }
}

fn policy(object: &MemoryPolicy, now_ms: i64) -> Result<Policy, String> {
    let spec = &object.spec;
    let made = object.creation_timestamp().map_or(0, |made| made.0.as_millisecond());
    let is_open = spec.schedule.as_ref().map_or(Ok(true), |schedule| is_open(schedule, now_ms))?;
    Ok(Policy {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        made_ms: made,
        selector: selector(&spec.selector)?,
        excluded_workloads: spec.exclude.workloads.clone(),
        excluded_containers: spec.exclude.containers.clone(),
        mode: mode(&spec.mode)?,
        bounds: spec.bounds.iter().map(bound).collect(),
        risk: spec.risk.as_deref().map_or(Ok(Risk::LeastForSlack), risk)?,
        is_open,
        budget: budget(&spec.budget),
        workloads_at_once: spec.budget.workloads_at_once.unwrap_or(WORKLOADS_AT_ONCE),
    })
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "Off" => Ok(Mode::Off),
        "Recommend" => Ok(Mode::Recommend),
        "Initial" => Ok(Mode::Initial),
        "Auto" => Ok(Mode::Auto),
        other => Err(format!("there is no mode '{other}'")),
    }
}

fn selector(selector: &LabelSelector) -> Result<Selector, String> {
    let equal = selector.match_labels.iter().flatten();
    let equal = equal.map(|(key, value)| Ok(Term::In(key.clone(), vec![value.clone()])));
    let terms = selector.match_expressions.iter().flatten().map(term);
    Ok(Selector(equal.chain(terms).collect::<Result<_, String>>()?))
}

fn term(requirement: &LabelSelectorRequirement) -> Result<Term, String> {
    let (key, values) = (requirement.key.clone(), requirement.values.clone().unwrap_or_default());
    match requirement.operator.as_str() {
        "In" => Ok(Term::In(key, values)),
        "NotIn" => Ok(Term::NotIn(key, values)),
        "Exists" => Ok(Term::Exists(key)),
        "DoesNotExist" => Ok(Term::DoesNotExist(key)),
        other => Err(format!("there is no operator '{other}'")),
    }
}

fn bound(bound: &BoundSpec) -> Bound {
    let bytes = |amount: &Option<Quantity>| amount.as_ref().map(Quantity::bytes);
    Bound { container: bound.container.clone(), min_bytes: bytes(&bound.min), max_bytes: bytes(&bound.max) }
}

fn risk(text: &str) -> Result<Risk, String> {
    let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    let percent = percent.filter(|percent| (0.0..=50.0).contains(percent) && *percent > 0.0);
    percent
        .map(|percent| Risk::Share(percent / 100.0))
        .ok_or_else(|| format!("'{text}' is no risk, such as 0.1%"))
}

fn budget(spec: &BudgetSpec) -> Budget {
    let usual = Budget::default();
    let ms = |seconds: Option<u32>, usual_ms| seconds.map_or(usual_ms, |seconds| i64::from(seconds) * 1000);
    Budget {
        resizes_at_once: spec.resizes_at_once.unwrap_or(usual.resizes_at_once),
        mib_per_minute: spec.mib_per_minute.unwrap_or(usual.mib_per_minute),
        watch_ms: ms(spec.watch_seconds, usual.watch_ms),
        patience_ms: ms(spec.patience_seconds, usual.patience_ms),
        ..usual
    }
}

/// A window that goes over midnight belongs to the day on which it begins.
fn is_open(schedule: &ScheduleSpec, now_ms: i64) -> Result<bool, String> {
    let name = schedule.time_zone.as_deref().unwrap_or("UTC");
    let zone = TimeZone::get(name).map_err(|_| format!("there is no time zone '{name}'"))?;
    let now = Timestamp::from_millisecond(now_ms).map_err(|error| error.to_string())?.to_zoned(zone);
    let time = |text: &str| {
        Time::strptime("%H:%M", text).map_err(|_| format!("'{text}' is no time of day, such as 22:00"))
    };
    let (from, to, at) = (time(&schedule.from)?, time(&schedule.to)?, now.time());
    let on = |day: jiff::civil::Weekday| {
        let name = DAYS[usize::from(day.to_monday_zero_offset().unsigned_abs()) % 7];
        schedule.days.is_empty() || schedule.days.iter().any(|known| known == name)
    };
    let (today, yesterday) = (on(now.weekday()), on(now.weekday().previous()));
    Ok(match from <= to {
        true => today && from <= at && at < to,
        false => (today && from <= at) || (yesterday && at < to),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_may_go_over_midnight() {
        let nightly = |days: &[&str]| ScheduleSpec {
            days: days.iter().map(ToString::to_string).collect(),
            from: "22:00".into(),
            to: "06:00".into(),
            time_zone: Some("Europe/Berlin".into()),
        };
        let check = |days: &[&str], at: &str, expect| {
            let now_ms = at.parse::<Timestamp>().expect("a time").as_millisecond();
            assert_eq!(is_open(&nightly(days), now_ms), Ok(expect), "{days:?} {at}");
        };
        // 2026-11-25 is a Wednesday; Berlin is an hour ahead in winter, two in summer.
        check(&[], "2026-11-25T21:30:00Z", true);
        check(&[], "2026-11-25T20:30:00Z", false);
        check(&[], "2026-07-25T20:30:00Z", true);
        check(&["Wed"], "2026-11-26T04:30:00Z", true);
        check(&["Wed"], "2026-11-26T21:30:00Z", false);
        check(&["Wed"], "2026-11-25T04:30:00Z", false);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let wrong = ScheduleSpec { from: "25:00".into(), to: "06:00".into(), ..ScheduleSpec::default() };
        assert_eq!(is_open(&wrong, 0), Err("'25:00' is no time of day, such as 22:00".into()));
        let zone = ScheduleSpec { time_zone: Some("Mars".into()), ..wrong };
        assert_eq!(is_open(&zone, 0), Err("there is no time zone 'Mars'".into()));
        assert_eq!(risk("0.1%"), Ok(Risk::Share(0.001)));
        assert!(risk("0%").is_err() && risk("1").is_err() && risk("90%").is_err());
    }
}
