//! The API server's own record of who asked for what.

use super::Cluster;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What somebody asked for, in the words of RBAC.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// `get`, `patch` ...
    pub verb: String,
    /// The API group; empty for the core one.
    pub group: String,
    /// A kind as RBAC names it, with its subresource: `pods/resize`.
    pub kind: String,
    /// Empty for what is in none.
    pub namespace: String,
    /// Empty for what has none.
    pub name: String,
    /// Whether RBAC allowed it.
    pub is_allowed: bool,
}

fn log(folder: &Path) -> PathBuf {
    folder.join("audit.log")
}

/// All requests are written down when they are answered, without what they say.
pub(super) fn arguments(folder: &Path) -> Vec<String> {
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "Panic"],
        "rules": [{"level": "Metadata"}],
    });
    let file = folder.join("audit.yaml");
    std::fs::write(&file, policy.to_string()).expect("a policy");
    vec![
        format!("--audit-policy-file={}", file.display()),
        format!("--audit-log-path={}", log(folder).display()),
    ]
}

impl Cluster {
    /// What a user has asked for until now, of the kinds that there are.
    pub fn asked(&self, user: &str) -> Vec<Asked> {
        let text = std::fs::read_to_string(log(&self.folder)).expect("a cluster that keeps an audit log");
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let theirs = entries.filter(|entry| entry["user"]["username"] == user);
        theirs.filter_map(|entry| asked(&entry)).collect()
    }
}

fn asked(entry: &Value) -> Option<Asked> {
    let of = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string();
    // Discovery is about none.
    let kind = entry.pointer("/objectRef/resource")?.as_str()?;
    let kind = match of("/objectRef/subresource") {
        below if below.is_empty() => kind.to_string(),
        below => format!("{kind}/{below}"),
    };
    Some(Asked {
        verb: of("/verb"),
        group: of("/objectRef/apiGroup"),
        kind,
        namespace: of("/objectRef/namespace"),
        name: of("/objectRef/name"),
        is_allowed: of("/annotations/authorization.k8s.io~1decision") == "allow",
    })
}
