//! What bounds sizes: nodes, namespaces, and rules for single containers.

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Memory for pods, in bytes.
    pub allocatable_bytes: u64,
    /// It takes pods.
    pub is_ready: bool,
    /// It is short of memory, by its kubelet's word, and pods are evicted from it (its condition MemoryPressure).
    pub is_pressed: bool,
}

/// A ResourceQuota's bound on memory; `None` for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Where.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// Most that all requests together may be, and what they are, in bytes.
    pub requests: Option<(u64, u64)>,
    /// The same of limits.
    pub limits: Option<(u64, u64)>,
}

/// A LimitRange's bounds on the memory of a container, in bytes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LimitRange {
    /// Where.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// Least request.
    pub min_bytes: Option<u64>,
    /// Most limit.
    pub max_bytes: Option<u64>,
    /// Most that a limit may be of its request.
    pub max_ratio: Option<f64>,
}
