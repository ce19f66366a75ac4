//! Programs: what is known in advance about the compilers, runtimes and runners a build starts.

use serde::{Deserialize, Serialize};

/// A runtime with a heap of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// V8 in Node.
    Node,
    /// A Java virtual machine.
    Jvm,
    /// No heap limit of its own (compilers, linkers, Python, ...).
    Native,
}

/// What a command looks like before it has run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// The tool that was recognised (`tsc`, `webpack`, `make`, `mvn`, ...).
    pub tool: Option<&'static str>,
    /// The runtime of its main process.
    pub runtime: Option<Runtime>,
    /// Whether that process starts workers with heaps of their own.
    pub workers: bool,
}
