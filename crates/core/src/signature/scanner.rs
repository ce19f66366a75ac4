//! The scanner: finds signatures in a stream of chunks in constant memory.
//!
//! One automaton over all first parts passes over the bytes; only a line with a hit is looked at closely. What
//! is found depends on the lines alone, never on where the chunks were cut.

use super::rules::{RULES, judge};
use super::{Sighting, Signature};
use aho_corasick::{AhoCorasick, Input};
use std::sync::LazyLock;

/// A line counts up to here, in bytes; toolchains' messages are shorter, bundles printed to the terminal are not.
const LINE_MAX_BYTES: usize = 4096;
/// Length of an excerpt in characters.
const EXCERPT_MAX_CHARS: usize = 200;

static FIRST_PARTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new(RULES.iter().map(|rule| rule.parts[0])).expect("sixty short constant patterns compile")
});

/// Finds signatures in one stream (stdout, stderr, a Node report).
#[derive(Debug, Clone, Default)]
pub struct Scanner {
    /// The unfinished line, at most [`LINE_MAX_BYTES`] of it.
    line: Vec<u8>,
    sightings: Vec<Sighting>,
}

impl Scanner {
    /// A scanner at the start of a stream.
    pub fn new() -> Scanner {
        Scanner::default()
    }

    /// Reads the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        let Some(first_end) = chunk.iter().position(is_line_end) else {
            return self.keep(chunk);
        };
        let mut whole_lines = chunk;
        if !self.line.is_empty() {
            self.keep(&chunk[..first_end]);
            self.end_line();
            whole_lines = &chunk[first_end..];
        }
        let last_end = whole_lines.iter().rposition(is_line_end).map_or(0, |end| end + 1);
        let (whole_lines, rest) = whole_lines.split_at(last_end);
        self.search(whole_lines);
        self.keep(rest);
    }

    /// What was found, at most one entry per signature; the stream has ended.
    pub fn finish(mut self) -> Vec<Sighting> {
        self.end_line();
        self.sightings
    }

    /// What was found so far in lines that have ended.
    pub fn sightings(&self) -> &[Sighting] {
        &self.sightings
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_MAX_BYTES - self.line.len();
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        self.search(&line);
        line.clear();
        self.line = line;
    }

    /// Looks at each line that has a hit, once.
    fn search(&mut self, lines: &[u8]) {
        let mut from = 0;
        while let Some(hit) = FIRST_PARTS.find(Input::new(lines).range(from..)) {
            let start = lines[..hit.start()].iter().rposition(is_line_end).map_or(0, |end| end + 1);
            let end =
                lines[hit.start()..].iter().position(is_line_end).map_or(lines.len(), |n| hit.start() + n);
            let line = clean(&lines[start..end.min(start + LINE_MAX_BYTES)]);
            if let Some(signature) = judge(line.trim()) {
                self.count(signature, line.trim());
            }
            from = end;
        }
    }

    fn count(&mut self, signature: Signature, line: &str) {
        match self.sightings.iter_mut().find(|sighting| sighting.signature == signature) {
            Some(sighting) => sighting.count += 1,
            None => self.sightings.push(Sighting {
                signature,
                count: 1,
                line: line.chars().take(EXCERPT_MAX_CHARS).collect(),
            }),
        }
    }
}

/// Progress bars end their lines with a carriage return.
fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The line without colours and control characters.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut cleaned = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' && chars.next_if_eq(&'[').is_some() {
            // A control sequence ends with its first byte from '@' to '~' (ECMA-48, 5.4).
            while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
        } else if char == '\t' {
            cleaned.push(' ');
        } else if !char.is_control() {
            cleaned.push(char);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scan(text: &str) -> Vec<(Signature, u64)> {
        let mut scanner = Scanner::new();
        scanner.feed(text.as_bytes());
        scanner.finish().into_iter().map(|s| (s.signature, s.count)).collect()
    }

    #[test]
    fn real_messages() {
        use Signature::*;
        let check = |line: &str, expect| assert_eq!(scan(line), [(expect, 1)], "{line}");
        check("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n", V8Heap);
        check(
            "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
            V8Heap,
        );
        check("FATAL ERROR: CALL_AND_RETRY_LAST Allocation failed - JavaScript heap out of memory", V8Heap);
        check(
            "web:build: \u{1b}[31mFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\u{1b}[0m",
            V8Heap,
        );
        check("# Fatal JavaScript out of memory: Reached heap limit", V8Heap);
        check("    \"trigger\": \"OOMError\",", V8Heap);
        check(
            "Error [ERR_WORKER_OUT_OF_MEMORY]: Worker terminated due to reaching memory limit: JS heap out of memory",
            NodeWorkerHeap,
        );
        check("Terminating due to java.lang.OutOfMemoryError: Java heap space", JvmHeap);
        check("Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space", JvmHeap);
        check("Caused by: java.lang.OutOfMemoryError: GC overhead limit exceeded", JvmHeap);
        check("[ERROR] Java heap space -> [Help 1]", JvmHeap);
        check(
            "Gradle build daemon disappeared unexpectedly (it may have been killed or may have crashed)",
            GradleDaemonGone,
        );
        check("fatal error: runtime: out of memory", GoHeap);
        check("memory allocation of 1073741824 bytes failed", RustAlloc);
        check(
            "cc1plus: out of memory allocating 65536 bytes after a total of 503316480 bytes",
            CompilerAlloc,
        );
        check("virtual memory exhausted: Cannot allocate memory", CompilerAlloc);
        check("/usr/bin/ld: final link failed: memory exhausted", CompilerAlloc);
        check("LLVM ERROR: out of memory", CompilerAlloc);
        check("terminate called after throwing an instance of 'std::bad_alloc'", CppAlloc);
        check("MemoryError", PythonMemory);
        check("E       MemoryError", PythonMemory);
        check(
            "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an array",
            PythonMemory,
        );
        check("worker 'gw3' crashed while running 'tests/test_big.py::test_load'", XdistWorkerCrashed);
        check("[gw3] node down: Not properly terminated", XdistWorkerCrashed);
        check(
            "  A jest worker process (pid=4711) was terminated by another process: signal=SIGKILL, exitCode=null. Operating system logs may contain more information on why this occurred.",
            JsWorkerKilled,
        );
        check("Static worker exited with code: null and signal: SIGKILL", JsWorkerKilled);
        check("Error: Worker exited unexpectedly", Killed);
        check("Killed", Killed);
        check("make: *** [Makefile:12: test.o] Killed", Killed);
        check("make[2]: *** [CMakeFiles/x.dir/build.make:76: x.o] Error 137", Killed);
        check("./build.sh: line 3:  4711 Killed                  node build.js", Killed);
        check("g++: fatal error: Killed signal terminated program cc1plus", CompilerKilled);
        check("collect2: fatal error: ld terminated with signal 9 [Killed]", CompilerKilled);
        check(
            "  process didn't exit successfully: `rustc --crate-name big` (signal: 9, SIGKILL: kill)",
            CompilerKilled,
        );
        check("clang: error: unable to execute command: Killed", CompilerKilled);
        check("golang.org/x/tools: /usr/lib/go/pkg/tool/linux_amd64/compile: signal: killed", CompilerKilled);
        check("OSError: [Errno 12] Cannot allocate memory", Enomem);
        check("Error: spawn ENOMEM", Enomem);
        check("fork: retry: Resource temporarily unavailable\nsh: fork: Cannot allocate memory", Enomem);
        check("\rKilled\r", Killed);
    }

    #[test]
    fn talk_about_memory_is_not_a_message() {
        let check = |line: &str| assert_eq!(scan(line), [], "{line}");
        check("  \u{2713} handles MemoryError");
        check("test_raises_MemoryError PASSED");
        check("except MemoryError:");
        check("describe('JavaScript heap out of memory')");
        check("  \u{2713} retries on java.lang.OutOfMemoryError (3 ms)");
        check("Killed 3 zombies");
        check("mutants: 12 Killed, 3 survived");
        check("docs: what to do about exit code 137");
        check("CHANGELOG: fix std::bad_alloc in the parser");
        check("if (errno == ENOMEM) return;");
        check("worker 'gw3' is ready");
        check("memory allocation of a page");
    }

    #[test]
    fn counts_and_keeps_the_first_line() {
        let mut scanner = Scanner::new();
        scanner.feed(b"a\nKilled\nb\nmake: *** [Makefile:1: x] Killed\n");
        assert_eq!(scanner.sightings()[0].count, 2);
        assert_eq!(scanner.finish()[0].line, "Killed");
    }

    #[test]
    fn a_line_without_end_costs_no_memory() {
        let mut scanner = Scanner::new();
        for _ in 0..1000 {
            scanner.feed(&[b'x'; 1000]);
        }
        assert!(scanner.line.capacity() <= 2 * LINE_MAX_BYTES);
        scanner.feed(b"\nKilled\n");
        assert_eq!(scanner.finish().len(), 1);
    }

    proptest! {
        #[test]
        fn chunk_borders_do_not_matter(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "Killed", "\n", "\r\n", " ", "FATAL ERROR: ", "JavaScript heap out of memory", "MemoryError",
                    "make: *** [x] ", "memory allocation of ", "12 bytes failed", "\u{1b}[1m", "é",
                ]), 0..40),
            cuts in prop::collection::vec(1usize..30, 1..20),
        ) {
            let text = words.concat().into_bytes();
            let mut whole = Scanner::new();
            whole.feed(&text);
            let mut cut = Scanner::new();
            let mut rest = &text[..];
            for size in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (chunk, tail) = rest.split_at((*size).min(rest.len()));
                cut.feed(chunk);
                rest = tail;
            }
            prop_assert_eq!(whole.finish(), cut.finish());
        }

        #[test]
        fn any_bytes_are_fine(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let mut scanner = Scanner::new();
            scanner.feed(&bytes);
            scanner.finish();
        }
    }
}
