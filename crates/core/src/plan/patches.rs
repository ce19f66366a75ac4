//! Patches that people wrote: the sizes of memory in a strategic-merge patch or a whole manifest of a workload.
//!
//! Whoever reads the file turns it into a [`Patch`]; what else is in it is not ours and stays out. What a patch leaves open is
//! taken from the workload that is there.

use super::Recommended;
use crate::inventory::quantity::Quantity;
use crate::inventory::{Inventory, Kind, Sizes, WorkloadId};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use std::fmt;

/// A document, as far as it tells sizes.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Patch {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
struct Spec {
    template: Template,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: PodSpec,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    containers: Vec<ContainerPatch>,
    /// Sidecars are among them.
    init_containers: Vec<ContainerPatch>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
struct ContainerPatch {
    name: String,
    #[serde(deserialize_with = "not_taken_away")]
    resources: Amounts,
}

/// Those of other things than memory are nobody's business here.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
struct Amounts {
    #[serde(deserialize_with = "not_taken_away")]
    requests: Memory,
    #[serde(deserialize_with = "not_taken_away")]
    limits: Memory,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
struct Memory {
    #[serde(deserialize_with = "not_taken_away")]
    memory: Option<Amount>,
}

/// In a strategic merge null takes away what is there. No plan does that: a running pod cannot lose a size again.
fn not_taken_away<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    let there: Option<T> = Option::deserialize(deserializer)?;
    there.ok_or_else(|| {
        de::Error::custom(
            "null takes the size away, which neither a resize nor an apply can do\n\
             write the amount that it should have, or take the line out to leave it as it is",
        )
    })
}

/// Read where it stands, so that whoever reads the file can say where that is.
#[derive(Debug, Clone, PartialEq)]
struct Amount(Quantity);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

/// Amounts may be written without quotes.
struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an amount of memory, such as 512Mi")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        Quantity::try_from(text.to_string()).map(Amount).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Amount, E> {
        self.visit_str(&bytes.to_string())
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Amount, E> {
        self.visit_str(&bytes.to_string())
    }

    fn visit_f64<E: de::Error>(self, bytes: f64) -> Result<Amount, E> {
        self.visit_str(&bytes.to_string())
    }
}

/// What somebody wants a container to have; what a patch does not name is `None`, and stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchedSizes {
    /// Of which workload.
    pub workload: WorkloadId,
    /// Which.
    pub container: String,
    /// At least one of request and limit.
    pub sizes: Sizes,
}

/// Why a patch cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// Sizes of such a thing are not changed.
    #[error(
        "'{kind}' of apiVersion '{api_version}' has no sizes that are changed here\n\
         patch a Deployment, a StatefulSet or a DaemonSet of apps/v1"
    )]
    Kind {
        /// As it is written.
        api_version: String,
        /// As it is written.
        kind: String,
    },
    /// It does not say which workload it means.
    #[error("a patch of a {0:?} has no name\ngive it as metadata.name")]
    NoName(Kind),
    /// It does not say which container it means.
    #[error("the patch of {0} has a container without a name\ngive it as name beside resources")]
    NoContainerName(WorkloadId),
    /// It names a container twice.
    #[error("the patch of {workload} names container '{container}' twice\ntake one of them out")]
    Twice {
        /// Of which workload.
        workload: WorkloadId,
        /// Which.
        container: String,
    },
    /// There is no such workload.
    #[error("{0} is not there\nset its name right, and its namespace in metadata or by -n")]
    NoWorkload(WorkloadId),
    /// There is no such container.
    #[error("{workload} has no container '{container}', but {there}\nset its name right")]
    NoContainer {
        /// Of which workload.
        workload: WorkloadId,
        /// Which.
        container: String,
        /// Those that there are.
        there: String,
    },
}

/// The sizes of memory that a patch names, in its order; `namespace` is that of patches that do not tell theirs.
pub fn of_patch(patch: &Patch, namespace: &str) -> Result<Vec<PatchedSizes>, PatchError> {
    let id = workload(patch, namespace)?;
    let mut all: Vec<PatchedSizes> = Vec::new();
    let pod = &patch.spec.template.spec;
    for container in pod.containers.iter().chain(&pod.init_containers) {
        let name = &container.name;
        if name.is_empty() {
            return Err(PatchError::NoContainerName(id));
        }
        let Amounts { requests, limits } = &container.resources;
        let sizes = Sizes { request: requests.amount(), limit: limits.amount() };
        if sizes == Sizes::default() {
            continue;
        }
        if all.iter().any(|other| other.container == *name) {
            return Err(PatchError::Twice { workload: id, container: name.clone() });
        }
        all.push(PatchedSizes { workload: id.clone(), container: name.clone(), sizes });
    }
    Ok(all)
}

fn workload(patch: &Patch, namespace: &str) -> Result<WorkloadId, PatchError> {
    let Patch { api_version, kind, .. } = patch;
    let known = Kind::from_name(kind).filter(|_| api_version == "apps/v1");
    let kind =
        known.ok_or_else(|| PatchError::Kind { api_version: api_version.clone(), kind: kind.clone() })?;
    let Metadata { name, namespace: own } = &patch.metadata;
    if name.is_empty() {
        return Err(PatchError::NoName(kind));
    }
    let namespace = own.as_deref().unwrap_or(namespace).to_string();
    Ok(WorkloadId { namespace, kind, name: name.clone() })
}

impl Memory {
    fn amount(&self) -> Option<Quantity> {
        self.memory.as_ref().map(|Amount(amount)| amount.clone())
    }
}

impl PatchedSizes {
    /// What it comes to for the container that is there: a size that the patch does not name is the template's, and
    /// without a request the limit counts, as for Kubernetes. `None` where nothing is requested in the end.
    ///
    /// It says nothing of what the container needs: where nothing else is known, who wrote the limit answers for it, and
    /// it may not get less.
    pub fn recommended(
        &self,
        inventory: &Inventory,
        evidence: String,
    ) -> Result<Option<Recommended>, PatchError> {
        let PatchedSizes { workload, container, sizes } = self;
        let there = inventory.workloads.get(workload).ok_or(PatchError::NoWorkload(workload.clone()))?;
        let found = there.containers.iter().find(|there| there.name == *container);
        let Some(found) = found else {
            let names: Vec<&str> = there.containers.iter().map(|there| there.name.as_str()).collect();
            let (workload, container) = (workload.clone(), container.clone());
            return Err(PatchError::NoContainer { workload, container, there: names.join(", ") });
        };
        let limit = sizes.limit.as_ref().or(found.sizes.limit.as_ref());
        let request = sizes.request.as_ref().or(found.sizes.request.as_ref()).or(limit);
        Ok(request.map(|request| Recommended {
            workload: workload.clone(),
            container: container.clone(),
            request: request.clone(),
            limit: sizes.limit.clone(),
            floor_bytes: sizes.limit_bytes().unwrap_or(0),
            evidence,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures::{container, id, inventory, sizes, workload};
    use serde_json::{Value, json};

    fn read(document: Value) -> Result<Vec<PatchedSizes>, String> {
        let patch: Patch = serde_json::from_value(document).map_err(|error| error.to_string())?;
        of_patch(&patch, "shop").map_err(|error| error.to_string())
    }

    fn patch(kind: &str, containers: Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", "labels": {"a": "b"}},
            "spec": {"template": {"spec": {"containers": containers}}}})
    }

    #[test]
    fn sizes_are_read() {
        let check = |document: Value, expect: &[(&str, &str, Option<&str>, Option<&str>)]| {
            let read: Vec<_> = read(document.clone()).unwrap_or_else(|error| panic!("{document}: {error}"));
            let text = |size: &Option<Quantity>| size.as_ref().map(Quantity::to_string);
            let read: Vec<_> = read
                .iter()
                .map(|one| {
                    let (request, limit) = (text(&one.sizes.request), text(&one.sizes.limit));
                    (one.workload.to_string(), one.container.clone(), request, limit)
                })
                .collect();
            let some = |text: &Option<&str>| text.map(str::to_string);
            let expect: Vec<_> = expect
                .iter()
                .map(|(id, name, request, limit)| {
                    (id.to_string(), name.to_string(), some(request), some(limit))
                })
                .collect();
            assert_eq!(read, expect, "{document}");
        };
        check(
            patch(
                "Deployment",
                json!([
                    {"name": "app", "resources": {"requests": {"memory": "64Mi", "cpu": 1}, "limits": {"memory": "1.5G"}}},
                    {"name": "log", "resources": {"limits": {"memory": 134_217_728}}},
                    {"name": "other", "resources": {"requests": {"cpu": "100m"}}},
                    {"name": "bare", "image": "x"},
                ]),
            ),
            &[
                ("shop/Deployment/web", "app", Some("64Mi"), Some("1.5G")),
                ("shop/Deployment/web", "log", None, Some("134217728")),
            ],
        );
        check(patch("StatefulSet", json!([])), &[]);
        let mut other = patch("DaemonSet", json!([]));
        other["metadata"]["namespace"] = json!("infra");
        other["spec"]["template"]["spec"]["initContainers"] = json!([{"name": "mesh", "restartPolicy": "Always", "resources": {"requests": {"memory": "32Mi"}}}]);
        check(other, &[("infra/DaemonSet/web", "mesh", Some("32Mi"), None)]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let check = |document: Value, expect: &str| {
            let error = read(document.clone()).expect_err("an error");
            assert!(error.contains(expect), "{document}: {error}");
        };
        let memory =
            |name: &str, size: &str| json!({"name": name, "resources": {"limits": {"memory": size}}});
        check(patch("CronJob", json!([])), "'CronJob' of apiVersion 'apps/v1'");
        check(json!({"kind": "Deployment"}), "'Deployment' of apiVersion ''");
        check(json!({}), "''");
        check(json!({"apiVersion": "apps/v1", "kind": "DaemonSet"}), "DaemonSet has no name");
        check(patch("Deployment", json!([memory("", "64Mi")])), "without a name");
        check(patch("Deployment", json!([memory("app", "64MiB")])), "'64MiB' is no amount");
        let minus = json!([{"name": "app", "resources": {"limits": {"memory": -1}}}]);
        check(patch("Deployment", minus), "'-1' is no amount");
        let list = json!([{"name": "app", "resources": {"limits": {"memory": []}}}]);
        check(patch("Deployment", list), "an amount of memory, such as 512Mi");
        check(patch("Deployment", json!([memory("a", "1Gi"), memory("a", "2Gi")])), "'a' twice");
        for taken in [json!({"limits": {"memory": null}}), json!({"requests": null}), json!(null)] {
            let app = json!([{"name": "app", "resources": taken}]);
            check(patch("Deployment", app), "null takes the size away");
        }
    }

    #[test]
    fn what_a_patch_leaves_open_is_as_it_is_there() {
        let there =
            [container("app", "256Mi", "512Mi"), container("bare", "", ""), container("log", "64Mi", "")];
        let inventory = inventory([workload("web", 2, there.to_vec())]);
        let check = |name: &str, sizes: Sizes, expect: Result<Option<(&str, &str, u64)>, &str>| {
            let patched = PatchedSizes { workload: id("web"), container: name.into(), sizes };
            let comes_to = patched.recommended(&inventory, "as written".into());
            let comes_to = comes_to.map_err(|error| error.to_string());
            let text = |limit: &Option<Quantity>| limit.as_ref().map_or(String::new(), Quantity::to_string);
            match (&comes_to, expect) {
                (Ok(Some(one)), Ok(Some((request, limit, floor_mib)))) => {
                    let found = (one.request.to_string(), text(&one.limit), one.floor_bytes);
                    assert_eq!(found, (request.into(), limit.into(), floor_mib << 20), "{name}");
                }
                (Err(error), Err(expect)) => assert!(error.contains(expect), "{error}"),
                (found, expect) => assert!(*found == Ok(None) && expect == Ok(None), "{name}: {found:?}"),
            }
        };
        check("app", sizes("128Mi", "300Mi"), Ok(Some(("128Mi", "300Mi", 300))));
        check("app", sizes("128Mi", ""), Ok(Some(("128Mi", "", 0))));
        check("app", sizes("", "300Mi"), Ok(Some(("256Mi", "300Mi", 300))));
        check("bare", sizes("", "300Mi"), Ok(Some(("300Mi", "300Mi", 300))));
        check("bare", sizes("", ""), Ok(None));
        check("log", sizes("", ""), Ok(Some(("64Mi", "", 0))));
        check(
            "web",
            sizes("", "1Gi"),
            Err("shop/Deployment/web has no container 'web', but app, bare, log\n"),
        );
        let gone = PatchedSizes { workload: id("gone"), container: "app".into(), sizes: sizes("1Mi", "") };
        let error = gone.recommended(&inventory, String::new()).expect_err("it is gone").to_string();
        assert!(error.starts_with("shop/Deployment/gone is not there\n"), "{error}");
    }
}
