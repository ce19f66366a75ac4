//! `ahead` in `capacity`: by what `plimsoll serve` has pods ready before people come.

use plimsoll_cluster::act::{Scaler, Way};
use plimsoll_core::inventory::Kind;
use schemars::JsonSchema;
use serde::Deserialize;

/// By what pods are scaled ahead of the schedule; one of statefulset, deployment, hpa, scaled_object and capacity_buffer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AheadFile {
    /// Say what would be done, and change nothing; so it is unless this is false.
    dry_run: Option<bool>,
    /// Pods there are at least, also when nobody comes; as many as the region has now if it is left out.
    least_pods: Option<u32>,
    /// A StatefulSet that nothing else scales, as NAMESPACE/NAME.
    statefulset: Option<String>,
    /// A Deployment that nothing else scales, as NAMESPACE/NAME.
    deployment: Option<String>,
    /// A HorizontalPodAutoscaler whose minReplicas is raised, as NAMESPACE/NAME.
    hpa: Option<String>,
    /// A ScaledObject of KEDA whose minReplicaCount is raised, as NAMESPACE/NAME.
    scaled_object: Option<String>,
    /// A CapacityBuffer for the pods that are still to come, as NAMESPACE/NAME; made where there is none.
    capacity_buffer: Option<String>,
    /// The workload whose pods a CapacityBuffer is for, as statefulset/NAME or deployment/NAME.
    buffer_for: Option<String>,
    /// The kubeconfig's context; its current one, or the pod's own account, if it is left out.
    context: Option<String>,
}

/// How one region is scaled ahead of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Nothing is changed, only said.
    pub dry_run: bool,
    /// Pods there are at least.
    pub least_pods: u32,
    /// By what; without, nothing is scaled.
    pub scaler: Option<Scaler>,
}

impl AheadFile {
    /// What holds in a region that has so many pods: what it says itself, and for the rest what is said for all.
    pub(super) fn in_region(&self, key: &str, region: &AheadFile, pods: (u32, u32)) -> Result<Ahead, String> {
        let least_pods = region.least_pods.or(self.least_pods).unwrap_or(pods.0);
        super::file::within(&format!("{key}.least_pods"), Some(least_pods), 0, pods.1)?;
        let mut scaler = region.scaler(key)?;
        if scaler.is_none() {
            scaler = self.scaler("capacity.ahead")?;
        }
        if let (Some(scaler), Some(context)) = (&mut scaler, &region.context) {
            scaler.context = Some(context.clone());
        }
        Ok(Ahead { dry_run: region.dry_run.or(self.dry_run).unwrap_or(true), least_pods, scaler })
    }

    fn scaler(&self, key: &str) -> Result<Option<Scaler>, String> {
        let buffer = match (&self.capacity_buffer, &self.buffer_for) {
            (Some(_), Some(workload)) => Some(buffer(key, workload)?),
            (None, None) => None,
            (Some(_), None) => {
                return Err(format!(
                    "{key}.capacity_buffer: for whose pods?\nadd buffer_for: statefulset/NAME"
                ));
            }
            (None, Some(_)) => {
                return Err(format!("{key}.buffer_for: for no buffer\nadd capacity_buffer: NAMESPACE/NAME"));
            }
        };
        let all = [
            ("statefulset", &self.statefulset, Some(Way::Replicas(Kind::StatefulSet))),
            ("deployment", &self.deployment, Some(Way::Replicas(Kind::Deployment))),
            ("hpa", &self.hpa, Some(Way::Autoscaler)),
            ("scaled_object", &self.scaled_object, Some(Way::ScaledObject)),
            ("capacity_buffer", &self.capacity_buffer, buffer),
        ];
        let given = all.into_iter().filter_map(|(name, object, way)| Some((name, object.as_ref()?, way?)));
        let mut given = given.collect::<Vec<_>>().into_iter();
        let Some((name, object, way)) = given.next() else { return Ok(None) };
        if let Some((other, ..)) = given.next() {
            return Err(format!("{key}: {name} and {other} would both be scaled\nkeep one"));
        }
        let Some((namespace, of)) = object.split_once('/').filter(|(one, two)| is_name(one) && is_name(two))
        else {
            return Err(format!(
                "{key}.{name}: '{object}' does not say where it is\nwrite it as NAMESPACE/NAME"
            ));
        };
        let context = self.context.clone();
        Ok(Some(Scaler { way, namespace: namespace.to_string(), name: of.to_string(), context }))
    }
}

fn buffer(key: &str, workload: &str) -> Result<Way, String> {
    let parts = workload.split_once('/').filter(|(_, name)| is_name(name));
    let kind = parts.and_then(|(kind, name)| match kind {
        "statefulset" => Some((Kind::StatefulSet, name)),
        "deployment" => Some((Kind::Deployment, name)),
        _ => None,
    });
    let (kind, name) = kind.ok_or_else(|| {
        format!(
            "{key}.buffer_for: '{workload}' is no workload\nwrite it as statefulset/NAME or deployment/NAME"
        )
    })?;
    Ok(Way::Buffer(kind, name.to_string()))
}

/// Of the letters that names in Kubernetes are made of.
fn is_name(text: &str) -> bool {
    let is_letter = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "-.".contains(it);
    (1..=253).contains(&text.len()) && text.chars().all(is_letter)
}

/// No two regions may be scaled by the same object.
pub(super) fn all_differ(regions: &[super::Region]) -> Result<(), String> {
    for (index, region) in regions.iter().enumerate() {
        let same = |other: &&super::Region| {
            region.ahead.scaler.is_some() && other.ahead.scaler == region.ahead.scaler
        };
        if let Some(other) = regions[..index].iter().find(same) {
            return Err(format!(
                "capacity.regions[{index}]: '{}' and '{}' would be scaled by the same object\ngive each an ahead of its own",
                region.name, other.name
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::{Capacity, parse};
    use plimsoll_cluster::act::{Scaler, Way};
    use plimsoll_core::inventory::Kind;

    fn read(capacity: &str) -> Result<Capacity, String> {
        let config =
            parse("plimsoll.yaml", &format!("capacity: {capacity}")).map_err(|error| error.to_string())?;
        Ok(config.capacity.expect("a capacity"))
    }

    #[test]
    fn what_is_scaled_and_by_what() {
        let of = |capacity: &str| read(capacity).expect("a capacity").regions[0].ahead.clone();
        let scaler = |way, name: &str| {
            Some(Scaler { way, namespace: "shop".into(), name: name.into(), context: None })
        };
        let nothing = of("{}");
        assert_eq!((nothing.dry_run, nothing.least_pods, nothing.scaler), (true, 2, None));
        let set = of("{ahead: {dry_run: false, least_pods: 1, statefulset: shop/backend}}");
        assert_eq!((set.dry_run, set.least_pods), (false, 1));
        assert_eq!(set.scaler, scaler(Way::Replicas(Kind::StatefulSet), "backend"));
        let check = |ahead: &str, way| {
            assert_eq!(of(&format!("{{ahead: {{{ahead}}}}}")).scaler, scaler(way, "it"), "{ahead}");
        };
        check("deployment: shop/it", Way::Replicas(Kind::Deployment));
        check("hpa: shop/it", Way::Autoscaler);
        check("scaled_object: shop/it", Way::ScaledObject);
        let buffer = Way::Buffer(Kind::StatefulSet, "backend".into());
        check("capacity_buffer: shop/it, buffer_for: statefulset/backend", buffer);
    }

    #[test]
    fn a_region_says_it_itself() {
        let two = read(
            "{ahead: {least_pods: 3, hpa: shop/backend},
              regions: [{name: fra, most_pods: 9}, {name: ams, most_pods: 9, ahead: {dry_run: false, context: ams}}]}",
        );
        let two = two.expect("a capacity");
        let [fra, ams] = &two.regions[..] else { panic!("{two:?}") };
        assert_eq!((fra.ahead.dry_run, ams.ahead.dry_run), (true, false));
        assert_eq!((fra.ahead.least_pods, ams.ahead.least_pods), (3, 3));
        let ams = ams.ahead.scaler.clone().expect("a scaler");
        assert_eq!((ams.context.as_deref(), ams.to_string().as_str()), (Some("ams"), "hpa shop/backend"));
    }

    #[test]
    fn mistakes_are_named() {
        let check = |capacity: &str, expect: &str| {
            let said = read(capacity).expect_err(capacity);
            assert!(said.contains(expect) && said.contains('\n'), "{capacity}: {said}");
        };
        check("{ahead: {hpa: backend}}", "capacity.ahead.hpa: 'backend' does not say where it is");
        check("{ahead: {hpa: a/b/c}}", "capacity.ahead.hpa: 'a/b/c' does not say");
        check(
            "{ahead: {hpa: a/b, statefulset: a/b}}",
            "capacity.ahead: statefulset and hpa would both be scaled",
        );
        check("{ahead: {capacity_buffer: a/b}}", "capacity.ahead.capacity_buffer: for whose pods?");
        check("{ahead: {buffer_for: statefulset/b}}", "capacity.ahead.buffer_for: for no buffer");
        check("{ahead: {capacity_buffer: a/b, buffer_for: pod/b}}", "'pod/b' is no workload");
        check("{ahead: {least_pods: 11}}", "ahead.least_pods: 11 is out of range");
        check(
            "{ahead: {hpa: a/b}, regions: [{name: fra}, {name: ams}]}",
            "'ams' and 'fra' would be scaled by the same object",
        );
    }
}
