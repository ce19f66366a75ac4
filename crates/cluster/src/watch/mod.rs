//! Follows a cluster: each kind of object is listed in pages, then watched; whatever is not used is dropped on arrival.
//!
//! A [`Watch`] knows nothing yet; only a [`Synced`] one, of which everything was listed once, can be read. Expired watches,
//! an API server that comes and goes and lost connections are listed anew, with growing pauses.

mod pods;
mod sight;
mod strip;
mod template;

use crate::ClusterError;
use crate::kinds::{MemoryPolicy, MemorySize, vertical_autoscaler};
use futures_util::{Stream, StreamExt};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{LimitRange, Node, Pod, ResourceQuota};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
pub(crate) use pods::Pods;
use serde::de::DeserializeOwned;
pub(crate) use sight::Pauses;
use sight::Sight;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
#[cfg(test)]
pub(crate) use strip::node as stripped_node;
pub(crate) use template::noted as template_hash;
use tokio::task::JoinSet;

/// Objects in a page of a list.
const PAGE: u32 = 500;

/// Kinds of which a change may ask for an answer at once, as the API calls them.
const PROMPT: [&str; 6] =
    ["deployments", "statefulsets", "daemonsets", "pods", "memorysizes", "memorypolicies"];

/// What is watched, of one or all namespaces.
pub struct Watch {
    stores: Stores,
    tasks: Tasks,
}

/// What follows, and how well it sees.
#[derive(Default)]
struct Tasks {
    all: JoinSet<()>,
    sight: Arc<Sight>,
    /// How many changes of what may ask for an answer were seen.
    changes: Arc<AtomicU64>,
}

/// A watch of which everything was listed once.
pub struct Synced(Watch);

/// What was seen last of each kind.
pub(crate) struct Stores {
    pub deployments: Store<Deployment>,
    pub stateful_sets: Store<StatefulSet>,
    pub daemon_sets: Store<DaemonSet>,
    pub replica_sets: Store<ReplicaSet>,
    pub pods: Pods,
    pub nodes: Store<Node>,
    pub quotas: Store<ResourceQuota>,
    pub limit_ranges: Store<LimitRange>,
    pub disruption_budgets: Store<PodDisruptionBudget>,
    pub autoscalers: Store<HorizontalPodAutoscaler>,
    /// `None` where the cluster has no such kind.
    pub vertical_autoscalers: Option<Store<DynamicObject>>,
    /// Likewise.
    pub memory_sizes: Option<Store<MemorySize>>,
    /// Likewise.
    pub memory_policies: Option<Store<MemoryPolicy>>,
}

impl Watch {
    /// Begins to follow one namespace, or all; nodes always. It ends when it is dropped.
    pub async fn start(client: &Client, namespace: Option<&str>) -> Result<Watch, ClusterError> {
        let mut tasks = Tasks::default();
        let vertical = vertical_autoscaler();
        let vertical = has(client, &vertical).await?.then_some(vertical);
        let has_sizes = has(client, &ApiResource::erase::<MemorySize>(&())).await?;
        let has_policies = has(client, &ApiResource::erase::<MemoryPolicy>(&())).await?;
        let stores = Stores {
            deployments: follow(&mut tasks, api(client, namespace), (), strip::deployment),
            stateful_sets: follow(&mut tasks, api(client, namespace), (), strip::stateful_set),
            daemon_sets: follow(&mut tasks, api(client, namespace), (), strip::daemon_set),
            replica_sets: follow(&mut tasks, api(client, namespace), (), strip::replica_set),
            pods: follow_pods(&mut tasks, api(client, namespace)),
            nodes: follow(&mut tasks, Api::all(client.clone()), (), strip::node),
            quotas: follow(&mut tasks, api(client, namespace), (), strip::metadata),
            limit_ranges: follow(&mut tasks, api(client, namespace), (), strip::metadata),
            disruption_budgets: follow(&mut tasks, api(client, namespace), (), strip::metadata),
            autoscalers: follow(&mut tasks, api(client, namespace), (), strip::autoscaler),
            vertical_autoscalers: vertical.map(|kind| {
                let all = match namespace {
                    Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
                    None => Api::all_with(client.clone(), &kind),
                };
                follow(&mut tasks, all, kind, strip::metadata)
            }),
            memory_sizes: has_sizes.then(|| follow(&mut tasks, api(client, namespace), (), strip::metadata)),
            memory_policies: has_policies
                .then(|| follow(&mut tasks, api(client, namespace), (), strip::metadata)),
        };
        Ok(Watch { stores, tasks })
    }

    /// Waits until everything was listed once; what may not be listed is an error at once.
    pub async fn synced(self, within: Duration) -> Result<Synced, ClusterError> {
        tokio::select! {
            error = self.tasks.sight.refused() => Err(error),
            listed = self.listed(within) => listed.map(|()| Synced(self)),
        }
    }

    async fn listed(&self, within: Duration) -> Result<(), ClusterError> {
        let stores = &self.stores;
        let missing = |what: &str| ClusterError::NotSynced(what.to_string(), within.as_secs());
        let until = tokio::time::Instant::now() + within;
        macro_rules! wait {
            ($($store:expr => $what:literal),* $(,)?) => {$(
                let ready = tokio::time::timeout_at(until, $store.wait_until_ready()).await;
                ready.map_err(|_| missing($what))?.map_err(|_| missing($what))?;
            )*};
        }
        wait! {
            stores.deployments => "deployments",
            stores.stateful_sets => "stateful sets",
            stores.daemon_sets => "daemon sets",
            stores.replica_sets => "replica sets",
            stores.nodes => "nodes",
            stores.quotas => "resource quotas",
            stores.limit_ranges => "limit ranges",
            stores.disruption_budgets => "pod disruption budgets",
            stores.autoscalers => "horizontal pod autoscalers",
        }
        let listed = tokio::time::timeout_at(until, stores.pods.wait_until_listed()).await;
        if listed != Ok(true) {
            return Err(missing("pods"));
        }
        if let Some(store) = &stores.vertical_autoscalers {
            wait!(store => "vertical pod autoscalers");
        }
        if let Some(store) = &stores.memory_sizes {
            wait!(store => "memory sizes");
        }
        if let Some(store) = &stores.memory_policies {
            wait!(store => "memory policies");
        }
        Ok(())
    }
}

impl Synced {
    pub(crate) fn stores(&self) -> &Stores {
        &self.0.stores
    }

    /// Takes over from one that broke what cannot be listed any more.
    pub fn after(self, before: &Synced) -> Synced {
        self.stores().pods.take_over(&before.stores().pods);
        self
    }

    /// Whether the cluster had our kinds when this began.
    pub fn has_our_kinds(&self) -> bool {
        self.stores().memory_sizes.is_some() && self.stores().memory_policies.is_some()
    }

    /// Whether the cluster had VerticalPodAutoscalers when this began.
    pub fn has_vertical_autoscalers(&self) -> bool {
        self.stores().vertical_autoscalers.is_some()
    }

    /// Another number whenever something has changed that may ask for an answer before the next decision: pods, workloads,
    /// and what our own objects say.
    pub fn changes(&self) -> u64 {
        self.0.tasks.changes.load(Ordering::Acquire)
    }

    /// Whether what is seen is so now: no kind is out of sight because its watch has broken and is not back yet.
    pub fn is_fresh(&self) -> bool {
        self.0.tasks.sight.is_clear()
    }
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = kube::core::NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn follow<K>(tasks: &mut Tasks, api: Api<K>, kind: K::DynamicType, strip: fn(&mut K)) -> Store<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    K::DynamicType: Eq + Hash + Clone + Send + Sync,
{
    let what = K::plural(&kind).into_owned();
    let writer = reflector::store::Writer::<K>::new(kind);
    let store = writer.as_reader();
    let objects = watcher(api, config()).backoff(Pauses::default()).modify(strip).reflect(writer);
    tasks.spawn(what, objects, drop);
    store
}

fn follow_pods(tasks: &mut Tasks, api: Api<Pod>) -> Pods {
    let pods = Pods::new();
    let noticed = pods.clone();
    let objects = watcher(api, config()).backoff(Pauses::default());
    tasks.spawn("pods".to_string(), objects, move |event| noticed.notice(event, Instant::now()));
    pods
}

fn config() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

impl Tasks {
    /// Follows what comes of a kind until it is dropped. After an error the watcher pauses and lists anew.
    fn spawn<K: Send + 'static>(
        &mut self,
        what: String,
        objects: impl Stream<Item = Result<watcher::Event<K>, watcher::Error>> + Send + 'static,
        mut notice: impl FnMut(watcher::Event<K>) + Send + 'static,
    ) {
        let (sight, changes) = (self.sight.clone(), self.changes.clone());
        let step = u64::from(PROMPT.contains(&what.as_str()));
        self.all.spawn(async move {
            let mut objects = std::pin::pin!(objects);
            while let Some(event) = objects.next().await {
                match event {
                    Ok(event) => {
                        notice(event);
                        changes.fetch_add(step, Ordering::Release);
                    }
                    Err(error) => sight.lose(&what, error),
                }
            }
        });
    }
}

/// Whether the cluster has this kind.
async fn has(client: &Client, kind: &ApiResource) -> Result<bool, ClusterError> {
    match client.list_api_group_resources(&kind.api_version).await {
        Ok(list) => Ok(list.resources.iter().any(|known| known.kind == kind.kind)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(ClusterError::of(&format!("the kinds of {}", kind.api_version), error)),
    }
}
