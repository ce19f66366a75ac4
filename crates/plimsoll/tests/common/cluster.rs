//! What tests on an API server share: `plimsoll` with a cluster and a store of the test's own, what it says, and waiting.

use super::PLIMSOLL;
use plimsoll_real::cluster::Client;
use plimsoll_real::cluster::metrics::Use;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// So long a cluster may take to come to something.
const WITHIN: Duration = Duration::from_secs(90);

/// `plimsoll` by this kubeconfig, which remembers things in the test's folder.
pub fn command(kubeconfig: &Path, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(PLIMSOLL);
    command.args(args).env("KUBECONFIG", kubeconfig).env("PLIMSOLL_STORE", folder.join("store"));
    command.env_remove("PLIMSOLL_SOURCE").stdin(Stdio::null());
    command
}

/// What it said; it has to have gone well.
pub fn said(output: &Output) -> String {
    ended(output, 0).0
}

/// What it warned of; it has to have ended like this.
pub fn warned(output: &Output, code: i32) -> String {
    ended(output, code).1
}

fn ended(output: &Output, code: i32) -> (String, String) {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
    (out, err)
}

/// Waits for something; `seen` is what to say where it does not come.
pub fn eventually(what: &str, so: impl FnMut() -> bool, seen: impl Fn() -> String) {
    within(WITHIN, what, so, seen);
}

/// Waits for something for so long.
pub fn within(longest: Duration, what: &str, mut so: impl FnMut() -> bool, seen: impl Fn() -> String) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < longest, "not so after {longest:?}: {what}: {}", seen());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What the pods of a namespace use, by the MiB that those of an `app` do.
pub fn used(admin: &Client, namespace: &str, mib_of: impl Fn(&str) -> Option<u64>) -> Vec<Use> {
    let pods = admin.get(&format!("/api/v1/namespaces/{namespace}/pods")).ok();
    let of = |pod: &Value| {
        let mib = mib_of(pod["metadata"]["labels"]["app"].as_str()?)?;
        Some(Use {
            namespace: namespace.into(),
            pod: pod["metadata"]["name"].as_str()?.into(),
            container: "app".into(),
            at_s: jiff::Timestamp::now().as_second(),
            memory_bytes: mib << 20,
            cpu_millicores: 10,
        })
    };
    pods["items"].as_array().expect("pods").iter().filter_map(of).collect()
}
