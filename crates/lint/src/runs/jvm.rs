//! What a JVM makes of its options.

use super::Step;
use crate::document::text::Text;
use plimsoll_core::size::parse_size;
use std::ops::Range;

/// Variables that every JVM reads.
pub const EVERY_JVM: [&str; 3] = ["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"];
/// Variables and files whose options come to a JVM's command line.
pub const OPTIONS: [&str; 13] = [
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JAVA_OPTS",
    "MAVEN_OPTS",
    "SBT_OPTS",
    "CATALINA_OPTS",
    "KAFKA_HEAP_OPTS",
    "ES_JAVA_OPTS",
    "GRADLE_OPTS",
    "ANT_OPTS",
    "jvm.config",
    "org.gradle.jvmargs",
];
/// Flags by which people have chosen what happens on a full heap.
const ON_FULL: [&str; 3] = ["ExitOnOutOfMemoryError", "CrashOnOutOfMemoryError", "OnOutOfMemoryError="];

/// A heap that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Heap {
    /// In bytes: `-Xmx`.
    Bytes(u64),
    /// In hundredths of the limit: `-XX:MaxRAMPercentage`.
    Percent(f64),
}

impl Heap {
    /// In bytes within a limit.
    pub fn bytes(&self, limit_bytes: u64) -> u64 {
        match self {
            Heap::Bytes(bytes) => *bytes,
            Heap::Percent(percent) => (limit_bytes as f64 / 100.0 * percent) as u64,
        }
    }
}

/// The largest heap that a text asks for, and where; an amount beats a share, and of several the last counts.
pub fn heap(text: &Text) -> Option<(Heap, Range<usize>)> {
    let all = || text.words().into_iter().rev();
    let amount = all().find_map(|(at, word)| Some((Heap::Bytes(amount(word)?), range(at, word))));
    amount.or_else(|| all().find_map(|(at, word)| Some((Heap::Percent(percent(word)?), range(at, word)))))
}

fn range(at: usize, word: &str) -> Range<usize> {
    at..at + word.len()
}

fn amount(word: &str) -> Option<u64> {
    // Gradle's are in a property of its own: -Dorg.gradle.jvmargs=-Xmx2g
    let word = word.trim_matches(['"', '\'']).strip_prefix("-Dorg.gradle.jvmargs=").unwrap_or(word);
    let value = ["-Xmx", "-XX:MaxHeapSize="]
        .iter()
        .find_map(|flag| word.trim_matches(['"', '\'']).strip_prefix(flag))?;
    parse_size(value).ok()
}

fn percent(word: &str) -> Option<f64> {
    let value = word.trim_matches(['"', '\'']).strip_prefix("-XX:MaxRAMPercentage=")?;
    value.parse().ok().filter(|percent: &f64| percent.is_finite() && *percent > 0.0)
}

/// The heap that is there from the beginning: `-Xms`, in bytes.
pub fn first_heap(text: &str) -> Option<u64> {
    text.split_whitespace().rev().find_map(|word| parse_size(word.strip_prefix("-Xms")?).ok())
}

/// Whether a text sizes a heap, also by variables that are not known.
pub fn names_heap(text: &str) -> bool {
    ["-Xmx", "-XX:MaxHeapSize", "-XX:MaxRAMPercentage", "-XX:MaxRAM="].iter().any(|flag| text.contains(flag))
}

/// Whether a text says what happens on a full heap.
pub fn names_exit(text: &str) -> bool {
    ON_FULL.iter().any(|flag| text.contains(flag))
}

/// A command that is a JVM, its options and its variables': `None` where options are in a file we do not see.
pub fn all_options(step: &Step) -> Option<String> {
    if step.program() != "java" || step.argv.iter().any(|word| word.starts_with('@')) {
        return None;
    }
    let variables =
        EVERY_JVM.iter().filter_map(|name| step.value(name)).map(|text| text.as_str().to_string());
    let all: Vec<String> = variables.chain(step.argv.iter().cloned()).collect();
    // A variable that is not known may say anything.
    let has_unknown = step.argv.iter().any(|word| word.starts_with('$'));
    (!has_unknown).then(|| all.join(" "))
}

/// Whether it runs a program: `java -version` and the like need no heap.
pub fn is_program(step: &Step) -> bool {
    step.argv.iter().any(|word| word == "-jar" || word == "-cp" || word == "-classpath" || word == "-m")
        || step.argv.iter().skip(1).any(|word| !word.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn heaps() {
        let check = |value: &str, expect: Option<Heap>| {
            let text = Text::plain(Span { file: 0, start: 0, end: value.len() }, value);
            assert_eq!(heap(&text).map(|(heap, _)| heap), expect, "{value}");
        };
        check("-server -Xmx2g", Some(Heap::Bytes(2 << 30)));
        check("-Xmx1g -Xmx512m", Some(Heap::Bytes(512 << 20)));
        check("-Dorg.gradle.jvmargs=-Xmx4g", Some(Heap::Bytes(4 << 30)));
        check("-XX:MaxRAMPercentage=75.0", Some(Heap::Percent(75.0)));
        check("-XX:MaxRAMPercentage=75 -Xmx1m", Some(Heap::Bytes(1 << 20)));
        check("-Xmx$HEAP", None);
        assert_eq!(first_heap("-Xms256m -Xmx1g"), Some(256 << 20));
    }

    /// The heap that a real JVM takes of these options is the one that we read.
    #[test]
    fn the_real_jvm_takes_what_we_read() {
        for options in
            ["-Xmx512m", "-XX:MaxHeapSize=256m", "-Xmx1g -Xmx64m", "-Xmx64m -XX:MaxRAMPercentage=75"]
        {
            let mut java = std::process::Command::new("java");
            java.args(options.split(' ')).args(["-XX:+PrintFlagsFinal", "-version"]);
            let Ok(printed) = java.output() else { return eprintln!("skipped: there is no java here") };
            let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
            let line = printed.lines().find(|line| line.contains(" MaxHeapSize ")).expect("a flag");
            let taken: u64 =
                line.split_whitespace().nth(3).and_then(|word| word.parse().ok()).expect("bytes");
            let text = Text::plain(Span { file: 0, start: 0, end: options.len() }, options);
            assert_eq!(heap(&text).map(|(heap, _)| heap), Some(Heap::Bytes(taken)), "{options}");
        }
    }
}
