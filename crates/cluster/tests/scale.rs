//! What is set to have more pods, on a real API server: what is found, what is refused, and what somebody else changes meanwhile.

mod common;

use common::{cluster, deployment, namespace, runtime};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt};
use plimsoll_cluster::access::Access;
use plimsoll_cluster::act::{Done, Scaler, Way};
use plimsoll_core::capacity::booking::timeline::{Mark, Move, moved};
use plimsoll_core::inventory::Kind;
use plimsoll_real::cluster::Patch;
use serde_json::{Value, json};

async fn shop(name: &str) -> Client {
    namespace(name);
    let kubeconfig = Some(cluster().kubeconfig.clone());
    let client = Access { kubeconfig, context: None }.client().await.expect("a client");
    let api: Api<Deployment> = Api::namespaced(client.clone(), name);
    api.create(&PostParams::default(), &deployment("backend", 2)).await.expect("created");
    client
}

fn scaler(namespace: &str, way: Way, name: &str) -> Scaler {
    Scaler { way, namespace: namespace.into(), name: name.into(), context: None }
}

fn autoscale(namespace: &str, more: Value) {
    let target = json!({"type": "Utilization", "averageUtilization": 80});
    let mut object = json!({"metadata": {"name": "scaler"}, "spec": {
        "maxReplicas": 4, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "backend"},
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }});
    for (key, value) in more.as_object().into_iter().flatten() {
        object["metadata"][key] = value.clone();
    }
    let path = format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers");
    cluster().admin().post(&path, &object).created();
}

#[test]
fn what_is_found_is_set_unless_it_has_changed() {
    runtime().block_on(async {
        let client = shop("sets").await;
        autoscale("sets", json!({}));
        let least = scaler("sets", Way::Autoscaler, "scaler");
        let found = least.look(&client).await.expect("it is found");
        // Where it does not say, it keeps one.
        assert_eq!((found.set, found.most, found.mark), (1, 4, None));
        assert_eq!((found.workload.kind, found.workload.name.as_str()), (Kind::Deployment, "backend"));
        let up = moved(found.set, found.mark, 3, found.most);
        assert_eq!(least.set(&client, &found, up).await.expect("an answer"), Done::Yes);
        let again = least.look(&client).await.expect("it is found");
        let mark = Some(Mark { set: 3, from: 3, before: 1 });
        assert_eq!((again.set, again.mark), (3, mark), "what people had stands beside it");
        assert_eq!(
            least.set(&client, &found, up).await.expect("an answer"),
            Done::Gone,
            "it has changed since"
        );
        // People want more: that is what it goes back to.
        let path = "/apis/autoscaling/v2/namespaces/sets/horizontalpodautoscalers/scaler";
        cluster().admin().patch(path, Patch::Merge, &json!({"spec": {"minReplicas": 2}})).ok();
        let theirs = least.look(&client).await.expect("it is found");
        assert_eq!(moved(theirs.set, theirs.mark, 0, theirs.most), Move { to: 2, mark: None });
    });
}

#[test]
fn what_cannot_be_scaled_so_is_told_with_what_can() {
    runtime().block_on(async {
        let client = shop("refuses").await;
        let check = async |way: Way, name: &str, expect: &str, next: &str| {
            let refused = scaler("refuses", way, name).look(&client).await;
            let said = refused.expect_err("it is refused").to_string();
            assert!(said.contains(expect) && said.contains(next), "{said}");
        };
        let plain = || Way::Replicas(Kind::Deployment);
        check(plain(), "nobody", "it is not there", "check capacity.ahead").await;
        check(Way::Autoscaler, "scaler", "it is not there", "check capacity.ahead").await;
        // Their kinds are not installed in this cluster.
        let buffer = Way::Buffer(Kind::Deployment, "backend".into());
        check(buffer, "spare", "the cluster does not know CapacityBuffer", "install what brings it").await;
        check(Way::ScaledObject, "scaler", "does not know ScaledObject of keda.sh/v1alpha1", "install").await;
        autoscale("refuses", json!({}));
        check(plain(), "backend", "HorizontalPodAutoscaler 'scaler' scales it", "hpa: refuses/scaler").await;

        let client = shop("keda").await;
        let owner =
            json!([{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "load", "uid": "u"}]);
        autoscale("keda", json!({"ownerReferences": owner}));
        let refused = scaler("keda", plain(), "backend").look(&client).await.expect_err("it is refused");
        assert!(refused.to_string().contains("scaled_object: keda/load"), "{refused}");
    });
}

#[test]
fn pods_that_restart_are_found() {
    runtime().block_on(async {
        let client = shop("restarts").await;
        let plain = scaler("restarts", Way::Replicas(Kind::Deployment), "backend");
        common::eventually("two pods are ready", async || {
            plain.look(&client).await.expect("it is found").ready == 2
        })
        .await;
        let found = plain.look(&client).await.expect("it is found");
        assert_eq!((found.set, found.running), (2, 2));
        assert_eq!(plain.restarts(&client, &found).await.expect("an answer"), []);
        let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(client.clone(), "restarts");
        let pod = pods.list(&Default::default()).await.expect("pods").items.remove(0);
        let mut status = serde_json::to_value(&pod.status).expect("JSON");
        status["containerStatuses"][0]["restartCount"] = json!(1);
        let ended = json!({"exitCode": 137, "finishedAt": "2026-12-01T10:00:00Z"});
        status["containerStatuses"][0]["lastState"] = json!({ "terminated": ended });
        let path = format!("/api/v1/namespaces/restarts/pods/{}/status", pod.name_any());
        cluster().admin().patch(&path, Patch::Merge, &json!({ "status": status })).ok();
        let at_ms = "2026-12-01T10:00:00Z".parse::<jiff::Timestamp>().expect("a time").as_millisecond();
        assert_eq!(plain.restarts(&client, &found).await.expect("an answer"), [(pod.name_any(), at_ms)]);
    });
}
