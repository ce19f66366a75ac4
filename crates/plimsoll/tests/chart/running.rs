//! The binary as the chart starts it: with the arguments, files and variables of a pod's container, and with what its account may.
//! No container runs in this cluster, so it runs here.

use crate::common::PLIMSOLL;
use crate::common::cluster::{eventually, said};
use crate::harbour::{Harbour, policy};
use crate::helm::{NAMESPACE, chart, rendered};
use plimsoll_real::cluster::manifests::path;
use plimsoll_real::free_port;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A process of ours, killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A token of an account, by the TokenRequest API.
fn token(harbour: &Harbour, account: &str, audience: Option<&str>) -> String {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token");
    let audiences: Vec<&str> = audience.into_iter().collect();
    let answer = harbour.admin.post(&path, &json!({"spec": {"audiences": audiences}})).ok();
    answer["status"]["token"].as_str().expect("a token").to_string()
}

/// The container of a pod as a command, at a port of its own: its files are written to a folder, where its arguments then find them.
struct Pod<'a> {
    harbour: &'a Harbour,
    folder: tempfile::TempDir,
    port: u16,
}

impl Pod<'_> {
    fn of(harbour: &Harbour) -> Pod<'_> {
        Pod { harbour, folder: tempfile::tempdir().expect("a folder"), port: free_port() }
    }

    fn here(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    /// An argument or a variable, with its paths and its address here.
    fn local(&self, text: &str) -> String {
        let folder = self.folder.path().display();
        let text =
            text.replace("=/etc/", &format!("={folder}/etc/")).replace("=/var/", &format!("={folder}/var/"));
        let ports = ["0.0.0.0:7676", "0.0.0.0:9477", "plimsoll-serve:7676"];
        ports.iter().fold(text, |text, port| text.replace(port, &format!("127.0.0.1:{}", self.port)))
    }

    /// Writes the files of its volumes, and makes the folders of those that may be written.
    fn mount(&self, spec: &Value, audience_token: Option<&str>) {
        for mount in spec["containers"][0]["volumeMounts"].as_array().into_iter().flatten() {
            let at = self.here(mount["mountPath"].as_str().expect("a path"));
            std::fs::create_dir_all(&at).expect("a folder");
            let volumes = spec["volumes"].as_array().expect("volumes");
            let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).expect("its volume");
            if let Some(name) = volume["configMap"]["name"].as_str() {
                for file in ["plimsoll.yaml", "tokens.yaml"] {
                    if name.ends_with(if file == "plimsoll.yaml" { "config" } else { "access" }) {
                        std::fs::write(at.join(file), self.harbour.config_map(name, file)).expect("a file");
                    }
                }
            } else if volume.get("projected").is_some() {
                std::fs::write(at.join("token"), audience_token.expect("a token")).expect("a file");
            }
        }
    }

    fn command(&self, spec: &Value, kubeconfig: Option<&str>) -> Command {
        let container = &spec["containers"][0];
        let arguments = container["args"].as_array().expect("arguments");
        let mut command = Command::new(PLIMSOLL);
        // The image has no variables and no home.
        command.args(arguments.iter().map(|text| self.local(text.as_str().expect("text")))).env_clear();
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        for variable in container["env"].as_array().into_iter().flatten() {
            let value = match variable["value"].as_str() {
                Some(path) => self.here(path).display().to_string(),
                None => {
                    let from = &variable["valueFrom"]["secretKeyRef"];
                    assert_eq!(*from, json!({"name": "plimsoll-database", "key": "url"}));
                    self.harbour.postgres.url.clone()
                }
            };
            command.env(variable["name"].as_str().expect("a name"), value);
        }
        if let Some(account) = kubeconfig {
            let token = token(self.harbour, account, None);
            command.env("KUBECONFIG", self.harbour.cluster.kubeconfig_for(account, &token));
        }
        command
    }

    /// Starts it, and waits until its own probe says that it is ready.
    fn start(&self, spec: &Value) -> Running {
        let account = spec["serviceAccountName"].as_str().expect("an account");
        let running = Running(self.command(spec, Some(account)).spawn().expect("plimsoll starts"));
        let path = spec["containers"][0]["readinessProbe"]["httpGet"]["path"].as_str().expect("a path");
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        eventually("it is ready", || ureq::get(&url).call().is_ok(), || url.clone());
        running
    }
}

/// What an account has asked the API server for: all of it was allowed.
fn asked(harbour: &Harbour, account: &str) -> Vec<String> {
    let asked = harbour.cluster.asked(&format!("system:serviceaccount:{NAMESPACE}:{account}"));
    let refused: Vec<_> = asked.iter().filter(|asked| !asked.is_allowed).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let mut kinds: Vec<String> =
        asked.into_iter().map(|asked| format!("{} {}", asked.verb, asked.kind)).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// The controller does with its account what it has to before it is ready, and what a policy asks for.
pub fn leads(harbour: &Harbour) {
    let pod = Pod::of(harbour);
    let _running = pod.start(&harbour.deployment("plimsoll-controller")["spec"]["template"]["spec"]);
    let policy = policy("first", "Recommend");
    harbour.admin.apply(&policy).ok();
    let status = || harbour.admin.get(&path(&policy)).body["status"].clone();
    let seen = || {
        let url = format!("http://127.0.0.1:{}/metrics", pod.port);
        let metrics = ureq::get(&url).call().expect("metrics").body_mut().read_to_string().expect("text");
        format!("{:?}\n{metrics}", asked(harbour, "plimsoll-controller"))
    };
    eventually("it says how it stands", || status()["conditions"].is_array(), seen);
    let asked = asked(harbour, "plimsoll-controller");
    for needed in ["create leases", "watch pods", "patch memorypolicies/status"] {
        assert!(asked.iter().any(|asked| asked == needed), "{needed}: {asked:?}");
    }
}

/// The service with its account, asked by the very command of `helm test`, with the token that its pod would have.
pub fn is_answered_as_its_test_asks(harbour: &Harbour) {
    let pod = Pod::of(harbour);
    let spec = harbour.deployment("plimsoll-serve")["spec"]["template"]["spec"].clone();
    pod.mount(&spec, None);
    let _running = pod.start(&spec);
    let all = rendered(&chart().join("ci/default-values.yaml"));
    let test = all.iter().find(|it| it.template == "serve/test.yaml").expect("a test");
    let test = &test.object["spec"]["template"]["spec"];
    let audience =
        test.pointer("/volumes/0/projected/sources/0/serviceAccountToken/audience").expect("an audience");
    pod.mount(test, Some(&token(harbour, "default", audience.as_str())));
    let status = said(&pod.command(test, None).output().expect("plimsoll starts"));
    assert!(status.contains("pods"), "{status}");
    // One that is meant for others does not do.
    pod.mount(test, Some(&token(harbour, "default", Some("another.example"))));
    assert!(!pod.command(test, None).output().expect("plimsoll starts").status.success());
    assert_eq!(asked(harbour, "plimsoll-serve"), ["create tokenreviews"]);
}
