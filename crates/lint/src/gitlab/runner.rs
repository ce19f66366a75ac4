//! Runners: what `config.toml` says of memory, alone or inside of the chart's values.

use crate::document::Node;
use plimsoll_core::inventory::quantity::Quantity;

/// A `[[runners]]`.
#[derive(Debug, Clone)]
pub struct Runner {
    /// What it is called.
    pub name: String,
    /// All of it.
    pub node: Node,
}

/// Which containers of a job's pod a setting is about; its name in `config.toml` and in variables begins with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Where scripts run.
    Build,
    /// Where caches and artifacts are fetched and stored.
    Helper,
    /// Each service.
    Service,
    /// The pod as a whole.
    Pod,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 4] = [Part::Build, Part::Helper, Part::Service, Part::Pod];

    /// What a key begins with.
    fn prefix(self) -> &'static str {
        match self {
            Part::Build => "",
            Part::Helper => "helper_",
            Part::Service => "service_",
            Part::Pod => "pod_",
        }
    }

    /// `memory_limit` or `memory_request` of this part.
    pub fn key(self, is_limit: bool) -> String {
        format!("{}memory_{}", self.prefix(), if is_limit { "limit" } else { "request" })
    }

    /// The most that a job may set it to; without it what jobs set is ignored.
    pub fn max_key(self, is_limit: bool) -> String {
        format!("{}_overwrite_max_allowed", self.key(is_limit))
    }

    /// The variable by which a job sets it.
    pub fn variable(self, is_limit: bool) -> String {
        format!("KUBERNETES_{}", self.key(is_limit).to_ascii_uppercase())
    }
}

/// What all runners of Kubernetes say of a key.
#[derive(Debug, Clone)]
pub enum Agreed<'a> {
    /// There are none here.
    NoRunner,
    /// Some say this, some that: which one runs a job is not known.
    Unsure,
    /// None has it.
    Absent,
    /// All have this.
    Same(&'a Node),
}

impl Runner {
    /// The runners of a `config.toml`.
    pub fn all(tree: &Node) -> Vec<Runner> {
        let runners = tree.get("runners").map(Node::elements).unwrap_or_default();
        let one = |node: &Node| {
            let name = node.text_at(&["name"]).unwrap_or("without name").to_string();
            Runner { name, node: node.clone() }
        };
        runners.iter().map(one).collect()
    }

    /// Its section for Kubernetes.
    pub fn kubernetes(&self) -> Option<&Node> {
        self.node
            .get("kubernetes")
            .filter(|_| self.node.text_at(&["executor"]).unwrap_or("kubernetes") == "kubernetes")
    }

    /// A setting for Kubernetes; one that is empty is none.
    pub fn setting(&self, key: &str) -> Option<&Node> {
        self.kubernetes()?.get(key).filter(|node| node.text().is_some_and(|text| !text.is_empty()))
    }

    /// A setting of memory in bytes.
    pub fn bytes(&self, key: &str) -> Option<u64> {
        bytes(self.setting(key)?)
    }
}

/// An amount of memory as Kubernetes reads it.
pub fn bytes(node: &Node) -> Option<u64> {
    Some(Quantity::try_from(node.text()?.to_string()).ok()?.bytes()).filter(|bytes| *bytes > 0)
}

/// What all runners of Kubernetes say of a key.
pub fn agreed<'a>(runners: &'a [Runner], key: &str) -> Agreed<'a> {
    let mut all = runners.iter().filter(|runner| runner.kubernetes().is_some());
    let Some(first) = all.next() else { return Agreed::NoRunner };
    let value = |runner: &Runner| runner.setting(key).and_then(|node| node.text().map(String::from));
    if !all.all(|other| value(other) == value(first)) {
        return Agreed::Unsure;
    }
    first.setting(key).map_or(Agreed::Absent, Agreed::Same)
}
