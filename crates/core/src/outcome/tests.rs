//! What each kind of evidence comes out as.

use super::*;
use crate::signature::Scanner;
use crate::size::{GIB, MIB};
use proptest::prelude::*;

const V8: &str = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
const V8_SLOW: &str = "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory";
const JVM: &str = "Terminating due to java.lang.OutOfMemoryError: Java heap space";
const JVM_FORK: &str = "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space";
const GCC: &str = "g++: fatal error: Killed signal terminated program cc1plus";
const LD: &str = "collect2: fatal error: ld terminated with signal 9 [Killed]";
const CARGO: &str = "  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)";
const JEST: &str =
    "A jest worker process (pid=7) was terminated by another process: signal=SIGKILL, exitCode=null.";
const XDIST: &str = "worker 'gw3' crashed while running 'test_a.py::test_b'";
const GRADLE: &str =
    "Gradle build daemon disappeared unexpectedly (it may have been killed or may have crashed)";
const MAKE: &str = "make: *** [Makefile:5: a.o] Killed";

/// An attempt in 2 GiB that ended with this code, counter, peak and output.
fn evidence(code: i32, kernel_kills: Option<u64>, peak_mib: u64, output: &str) -> Evidence {
    let mut scanner = Scanner::new();
    scanner.feed(output.as_bytes());
    Evidence {
        exit: Exit::Code(code),
        kernel_kills,
        sigkilled_in_tree: 0,
        sightings: scanner.finish(),
        ended_by_us: None,
        peak_bytes: Some(peak_mib * MIB),
        budget_bytes: Some(2 * GIB),
    }
}

const SUCCEEDED: (Outcome, Option<Cause>) = (Outcome::Succeeded, None);
const FAILED: (Outcome, Option<Cause>) = (Outcome::Failed, None);
const SIGNALLED: (Outcome, Option<Cause>) = (Outcome::Signalled, None);

fn memory(cause: Cause) -> (Outcome, Option<Cause>) {
    (Outcome::OutOfMemory, Some(cause))
}

#[test]
fn evidence_decides() {
    use Cause::*;
    let check = |code, kills, peak_mib, output: &str, expect| {
        assert_eq!(classify(&evidence(code, kills, peak_mib, output)), expect, "{code} {kills:?} {output}");
    };
    // The command's own word.
    check(0, Some(0), 900, "", SUCCEEDED);
    check(0, Some(2), 2040, "Killed", SUCCEEDED);
    check(0, Some(0), 900, V8, SUCCEEDED);
    check(0, None, 2040, JEST, SUCCEEDED);
    // The kernel's counter.
    check(137, Some(1), 2040, "", memory(KernelKill));
    check(137, Some(1), 2040, "Killed", memory(KernelKill));
    check(7, Some(1), 2040, "", memory(KernelKill));
    check(2, Some(8), 2042, GCC, memory(KernelKill));
    check(1, Some(1), 2040, XDIST, memory(KernelKill));
    check(1, Some(3), 2040, JEST, memory(KernelKill));
    check(1, Some(1), 2040, GRADLE, memory(KernelKill));
    check(101, Some(1), 2040, CARGO, memory(KernelKill));
    check(134, Some(1), 2040, V8, memory(HeapLimitAndKernelKill));
    // A counter that stayed 0: somebody else's kill.
    check(137, Some(0), 400, "", SIGNALLED);
    check(137, Some(0), 400, "Killed", SIGNALLED);
    check(2, Some(0), 400, MAKE, FAILED);
    check(2, Some(0), 2000, GCC, FAILED);
    check(1, Some(0), 400, XDIST, FAILED);
    check(1, Some(0), 2000, JEST, FAILED);
    // No counter: a SIGKILL nobody here sent is the kernel's.
    check(137, None, 2000, "", memory(KernelKill));
    check(137, None, 300, "Killed", memory(KernelKill));
    check(2, None, 2000, GCC, memory(KernelKill));
    check(1, None, 1000, LD, memory(KernelKill));
    check(101, None, 1000, CARGO, memory(KernelKill));
    check(2, None, 1900, MAKE, memory(KernelKill));
    check(2, None, 300, MAKE, FAILED);
    check(1, None, 1900, XDIST, memory(KernelKill));
    check(1, None, 300, XDIST, FAILED);
    check(1, None, 1900, GRADLE, memory(KernelKill));
    check(1, None, 300, GRADLE, FAILED);
    // Heaps of runtimes.
    check(134, Some(0), 1148, V8, memory(HeapLimit));
    check(134, Some(0), 1761, V8_SLOW, memory(HeapLimit));
    check(134, Some(0), 1920, V8_SLOW, memory(HeapLimit));
    check(134, Some(0), 1960, V8_SLOW, memory(HeapLimitAndKernelKill));
    check(1, Some(0), 1148, V8, memory(HeapLimit));
    check(134, Some(0), 1148, "", FAILED);
    check(134, None, 1148, "Aborted (core dumped)", FAILED);
    check(134, Some(0), 900, "  \"trigger\": \"OOMError\",", memory(HeapLimit));
    check(1, Some(0), 600, "Error [ERR_WORKER_OUT_OF_MEMORY]: Worker terminated", memory(HeapLimit));
    check(3, Some(0), 800, JVM, memory(HeapLimit));
    check(3, Some(0), 800, "", FAILED);
    check(1, Some(0), 800, JVM_FORK, memory(HeapLimit));
    check(2, Some(0), 800, "fatal error: runtime: out of memory", memory(HeapLimit));
    // Refused allocations.
    check(101, Some(0), 900, "memory allocation of 1048576 bytes failed", memory(AllocationRefused));
    check(1, Some(0), 900, "cc1plus: out of memory allocating 64 bytes after", memory(AllocationRefused));
    check(1, Some(0), 1900, "MemoryError", memory(AllocationRefused));
    check(1, Some(0), 300, "MemoryError", FAILED);
    check(1, Some(0), 300, "E       MemoryError\n1 failed", FAILED);
    check(134, Some(0), 300, "terminate called after throwing an instance of 'std::bad_alloc'", FAILED);
    check(134, Some(0), 1900, "what:\nMemoryError\n", memory(AllocationRefused));
    check(1, Some(0), 300, "OSError: [Errno 12] Cannot allocate memory", FAILED);
    check(1, Some(0), 1900, "OSError: [Errno 12] Cannot allocate memory", memory(AllocationRefused));
    // The build's own fault.
    check(1, Some(0), 300, "error TS2322: Type 'string' is not assignable", FAILED);
    check(1, Some(0), 2000, "error TS2322: Type 'string' is not assignable", FAILED);
    check(1, None, 2000, "\u{2713} handles MemoryError\n1 test failed", FAILED);
    check(1, Some(0), 2000, "\u{2717} reports JavaScript heap out of memory", FAILED);
    check(2, Some(0), 300, "make: *** [Makefile:5: a.o] Error 1", FAILED);
    check(139, Some(0), 300, "Segmentation fault (core dumped)", FAILED);
    check(143, Some(0), 300, "Terminated", SIGNALLED);
}

#[test]
fn what_we_ended_ourselves() {
    let check = |ended, kills, expect| {
        let ended = Evidence { ended_by_us: Some(ended), ..evidence(143, kills, 1900, "") };
        assert_eq!(classify(&ended), expect, "{ended:?}");
    };
    check(EndedByUs::GcThrash, Some(0), memory(Cause::GcThrash));
    check(EndedByUs::Livelock, None, memory(Cause::Livelock));
    check(EndedByUs::LimitReached, Some(0), memory(Cause::LimitReached));
    check(EndedByUs::LimitReached, Some(1), memory(Cause::KernelKill));
    check(EndedByUs::Timeout, Some(1), (Outcome::TimedOut, None));
    check(EndedByUs::Signal(15), Some(0), SIGNALLED);
}

#[test]
fn signals_and_reaped_kills() {
    let killed = Evidence { exit: Exit::Signal(9), ..evidence(0, None, 1900, "") };
    assert_eq!(classify(&killed), memory(Cause::KernelKill));
    let by_somebody = Evidence { kernel_kills: Some(0), ..killed };
    assert_eq!(classify(&by_somebody), SIGNALLED);
    let reaped = Evidence { sigkilled_in_tree: 1, ..evidence(1, None, 1900, "") };
    assert_eq!(classify(&reaped), memory(Cause::KernelKill));
    let crashed = Evidence { exit: Exit::Signal(11), ..evidence(0, Some(0), 1900, "") };
    assert_eq!(classify(&crashed), FAILED);
    let blind = Evidence { peak_bytes: None, budget_bytes: None, ..evidence(1, None, 0, "MemoryError") };
    assert_eq!(classify(&blind), FAILED);
}

proptest! {
    #[test]
    fn a_cause_exactly_when_memory_ended_it(
        code in 0i32..256,
        kernel_kills in prop::option::of(0u64..3),
        sigkilled_in_tree in 0u64..2,
        peak_mib in 0u64..2048,
        output in prop::sample::select(vec!["", V8, JVM, GCC, MAKE, XDIST, "MemoryError", "all is well"]),
    ) {
        let evidence = Evidence { sigkilled_in_tree, ..evidence(code, kernel_kills, peak_mib, output) };
        let (outcome, cause) = classify(&evidence);
        prop_assert_eq!(outcome == Outcome::OutOfMemory, cause.is_some());
        prop_assert_eq!(code == 0, outcome == Outcome::Succeeded);
        if code != 0 && kernel_kills.is_some_and(|kills| kills > 0) {
            prop_assert_eq!(outcome, Outcome::OutOfMemory);
        }
        if kernel_kills == Some(0) && evidence.sightings.is_empty() {
            prop_assert_ne!(outcome, Outcome::OutOfMemory);
        }
    }
}
