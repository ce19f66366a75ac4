//! Signatures: what toolchains print when memory ends them, found in a stream without keeping it.

mod rules;
mod scanner;

pub use scanner::Scanner;

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
    /// C++: an uncaught `std::bad_alloc`.
    CppAlloc,
    /// A compiler or linker refused memory: GCC's `out of memory allocating`, `virtual memory exhausted`, ld's
    /// `memory exhausted`, `LLVM ERROR: out of memory`.
    CompilerAlloc,
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

impl Signature {
    /// A runtime said that its own heap is full.
    pub fn is_heap_limit(self) -> bool {
        use Signature::*;
        matches!(self, V8Heap | NodeWorkerHeap | JvmHeap | GoHeap)
    }

    /// Some process was ended by SIGKILL, by whomever.
    pub fn is_kill(self) -> bool {
        use Signature::*;
        matches!(self, GradleDaemonGone | XdistWorkerCrashed | JsWorkerKilled | Killed | CompilerKilled)
    }

    /// The text is so particular to a death by memory that, with a failed exit, it needs no other evidence.
    /// The others are also printed by builds whose fault is their own.
    pub fn is_strong(self) -> bool {
        use Signature::*;
        self.is_heap_limit() || matches!(self, RustAlloc | CompilerAlloc | JsWorkerKilled | CompilerKilled)
    }
}

/// Heap errors among the sightings, for the report.
pub fn heap_errors(sightings: &[Sighting]) -> u64 {
    sightings.iter().filter(|s| s.signature.is_heap_limit()).map(|s| s.count).sum()
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
