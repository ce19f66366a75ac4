//! Manifests: objects that say themselves where they belong, and are applied as `kubectl apply --server-side` does.

use super::{Answer, Client, Patch};
use serde_json::Value;

impl Client {
    /// Makes an object what this says, whoever else said something of it.
    pub fn apply(&self, manifest: &Value) -> Answer {
        let path = format!("{}?fieldManager=test&force=true", path(manifest));
        self.patch(&path, Patch::Apply, manifest)
    }

    /// Applies each document of a YAML text; a refusal fails the test.
    pub fn apply_all(&self, text: &str) {
        for manifest in documents(text) {
            self.apply(&manifest).ok();
        }
    }
}

/// The documents of a YAML text that say something.
pub fn documents(text: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).expect("YAML");
    all.into_iter().filter(|document| !document.is_null()).collect()
}

/// Where an object is.
pub fn path(manifest: &Value) -> String {
    let of = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let version = of("/apiVersion");
    let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    let namespace = match of("/metadata/namespace") {
        "" => String::new(),
        namespace => format!("/namespaces/{namespace}"),
    };
    let kinds = of("/kind").to_lowercase();
    let kinds = kinds.strip_suffix('y').map_or(format!("{kinds}s"), |stem| format!("{stem}ies"));
    format!("{root}{namespace}/{kinds}/{}", of("/metadata/name"))
}
