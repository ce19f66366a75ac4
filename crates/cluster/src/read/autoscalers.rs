//! HorizontalPodAutoscalers, as far as they go by memory.

use k8s_openapi::api::autoscaling::v2::{
    HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, MetricSpec, MetricTarget,
};
use kube::ResourceExt;
use plimsoll_core::inventory::WorkloadId;
use plimsoll_core::inventory::autoscaler::{Amount, MemoryAutoscaler, MemoryTarget, TOLERANCE};

/// Whom one scales by memory, and how; `None` for one that does not, or something that is none of our workloads.
pub(super) fn by_memory(autoscaler: &HorizontalPodAutoscaler) -> Option<(WorkloadId, MemoryAutoscaler)> {
    let spec = &autoscaler.spec;
    let targets: Vec<_> = spec.metrics.iter().flatten().filter_map(target).collect();
    if targets.is_empty() {
        return None;
    }
    let scaled = &spec.scale_target_ref;
    let workload = super::hands::id(autoscaler.namespace()?, &scaled.kind, &scaled.name)?;
    let behavior = spec.behavior.as_ref();
    let count = |replicas: i32| replicas.max(0) as u32;
    let read = MemoryAutoscaler {
        name: autoscaler.name_any(),
        // By memory none goes down to nothing.
        min_replicas: count(spec.min_replicas.unwrap_or(1)).max(1),
        max_replicas: count(spec.max_replicas),
        is_held_at_max: autoscaler.status.as_ref().is_some_and(is_held_at_max),
        tolerance_up: tolerance(behavior.and_then(|it| it.scale_up.as_ref())),
        tolerance_down: tolerance(behavior.and_then(|it| it.scale_down.as_ref())),
        targets,
    };
    Some((workload, read))
}

fn target(metric: &MetricSpec) -> Option<MemoryTarget> {
    let whole = metric.resource.as_ref().map(|it| (&it.name, None, &it.target));
    let of_one = metric.container_resource.as_ref();
    let of_one = of_one.map(|it| (&it.name, Some(it.container.clone()), &it.target));
    let (_, container, target) = whole.or(of_one).filter(|(name, ..)| *name == "memory")?;
    Some(MemoryTarget { container, amount: amount(target) })
}

/// The server takes none without either; nothing is decided by a target of no bytes.
fn amount(target: &MetricTarget) -> Amount {
    let percent = target.average_utilization.and_then(|percent| u32::try_from(percent).ok());
    let bytes = target.average_value.as_ref().and_then(super::quantity).map(|value| value.bytes());
    percent.map_or(Amount::Bytes(bytes.unwrap_or(0)), Amount::Percent)
}

fn tolerance(rules: Option<&HPAScalingRules>) -> f64 {
    let Some(rules) = rules else { return TOLERANCE };
    if rules.select_policy.as_deref() == Some("Disabled") {
        return f64::INFINITY;
    }
    rules.tolerance.as_ref().and_then(|written| share(&written.0)).unwrap_or(TOLERANCE)
}

/// The server writes shares in thousandths and less: `50m`.
fn share(written: &str) -> Option<f64> {
    let parts = [('m', 1e3), ('u', 1e6), ('n', 1e9)];
    let split = parts.iter().find_map(|(unit, parts)| Some((written.strip_suffix(*unit)?, *parts)));
    let (digits, parts) = split.unwrap_or((written, 1.0));
    Some(digits.parse::<f64>().ok()? / parts)
}

fn is_held_at_max(status: &HorizontalPodAutoscalerStatus) -> bool {
    status.conditions.iter().flatten().any(|condition| {
        condition.type_ == "ScalingLimited"
            && condition.status == "True"
            && condition.reason.as_deref() == Some("TooManyReplicas")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(spec: Value, status: Value) -> Option<(WorkloadId, MemoryAutoscaler)> {
        let mut object = json!({"metadata": {"name": "scaler", "namespace": "shop"}, "spec": spec});
        object["spec"]["scaleTargetRef"] =
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db"});
        object["status"] = status;
        by_memory(&serde_json::from_value(object).expect("an autoscaler"))
    }

    fn metric(of: &str, target: Value) -> Value {
        json!({"type": "Resource", "resource": {"name": of, "target": target}})
    }

    #[test]
    fn what_goes_by_memory_is_read() {
        let share = || json!({"type": "Utilization", "averageUtilization": 80});
        let amount = json!({"type": "AverageValue", "averageValue": "300Mi"});
        let only = json!({"type": "ContainerResource", "containerResource":
            {"name": "memory", "container": "app", "target": amount}});
        let spec = json!({"minReplicas": 2, "maxReplicas": 7,
            "metrics": [metric("cpu", share()), metric("memory", share()), only],
            "behavior": {"scaleUp": {"selectPolicy": "Disabled"}, "scaleDown": {"tolerance": "50m"}}});
        let held = json!({"desiredReplicas": 7, "conditions":
            [{"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}]});
        let (workload, scaler) = read(spec, held).expect("it goes by memory");
        assert_eq!(workload.to_string(), "shop/StatefulSet/db");
        let expect = MemoryAutoscaler {
            name: "scaler".into(),
            min_replicas: 2,
            max_replicas: 7,
            is_held_at_max: true,
            tolerance_up: f64::INFINITY,
            tolerance_down: 0.05,
            targets: vec![
                MemoryTarget { container: None, amount: Amount::Percent(80) },
                MemoryTarget { container: Some("app".into()), amount: Amount::Bytes(300 << 20) },
            ],
        };
        assert_eq!(scaler, expect);
        let plain = json!({"maxReplicas": 3, "metrics": [metric("memory", share())]});
        let few = json!({"desiredReplicas": 3, "conditions":
            [{"type": "ScalingLimited", "status": "True", "reason": "TooFewReplicas"}]});
        let (_, scaler) = read(plain, few).expect("it goes by memory");
        let found = (scaler.min_replicas, scaler.is_held_at_max, scaler.tolerance_up, scaler.tolerance_down);
        assert_eq!(found, (1, false, TOLERANCE, TOLERANCE));
        let by_cpu = json!({"maxReplicas": 3, "metrics": [metric("cpu", share())]});
        assert_eq!(read(by_cpu, json!({"desiredReplicas": 1})), None);
    }

    #[test]
    fn shares_are_read_as_the_server_writes_them() {
        let check = |written: &str, expect| assert_eq!(share(written), expect, "{written}");
        check("50m", Some(0.05));
        check("0.05", Some(0.05));
        check("1", Some(1.0));
        check("12500u", Some(0.0125));
        check("much", None);
    }
}
