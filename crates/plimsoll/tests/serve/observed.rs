//! Pods are observed: by scraping them, and from a real Prometheus that scrapes them.

use crate::Place;
use crate::pods::Pod;
use crate::served::Served;
use plimsoll_real::eventually;
use serde_json::{Value, json};

const STATUS: &str = "/api/capacity/status";

fn used(served: &Served) -> Value {
    served.get(STATUS).body["used"].clone()
}

/// How it stands with one who is asked.
fn error_of(served: &Served, target: &str) -> Option<Value> {
    let status = served.get(STATUS).body;
    let found =
        status["observe"].as_array().expect("a list").iter().find(|it| it["target"] == target).cloned();
    found.map(|it| it["error"].clone())
}

#[test]
fn pods_are_scraped_and_what_is_not_known_is_not_nothing() {
    let (one, other) = (Pod::serve(&Pod::page(200, 12, 2)), Pod::serve(&Pod::page(150, 3, 1)));
    let config =
        format!("capacity: {{observe: {{scrape: ['{}', '{}'], every: 1s}}}}", one.url(), other.url());
    let place = Place::new(&config);
    let replicas = [place.serve(&[]), place.serve(&[])];
    let served = &replicas[0];
    eventually(|| used(served)["pods"].as_array().map(Vec::len) == Some(2));
    let now = used(served);
    assert_eq!(
        (&now["memory_bytes"], &now["memory_mb"], &now["roles"]),
        (
            &json!(350_000_000),
            &json!(350.0),
            &json!({"participant_video": 15, "participant_no_video": 0, "experimenter": 3})
        ),
        "{now}"
    );
    let pod = now["pods"]
        .as_array()
        .expect("pods")
        .iter()
        .find(|pod| pod["pod"] == one.name().as_str())
        .expect("it");
    assert_eq!(
        (&pod["version"], &pod["memory_mb"], &pod["connections"]),
        (&json!("1.4.2"), &json!(200.0), &json!(14)),
        "{pod}"
    );
    // Both replicas ask at the same moments, and of each one is kept.
    let points = served.get("/api/capacity/profiling/data?hours=1").body;
    let mut moments: Vec<(&Value, &Value)> =
        points["points"].as_array().expect("points").iter().map(|it| (&it["at"], &it["pod"])).collect();
    let count = moments.len();
    moments.dedup();
    assert_eq!(moments.len(), count, "{points}");

    // Memory that is not shown is not known, and neither is the sum.
    let page = Pod::page(150, 3, 1);
    other.show(&page.replace("process_resident_memory_bytes ", "process_other_bytes "));
    eventually(|| used(served)["memory_bytes"].is_null());
    assert_eq!(used(served)["roles"]["participant_video"], 15);

    // A role that is gone is not nobody: that is no observation.
    other.show(&page.replace("{role=\"experimenter\"", "{role=\"experimenters\""));
    let gone = "hyperstudy_active_users_online has no experimenter any more: a role that nobody has is to be shown as 0";
    eventually(|| error_of(served, &other.url()) == Some(json!(gone)));
    assert_eq!(error_of(served, &one.url()), Some(Value::Null));
    other.show("<html>");
    let html = "its metrics are not understood: line 1: it begins with no name of a metric";
    eventually(|| error_of(served, &other.url()) == Some(json!(html)));
    other.show(&" ".repeat((4 << 20) + 1));
    eventually(|| {
        error_of(served, &other.url()) == Some(json!("the answer broke off: more than 4194304 bytes came"))
    });
    other.show(&page);
    eventually(|| used(served)["memory_bytes"] == 350_000_000);
    let (url, name) = (other.url(), other.name());
    drop(other);
    eventually(|| error_of(served, &url).is_some_and(|error| error.is_string()));
    let last =
        |pods: &Value| pods.as_array().expect("pods").iter().find(|it| it["pod"] == name.as_str()).cloned();
    assert_eq!(last(&used(served)["pods"]).expect("it was seen lately")["memory_mb"], 150.0);
}

#[test]
fn what_a_prometheus_has_collected_is_taken_from_it() {
    let (one, other) = (Pod::serve(&Pod::page(200, 12, 2)), Pod::serve(&Pod::page(150, 3, 1)));
    let folder = tempfile::tempdir().expect("a folder");
    let targets = [(&one, "backend-0"), (&other, "backend-1")];
    let prometheus = Pod::collected(folder.path(), &targets, &[]);
    let config = format!("capacity: {{observe: {{prometheus: '{}', every: 1s}}}}", prometheus.url);
    let place = Place::new(&config);
    let served = place.serve(&[]);
    eventually(|| used(&served)["pods"].as_array().map(Vec::len) == Some(2));
    let now = used(&served);
    assert_eq!(now["roles"]["experimenter"], 3, "{now}");
    assert_eq!(now["pods"][0]["pod"], "backend-0", "{now}");
    assert_eq!((&now["memory_mb"], &now["pods"][1]["version"]), (&json!(350.0), &json!("1.4.2")), "{now}");
    one.show(&Pod::page(230, 14, 2));
    eventually(|| used(&served)["pods"][0]["memory_mb"] == 230.0);
    // The Prometheus itself is no pod of the app, and what it does not know is said.
    assert_eq!(error_of(&served, &prometheus.url), Some(Value::Null));
    one.show(&Pod::page(230, 14, 2).replace("role=\"experimenter\"", "role=\"2nd\""));
    eventually(|| {
        let error = error_of(&served, "pod backend-0");
        error.is_some_and(|error| error.as_str().is_some_and(|text| text.contains("not a name")))
    });
    let url = prometheus.url.clone();
    drop(prometheus);
    eventually(|| error_of(&served, &url).is_some_and(|error| error.is_string()));
}
