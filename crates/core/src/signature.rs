//! Signatures: what toolchains print when memory ends them, found in a stream without keeping it.

use serde::{Deserialize, Serialize};

/// A kind of message about memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// V8: `JavaScript heap out of memory`.
    V8Heap,
    /// Node worker thread: `ERR_WORKER_OUT_OF_MEMORY`.
    NodeWorkerHeap,
    /// JVM: `java.lang.OutOfMemoryError`, `Terminating due to java.lang.OutOfMemoryError`.
    JvmHeap,
    /// Gradle: `daemon disappeared unexpectedly`.
    GradleDaemonGone,
    /// Go: `fatal error: runtime: out of memory`, `cannot allocate memory`.
    GoHeap,
    /// Rust: `memory allocation of N bytes failed`.
    RustAlloc,
    /// C++: `std::bad_alloc`, GCC: `out of memory allocating`, `virtual memory exhausted`.
    CppAlloc,
    /// Python: `MemoryError`.
    PythonMemory,
    /// pytest-xdist: `worker 'gw3' crashed`.
    XdistWorkerCrashed,
    /// jest, vitest and others: a worker process ended by SIGKILL.
    JsWorkerKilled,
    /// A shell, make or npm saying `Killed`.
    Killed,
    /// The compiler driver saying its child was killed (`Killed signal terminated program cc1plus`,
    /// `ld terminated with signal 9`, `(signal: 9, SIGKILL: kill)`).
    CompilerKilled,
    /// `ENOMEM`, `Cannot allocate memory`.
    Enomem,
}

/// A signature that was seen, with the line it was seen in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Which one.
    pub signature: Signature,
    /// How often.
    pub count: u64,
    /// The first line it was seen in, cut to 200 characters, control characters removed.
    pub line: String,
}
