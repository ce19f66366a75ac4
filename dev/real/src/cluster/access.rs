//! Who is let into a cluster.

use super::Machine;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub(super) const ADMIN_TOKEN: &str = "admin-token";
pub(super) const SCHEDULER_TOKEN: &str = "scheduler-token";
pub(super) const CONTROLLERS_TOKEN: &str = "controllers-token";
pub(super) const MACHINE_TOKEN: &str = "machine-token";

/// One who is let in by a token. What they may do, RBAC says.
#[derive(Debug, Clone)]
pub struct User {
    /// Without commas.
    pub token: String,
    /// The name that RBAC knows them by.
    pub name: String,
    /// The groups they are in.
    pub groups: Vec<String>,
}

impl User {
    /// One in these groups.
    pub fn new(token: &str, name: &str, groups: &[&str]) -> User {
        let groups = groups.iter().map(|group| group.to_string()).collect();
        User { token: token.to_string(), name: name.to_string(), groups }
    }
}

/// The file of all tokens.
pub(super) fn tokens(folder: &Path, users: &[User]) -> PathBuf {
    let ours = [
        User::new(ADMIN_TOKEN, "admin", &["system:masters"]),
        User::new(SCHEDULER_TOKEN, "system:kube-scheduler", &[]),
        User::new(CONTROLLERS_TOKEN, "system:kube-controller-manager", &[]),
        User::new(MACHINE_TOKEN, &format!("system:node:{}", Machine::NAME), &["system:nodes"]),
    ];
    let line = |user: &User| format!("{},{1},{1},\"{2}\"\n", user.token, user.name, user.groups.join(","));
    let lines: String = ours.iter().chain(users).map(line).collect();
    let file = folder.join("tokens.csv");
    std::fs::write(&file, lines).expect("tokens.csv");
    file
}

/// A kubeconfig for this machine.
pub(super) fn kubeconfig(folder: &Path, name: &str, url: &str, authority: &Path, token: &str) -> PathBuf {
    write(folder, name, &json!({"server": url, "certificate-authority": authority}), token)
}

/// A kubeconfig of this cluster, in JSON, which is YAML.
pub(super) fn write(folder: &Path, name: &str, cluster: &Value, token: &str) -> PathBuf {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "plimsoll",
        "contexts": [{"name": "plimsoll", "context": {"cluster": "plimsoll", "user": name}}],
        "clusters": [{"name": "plimsoll", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
    });
    let file = folder.join(format!("{name}.kubeconfig"));
    std::fs::write(&file, format!("{config:#}\n")).expect("a kubeconfig");
    file
}
