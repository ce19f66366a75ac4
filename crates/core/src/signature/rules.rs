//! The texts themselves: what a line has to contain to count.
//!
//! One word is never enough: test names, changelogs and documentation speak of memory too. So a rule asks for
//! the fixed parts of the real message, and for its place in the line where the message is a common word.

use super::Signature::{self, *};

/// Where the first part has to stand in a line without colours and surrounding space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Anywhere (task runners put a prefix before each line).
    Anywhere,
    /// At the start.
    Start,
    /// It is the whole line.
    Whole,
    /// At the end.
    End,
}

/// A line that contains all `parts`, the first at its `place`, shows the signature.
#[derive(Debug)]
pub struct Rule {
    /// What it shows.
    pub signature: Signature,
    /// Place of the first part.
    pub place: Place,
    /// Fixed texts, case-sensitive; the rarest first, because every line that has it is looked at closely.
    pub parts: &'static [&'static str],
}

const fn rule(signature: Signature, place: Place, parts: &'static [&'static str]) -> Rule {
    Rule { signature, place, parts }
}

/// Every rule; in a line the first that fits wins, so the particular stands before the general.
pub const RULES: &[Rule] = {
    use Place::*;
    &[
        // V8, deps/v8/src/api/api.cc and node's OOMErrorHandler; the last two are node's diagnostic report.
        rule(V8Heap, Anywhere, &["JavaScript heap out of memory", "FATAL ERROR: "]),
        rule(V8Heap, Anywhere, &["Fatal JavaScript out of memory: "]),
        rule(V8Heap, Anywhere, &["Fatal process out of memory: "]),
        rule(V8Heap, Start, &["\"trigger\": \"OOMError\""]),
        rule(V8Heap, Start, &["\"event\": \"Allocation failed - JavaScript heap out of memory\""]),
        rule(NodeWorkerHeap, Anywhere, &["Error [ERR_WORKER_OUT_OF_MEMORY]"]),
        rule(NodeWorkerHeap, Anywhere, &["code: 'ERR_WORKER_OUT_OF_MEMORY'"]),
        rule(NodeWorkerHeap, Anywhere, &["Error: Worker terminated due to reaching memory limit"]),
        // JVM: hotspot's debug.cpp, the default uncaught handler, stack traces, Maven, Gradle, Kotlin.
        rule(JvmHeap, Anywhere, &["Terminating due to java.lang.OutOfMemoryError"]),
        rule(JvmHeap, Anywhere, &["Aborting due to java.lang.OutOfMemoryError"]),
        rule(JvmHeap, Anywhere, &[" java.lang.OutOfMemoryError", "Exception in thread \""]),
        rule(JvmHeap, Anywhere, &["Exception: java.lang.OutOfMemoryError thrown from the Unc"]),
        rule(JvmHeap, Anywhere, &["java.lang.OutOfMemoryError: Java heap space"]),
        rule(JvmHeap, Anywhere, &["java.lang.OutOfMemoryError: GC overhead limit exceeded"]),
        rule(JvmHeap, Anywhere, &["java.lang.OutOfMemoryError: Metaspace"]),
        rule(JvmHeap, Anywhere, &["[ERROR] Java heap space -> [Help 1]"]),
        rule(JvmHeap, Whole, &["> Java heap space"]),
        rule(JvmHeap, Whole, &["> GC overhead limit exceeded"]),
        rule(JvmHeap, Anywhere, &["daemon because JVM heap space is exhausted"]),
        rule(JvmHeap, Anywhere, &["Not enough memory to run compilation. Try to increase it via"]),
        rule(GradleDaemonGone, Anywhere, &["Gradle build daemon disappeared unexpectedly"]),
        // Go, runtime/malloc.go and mem_linux.go.
        rule(GoHeap, Anywhere, &["fatal error: runtime: out of memory"]),
        rule(GoHeap, Anywhere, &["fatal error: runtime: cannot allocate memory"]),
        rule(GoHeap, Start, &["runtime: out of memory: cannot allocate "]),
        // Rust, library/std/src/alloc.rs.
        rule(RustAlloc, Anywhere, &["memory allocation of ", " bytes failed"]),
        // Compilers and linkers: libiberty's xmalloc.c, bfd, LLVM's ErrorHandling.cpp.
        rule(CompilerAlloc, Anywhere, &[": out of memory allocating ", " bytes"]),
        rule(CompilerAlloc, Anywhere, &["virtual memory exhausted: Cannot allocate memory"]),
        rule(CompilerAlloc, Anywhere, &["final link failed: memory exhausted"]),
        rule(CompilerAlloc, Anywhere, &["LLVM ERROR: out of memory"]),
        rule(CppAlloc, Anywhere, &["terminate called after throwing an instance of 'std::bad_alloc'"]),
        rule(CppAlloc, Anywhere, &["uncaught exception of type std::bad_alloc"]),
        // Python: the last line of a traceback, plain and as pytest quotes it.
        rule(PythonMemory, Whole, &["MemoryError"]),
        rule(PythonMemory, Start, &["MemoryError: "]),
        rule(PythonMemory, End, &["  MemoryError", "E "]),
        rule(PythonMemory, Anywhere, &["_ArrayMemoryError: Unable to allocate "]),
        rule(XdistWorkerCrashed, Anywhere, &["' crashed while running ", "worker 'gw"]),
        rule(XdistWorkerCrashed, Anywhere, &["] node down: Not properly terminated", "[gw"]),
        // JavaScript runners about their children.
        rule(JsWorkerKilled, Anywhere, &["was terminated by another process: signal=SIGKILL"]),
        rule(JsWorkerKilled, Anywhere, &["worker exited with code: null and signal: SIGKILL"]),
        rule(JsWorkerKilled, Anywhere, &["Command failed with signal \"SIGKILL\""]),
        rule(JsWorkerKilled, Anywhere, &["npm error signal SIGKILL"]),
        rule(JsWorkerKilled, Anywhere, &["npm ERR! signal SIGKILL"]),
        rule(Killed, Anywhere, &["Worker exited unexpectedly"]),
        rule(Killed, Anywhere, &["ran out of memory or someone called `kill -9` on the process"]),
        // Compiler drivers, cargo and go about their children.
        rule(CompilerKilled, Anywhere, &["Killed signal terminated program "]),
        rule(CompilerKilled, Anywhere, &["ld terminated with signal 9"]),
        rule(CompilerKilled, Anywhere, &["(signal: 9, SIGKILL: kill)"]),
        rule(CompilerKilled, Anywhere, &["unable to execute command: Killed"]),
        rule(CompilerKilled, End, &[": signal: killed"]),
        // make and shells: `make: *** [Makefile:3: a.o] Killed`, `x.sh: line 3: 712 Killed   node a.js`.
        rule(Killed, End, &["] Killed", "*** ["]),
        rule(Killed, End, &["] Error 137", "*** ["]),
        rule(Killed, Whole, &["Killed"]),
        rule(Killed, Anywhere, &[" Killed  ", ": line "]),
        rule(Killed, End, &["Command failed with exit code 137."]),
        // The kernel refused: strerror(ENOMEM) as C, Rust, Python and libuv print it, and hotspot at its start.
        rule(Enomem, Anywhere, &["[Errno 12] Cannot allocate memory"]),
        rule(Enomem, Anywhere, &["Cannot allocate memory (os error 12)"]),
        rule(Enomem, Anywhere, &["ENOMEM: not enough memory"]),
        rule(Enomem, Anywhere, &["spawn ENOMEM"]),
        rule(Enomem, End, &[": Cannot allocate memory"]),
        rule(Enomem, Anywhere, &["insufficient memory for the Java Runtime Environment"]),
        rule(Enomem, Anywhere, &["java.lang.OutOfMemoryError: unable to create native thread"]),
        rule(Enomem, Anywhere, &["java.lang.OutOfMemoryError: Direct buffer memory"]),
    ]
};

/// The signature a clean line shows.
pub fn judge(line: &str) -> Option<Signature> {
    let fits = |rule: &&Rule| {
        let first = rule.parts[0];
        let placed = match rule.place {
            Place::Anywhere => line.contains(first),
            Place::Start => line.starts_with(first),
            Place::Whole => line == first,
            Place::End => line.ends_with(first),
        };
        placed && rule.parts[1..].iter().all(|part| line.contains(part))
    };
    RULES.iter().find(fits).map(|rule| rule.signature)
}
