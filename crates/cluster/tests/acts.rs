//! What this crate does to a cluster, done to a real API server: kubelets are played by kwok, all else is Kubernetes.

mod common;

use common::{cluster, deployment, eventually, namespace, runtime};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::{Client, ResourceExt};
use plimsoll_cluster::act::{self, Done};
use plimsoll_cluster::journal::{self, Journal};
use plimsoll_cluster::lease::{Asked, Lease};
use plimsoll_cluster::watch::Watch;
use plimsoll_cluster::{abilities, access::Access};
use plimsoll_core::inventory::autoscaler::{Amount, MemoryTarget};
use plimsoll_core::inventory::quantity::Quantity;
use plimsoll_core::inventory::{Abilities, Hand, Inventory, Kind, Sizes, WorkloadId};
use plimsoll_real::cluster::Patch;
use std::time::Duration;

fn sizes(request: &str, limit: &str) -> Sizes {
    let of = |text: &str| Quantity::try_from(text.to_string()).ok();
    Sizes { request: of(request), limit: of(limit) }
}

async fn client() -> Client {
    let kubeconfig = Some(cluster().kubeconfig.clone());
    Access { kubeconfig, context: None }.client().await.expect("a client")
}

async fn seen(client: &Client, namespace: &str) -> Inventory {
    let watch = Watch::start(client, Some(namespace)).await.expect("a watch");
    let synced = watch.synced(Duration::from_secs(20)).await.expect("synced");
    synced.inventory(0, Abilities::default())
}

async fn deploy(client: &Client, namespace: &str, name: &str, replicas: u32) -> WorkloadId {
    let api: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    api.create(&PostParams::default(), &deployment(name, replicas)).await.expect("created");
    let id = WorkloadId { namespace: namespace.into(), kind: Kind::Deployment, name: name.into() };
    eventually("pods ready", async || {
        let inventory = seen(client, namespace).await;
        inventory.workloads[&id].is_settled
    })
    .await;
    id
}

async fn pod_sizes(client: &Client, namespace: &str) -> Vec<(String, Sizes, Option<Sizes>)> {
    let inventory = seen(client, namespace).await;
    let pods = inventory.pods.values().filter(|pod| !pod.is_leaving);
    let containers = pods.flat_map(|pod| &pod.containers);
    containers.map(|one| (one.name.clone(), one.desired.clone(), one.actual.clone())).collect()
}

#[test]
fn what_runs_is_read() {
    runtime().block_on(async {
        let client = client().await;
        namespace("reads");
        let id = deploy(&client, "reads", "web", 2).await;
        let autoscaler = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "web"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "minReplicas": 2, "maxReplicas": 4,
                "metrics": [{"type": "Resource", "resource":
                    {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 75}}}],
            },
        }));
        let api: Api<k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler> =
            Api::namespaced(client.clone(), "reads");
        api.create(&PostParams::default(), &autoscaler.expect("an autoscaler")).await.expect("created");

        let inventory = seen(&client, "reads").await;
        let workload = &inventory.workloads[&id];
        assert_eq!((workload.replicas, workload.max_unavailable, workload.is_settled), (2, 0, true));
        // Another test's nodes may be among them.
        let Some(Hand::MemoryAutoscaler(read)) = workload.hands.first() else { panic!("{workload:?}") };
        assert_eq!((read.name.as_str(), read.min_replicas, read.max_replicas), ("web", 2, 4));
        assert_eq!(read.targets, [MemoryTarget { container: None, amount: Amount::Percent(75) }]);
        let app = &workload.containers[0];
        assert_eq!((app.name.as_str(), &app.sizes), ("app", &sizes("512Mi", "1Gi")));
        assert_eq!(app.fixed_bounds, ["NODE_OPTIONS=--max-old-space-size=700"]);
        let pods: Vec<_> = inventory.pods.values().collect();
        assert_eq!(pods.len(), 2);
        for pod in pods {
            assert_eq!((pod.workload.as_ref(), pod.is_ready, pod.resize.as_ref()), (Some(&id), true, None));
            assert_eq!(pod.containers[0].actual, Some(sizes("512Mi", "1Gi")));
        }
        assert!(inventory.nodes.values().all(|node| node.is_ready && node.allocatable_bytes > 1 << 30));
        let can = abilities::abilities(&client, Some("reads")).await.expect("abilities");
        assert_eq!(can, Abilities { in_place: true, admission_policy: true });
    });
}

#[test]
fn a_pod_is_resized_in_place() {
    runtime().block_on(async {
        let client = client().await;
        namespace("resizes");
        deploy(&client, "resizes", "web", 1).await;
        let inventory = seen(&client, "resizes").await;
        let ((_, name), pod) = inventory.pods.first_key_value().expect("a pod");
        let small =
            [("app".to_string(), sizes("96Mi", "128Mi")), ("proxy".to_string(), sizes("16Mi", "32Mi"))];
        let now = [("app".to_string(), sizes("512Mi", "1024Mi")), ("proxy".to_string(), sizes("64Mi", ""))];
        let resize = async |uid, from| {
            act::resize_pod(&client, ("resizes", name, uid), from, &small).await.expect("an answer")
        };
        assert_eq!(resize("another", &now).await, Done::Gone, "it is another pod");
        assert_eq!(resize(&pod.uid, &small).await, Done::Gone, "somebody else has resized it");
        assert_eq!(resize(&pod.uid, &now).await, Done::Yes);
        eventually("the status follows, of the sidecar too", async || {
            let all = pod_sizes(&client, "resizes").await;
            all.iter().all(|(name, _, actual)| {
                let expect = small.iter().find(|(sized, _)| sized == name).map(|(_, sizes)| sizes);
                actual.as_ref() == expect
            })
        })
        .await;
        let again = seen(&client, "resizes").await;
        assert!(again.pods.values().all(|pod| pod.containers.iter().all(|one| one.restarts == 0)));
    });
}

#[test]
fn new_pods_are_sized_on_admission_and_the_template_stays() {
    runtime().block_on(async {
        let client = client().await;
        namespace("admits");
        act::install(&client).await.expect("installed");
        act::install(&client).await.expect("installed once more");
        let web = deploy(&client, "admits", "web", 2).await;
        let other = deploy(&client, "admits", "web-2", 1).await;
        let template = seen(&client, "admits").await.workloads[&web].clone();
        let change = [
            ("app".to_string(), sizes("512Mi", "1Gi"), sizes("96Mi", "128Mi")),
            ("proxy".to_string(), sizes("64Mi", ""), sizes("16Mi", "")),
        ];
        assert_eq!(act::size_new_pods(&client, "p1", &web, &change).await.expect("applied"), Done::Yes);
        let replaced = async |expect: (Sizes, Sizes), of: &WorkloadId| {
            eventually("new pods", async || {
                let pods: Api<Pod> = Api::namespaced(client.clone(), "admits");
                let labels = ListParams::default().labels(&format!("app={}", of.name));
                for pod in pods.list(&labels).await.expect("pods") {
                    let _ = pods.delete(&pod.name_any(), &DeleteParams::default()).await;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
                let inventory = seen(&client, "admits").await;
                let mut ours =
                    inventory.pods.values().filter(|pod| pod.workload.as_ref() == Some(of)).peekable();
                let all_are = |pod: &plimsoll_core::inventory::Pod| {
                    let of = |name: &str| {
                        pod.containers.iter().find(|one| one.name == name).map(|one| &one.desired)
                    };
                    of("app") == Some(&expect.0) && of("proxy") == Some(&expect.1)
                };
                ours.peek().is_some() && ours.all(all_are)
            })
            .await;
        };
        replaced((sizes("96Mi", "128Mi"), sizes("16Mi", "")), &web).await;
        replaced((sizes("512Mi", "1Gi"), sizes("64Mi", "")), &other).await;
        let now = seen(&client, "admits").await.workloads[&web].clone();
        assert_eq!((now.generation, &now.containers), (template.generation, &template.containers));

        // Somebody deploys other sizes: the template wins.
        let theirs = [("app".to_string(), sizes("600Mi", "1Gi"))];
        eventually("their sizes", async || {
            let done = act::set_template(&client, &web, (&now.uid, now.generation), &theirs).await;
            done.expect("an answer") == Done::Yes
        })
        .await;
        replaced((sizes("600Mi", "1Gi"), sizes("64Mi", "")), &web).await;
        assert_eq!(act::leave_new_pods(&client, &web).await.expect("deleted"), Done::Yes);
        assert_eq!(act::leave_new_pods(&client, &web).await.expect("deleted once more"), Done::Gone);
    });
}

#[test]
fn nodes_that_do_not_resize_are_read() {
    runtime().block_on(async {
        let client = client().await;
        namespace("nodes");
        let id = deploy(&client, "nodes", "web", 2).await;
        let admin = cluster().admin();
        let hands = async || seen(&client, "nodes").await.workloads[&id].hands.clone();
        assert_eq!(hands().await, []);
        let told = |label: serde_json::Value, swap: serde_json::Value| {
            for node in ["one", "two"] {
                let labels = serde_json::json!({"metadata": {"labels": label}});
                admin.patch(&format!("/api/v1/nodes/{node}"), Patch::Merge, &labels).ok();
                let info = serde_json::json!({"status": {"nodeInfo": {"swap": {"capacity": swap}}}});
                admin.patch(&format!("/api/v1/nodes/{node}/status"), Patch::Merge, &info).ok();
            }
        };
        let (memory_manager, swap) = ("plimsoll.dev/memory-manager", "plimsoll.dev/swap");
        told(serde_json::json!({memory_manager: "static"}), (1u64 << 30).into());
        let inventory = seen(&client, "nodes").await;
        let nodes: std::collections::BTreeSet<_> =
            inventory.pods.values().filter_map(|pod| pod.node.clone()).collect();
        let first = nodes.first().expect("a node").clone();
        assert_eq!(hands().await, [Hand::StaticManager(first.clone()), Hand::Swap(first)]);
        told(serde_json::json!({memory_manager: null, swap: "none"}), (1u64 << 30).into());
        assert_eq!(hands().await, []);
        told(serde_json::json!({swap: null}), 0.into());
        assert_eq!(hands().await, []);
    });
}

#[test]
fn a_template_comes_back_to_the_byte() {
    runtime().block_on(async {
        let client = client().await;
        namespace("templates");
        let id = deploy(&client, "templates", "web", 1).await;
        let api: Api<Deployment> = Api::namespaced(client.clone(), "templates");
        let before = api.get("web").await.expect("the deployment");
        let first = seen(&client, "templates").await.workloads[&id].template_hash;
        let uid = before.uid().expect("a uid");
        let set = async |containers: [(&str, Sizes); 2]| {
            let containers = containers.map(|(name, sizes)| (name.to_string(), sizes));
            // The server's own controllers write to it too: what crosses is dropped, and asked for again.
            for _ in 0..20 {
                let generation = api.get("web").await.expect("it is there").metadata.generation.unwrap_or(0);
                let done = act::set_template(&client, &id, (&uid, generation), &containers).await;
                if done.expect("an answer") == Done::Yes {
                    return Done::Yes;
                }
            }
            Done::Gone
        };
        assert_eq!(set([("app", sizes("96Mi", "128Mi")), ("proxy", sizes("16Mi", "32Mi"))]).await, Done::Yes);
        let changed = api.get("web").await.expect("the deployment");
        assert_ne!(changed.spec, before.spec);
        // What we change ourselves is no other template, nor is another number of pods.
        let hash = async || seen(&client, "templates").await.workloads[&id].template_hash;
        assert_eq!(hash().await, first);
        let path = "/apis/apps/v1/namespaces/templates/deployments/web";
        cluster().admin().patch(path, Patch::Merge, &serde_json::json!({"spec": {"replicas": 2}})).ok();
        assert_eq!(hash().await, first);
        cluster().admin().patch(path, Patch::Merge, &serde_json::json!({"spec": {"replicas": 1}})).ok();
        // The sidecar had no limit.
        assert_eq!(set([("app", sizes("512Mi", "1Gi")), ("proxy", sizes("64Mi", ""))]).await, Done::Yes);
        let after = api.get("web").await.expect("the deployment");
        let text = |object: &Deployment| serde_json::to_string(&object.spec).expect("JSON");
        assert_eq!(text(&after), text(&before));
        assert_eq!(hash().await, first);
        // As `kubectl rollout restart` has it.
        let restarted = serde_json::json!({"kubectl.kubernetes.io/restartedAt": "2026-11-25T00:00:00Z"});
        let restarted = serde_json::json!({"spec": {"template": {"metadata": {"annotations": restarted}}}});
        cluster().admin().patch(path, Patch::Merge, &restarted).ok();
        assert_ne!(hash().await, first);
        for other in [("another", 3), (uid.as_str(), 1)] {
            let gone = act::set_template(&client, &id, other, &[("app".into(), sizes("1Mi", "1Mi"))]).await;
            assert_eq!(gone.expect("an answer"), Done::Gone);
        }
    });
}

#[test]
fn of_two_one_holds_the_lease_and_of_two_writers_one_is_told() {
    runtime().block_on(async {
        let client = client().await;
        journal::home(&client).await.expect("a namespace");
        let Asked::Ours(mut ours) = Lease::ask(&client, "apply", "me").await.expect("an answer") else {
            panic!("nobody else is there")
        };
        let holding = tokio::spawn(async move {
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                ours.renew().await.expect("still ours");
            }
            ours.release().await.expect("released");
        });
        match Lease::ask(&client, "apply", "you").await.expect("an answer") {
            Asked::Held(holder) => assert_eq!(holder, "me"),
            Asked::Ours(_) => panic!("it is held"),
        }
        holding.await.expect("held to the end");
        let Asked::Ours(_) = Lease::ask(&client, "apply", "you").await.expect("an answer") else {
            panic!("it was given back")
        };

        let mut first = Journal::new(&client, "p1");
        first.write("begun").await.expect("written");
        let (mut second, text) = Journal::open(&client, "p1").await.expect("an answer").expect("it is there");
        assert_eq!(text, "begun");
        second.write("half").await.expect("written");
        assert!(
            first.write("other").await.expect_err("it has moved on").to_string().contains("somebody else")
        );
        let all = async || journal::all(&client).await.expect("all");
        let text = |revision, text: &str| journal::Text { id: "p1".into(), revision, text: text.to_string() };
        assert_eq!(all().await, [text(2, "half")]);

        // A write came through and was not answered: it goes on from there.
        let mut unanswered = second.clone();
        unanswered.write("more").await.expect("written");
        second.write("all").await.expect("its own");
        assert_eq!(all().await, [text(4, "all")]);

        // A copy that had come further is followed; a text that somebody took out is seen to be.
        second.follow(9);
        second.write("").await.expect("written");
        assert_eq!(all().await, [text(10, "")]);
    });
}
