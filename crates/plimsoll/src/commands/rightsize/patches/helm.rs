//! Values for Helm. Charts have no shape in common; these are keyed by workload, to be moved to where a chart has them.

use super::changes::Workload;
use super::yaml::{self, Sizes};
use crate::commands::CommandError;
use serde::Serialize;
use std::collections::BTreeMap;

/// A value: the sizes, or what is below.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Value {
    Sizes { resources: Sizes },
    Below(BTreeMap<String, Value>),
}

pub(super) fn path(namespace: &str) -> String {
    format!("helm/values-{namespace}.yaml")
}

pub(super) fn values(namespace: &str, workloads: &[&Workload]) -> Result<String, CommandError> {
    let mut by_name: BTreeMap<&str, Vec<&Workload>> = BTreeMap::new();
    workloads.iter().for_each(|workload| by_name.entry(workload.name).or_default().push(workload));
    let values: BTreeMap<&str, Value> = by_name
        .into_iter()
        .map(|(name, workloads)| {
            let value = match workloads[..] {
                [workload] => of_workload(workload),
                // A deployment and a cron job may have the same name.
                _ => Value::Below(
                    workloads.iter().map(|one| (one.kind.lowercase(), of_workload(one))).collect(),
                ),
            };
            (name, value)
        })
        .collect();
    let comments = [
        &*format!("Memory of namespace {namespace}, by workload, and by container where it has several."),
        "Each chart has these in a place of its own: move them there.",
    ];
    yaml::document(&comments, &values)
}

fn of_workload(workload: &Workload) -> Value {
    let containers = workload.containers.iter().map(|one| {
        let sizes = Sizes::new(Some(one.recommended_request_bytes), Some(one.recommended_limit_bytes));
        (one.container.clone(), Value::Sizes { resources: sizes })
    });
    let mut containers: BTreeMap<String, Value> = containers.collect();
    match containers.pop_first() {
        Some((_, only)) if workload.is_single => only,
        first => Value::Below(first.into_iter().chain(containers).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::changes::Changes;
    use super::super::tests::{container, report};
    use super::*;

    #[test]
    fn keys() {
        let check = |ids: &[&str], left: &str, expect: &[&str]| {
            let changed = ids.iter().map(|id| container(id, (None, None), (1, 2)));
            let report = report(changed.chain([container(left, (Some(1), Some(2)), (1, 2))]).collect());
            let changes = Changes::of(&report);
            let text = values("shop", &changes.by_namespace()["shop"]).unwrap();
            let keys = text.split("resources:").next().unwrap().lines().filter(|line| !line.starts_with('#'));
            assert_eq!(
                keys.map(str::trim).filter(|key| !key.is_empty()).collect::<Vec<_>>(),
                expect,
                "{text}"
            );
        };
        check(&["shop/Deployment/web/main"], "shop/Deployment/api/api", &["web:"]);
        check(&["shop/Deployment/web/main"], "shop/Deployment/web/log", &["web:", "main:"]);
        check(&["shop/Deployment/web/1e3", "shop/Deployment/web/b"], "a/Job/b/c", &["web:", "\"1e3\":"]);
        check(&["shop/Deployment/web/a", "shop/CronJob/web/a"], "a/Job/b/c", &["web:", "cronjob:"]);
    }
}
