//! Whom the cluster knows is let in, as a real API server says.

use crate::served::Served;
use crate::{Place, SCHEDULE, common, ten};
use plimsoll_real::cluster::manifests::documents;
use plimsoll_real::cluster::{Client, Cluster, Options, User};
use plimsoll_real::eventually;
use serde_json::json;

const AUDIENCE: &str = "plimsoll.example";
/// Who asks the cluster whose a token is.
const SERVER: &str = "server";

/// Has the roles that `plimsoll crd --rbac serve` prints.
fn grant(admin: &Client) {
    let printed = std::process::Command::new(common::PLIMSOLL).args(["crd", "--rbac", "tokens"]).output();
    let text = String::from_utf8(printed.expect("plimsoll starts").stdout).expect("text");
    documents(&text).iter().for_each(|manifest| drop(admin.apply(manifest).ok()));
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": SERVER},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "plimsoll-tokens"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": SERVER}],
    });
    admin.apply(&binding).ok();
}

/// A token of a service account, by the TokenRequest API.
fn token(admin: &Client, namespace: &str, audience: &str) -> String {
    let base = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    admin.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}})).created();
    admin.post(&base, &json!({"metadata": {"name": "bot"}})).created();
    let request = json!({"spec": {"audiences": [audience], "expirationSeconds": 600}});
    let answer = admin.post(&format!("{base}/bot/token"), &request).ok();
    answer["status"]["token"].as_str().expect("a token").to_string()
}

#[test]
fn whom_the_cluster_knows_may_what_our_file_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let users = vec![User::new("server-token", SERVER, &[])];
    let options = Options { users, audit: true, ..Options::default() };
    let cluster = Cluster::start_with(folder.path(), &[], &options);
    let admin = cluster.admin();
    let [ours, elsewhere] = [AUDIENCE, "another.example"].map(|audience| token(&admin, "lab", audience));
    let [watcher, stranger] = ["monitoring", "far-away"].map(|namespace| token(&admin, namespace, AUDIENCE));

    let place = Place::new("");
    let (entry, known) = place.token("ann", "admin");
    let file = folder.path().join("tokens.yaml");
    let rules = json!({
        "audience": AUDIENCE,
        "users": {"system:serviceaccount:lab:bot": "reserve"}, "groups": {"system:serviceaccounts:monitoring": "read"},
    });
    std::fs::write(&file, json!({"tokens": [entry], "kubernetes": rules}).to_string()).expect("tokens");
    let kubeconfig = cluster.kubeconfig_for(SERVER, "server-token").display().to_string();
    let more = ["--tokens", &file.display().to_string()];
    let served = Served::start_in(&[("KUBECONFIG", &kubeconfig)], &place.sqlite(), &place.config(), &more);
    let ask = |token: &str, method: &str| {
        let body = (method == "POST").then(|| ten(30).to_string());
        let answer = served.ask_as(token, method, SCHEDULE, body);
        (answer.status, answer.body)
    };
    // Until it may ask, nobody knows, which is not the same as nobody's.
    assert_eq!(ask(&ours, "GET").0, 503);
    grant(&admin);
    eventually(|| ask(&ours, "GET").0 == 200);
    let (status, made) = ask(&ours, "POST");
    assert_eq!(
        (status, &made["reservation"]["owner"]),
        (201, &json!("system:serviceaccount:lab:bot")),
        "{made}"
    );
    assert_eq!(ask(&watcher, "GET").0, 200);
    assert_eq!(ask(&watcher, "POST").0, 403);
    let (status, said) = ask(&stranger, "GET");
    assert_eq!(
        (status, &said["detail"]),
        (403, &json!("'system:serviceaccount:far-away:bot' may do nothing here"))
    );
    assert_eq!(ask(&elsewhere, "GET").0, 401);
    assert_eq!(ask("no-token-of-anybody", "GET").0, 401);
    assert_eq!(ask(&known, "GET").0, 200);
    // Asked again within a minute the cluster is not.
    let reviews = || {
        let asked = cluster.asked(SERVER);
        assert!(
            asked.iter().all(|it| (it.kind.as_str(), it.verb.as_str()) == ("tokenreviews", "create")),
            "{asked:?}"
        );
        asked.iter().filter(|it| it.is_allowed).count()
    };
    let before = reviews();
    (0..20).for_each(|_| assert_eq!(ask(&ours, "GET").0, 200));
    assert_eq!(reviews(), before);
    assert_eq!(before, 5, "each token once");
}
