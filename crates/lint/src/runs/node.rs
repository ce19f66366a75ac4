//! What Node makes of `NODE_OPTIONS`, and the heap it has without.

use crate::document::text::Text;
use plimsoll_core::size::{GIB, MIB};
use std::ops::Range;

/// What each Node printed as `process.allowedNodeEnvironmentFlags`, with the versions that did: 18.20.8, 20.20.2, 22.23.5,
/// 24.22.3, 26.12.1. A test asks the Node that is here.
const ALLOWED: &str = include_str!("node_options.txt");
/// The versions in that list.
pub const MAJORS: [u32; 5] = [18, 20, 22, 24, 26];
/// Flags that size the heap in MiB; V8 takes `_` for `-`.
const HEAP: &str = "--max-old-space-size";
/// The same as a share of the limit, from Node 22.
const HEAP_SHARE: &str = "--max-old-space-size-percentage";
/// V8's flags that are numbers: Node does not start where they are anything else (measured: exit 9).
const NUMBERS: [&str; 5] =
    [HEAP, "--max-semi-space-size", "--stack-trace-limit", "--max-heap-size", "--min-semi-space-size"];

/// A flag in `NODE_OPTIONS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Where in the text.
    pub range: Range<usize>,
    /// With `-` for `_`, without its value.
    pub name: String,
    /// What is behind `=`.
    pub value: Option<String>,
}

/// What Node makes of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It takes it.
    Taken,
    /// It does not start: no version that was asked allows it.
    Refused,
    /// It does not start in these versions, and does in others.
    RefusedIn(Vec<u32>),
    /// It does not start: the value is no number.
    NoNumber,
    /// It says nothing, and does nothing: quotes that came with it.
    Ignored,
}

/// The flags of a value, split as Node does: at blanks outside of double quotes.
pub fn flags(text: &Text) -> Vec<Flag> {
    let mut flags = Vec::new();
    let (mut start, mut is_quoted) = (None, false);
    for (at, letter) in text.as_str().char_indices().chain([(text.as_str().len(), ' ')]) {
        if letter == '"' {
            is_quoted = !is_quoted;
        }
        let is_over = at == text.as_str().len();
        match start {
            None if letter.is_whitespace() => {}
            None => start = Some(at),
            Some(from) if (letter.is_whitespace() && !is_quoted) || is_over => {
                flags.push(flag(&text.as_str()[from..at], from));
                start = None;
            }
            Some(_) => {}
        }
    }
    flags
}

fn flag(word: &str, start: usize) -> Flag {
    let bare = word.replace('"', "");
    let (name, value) = match bare.split_once('=') {
        Some((name, value)) => (name, Some(value.to_string())),
        None => (bare.as_str(), None),
    };
    let name = name.replace('_', "-");
    Flag { range: start..start + word.len(), name, value }
}

impl Flag {
    /// What Node of this version makes of it; of any, where the version is not known.
    pub fn verdict(&self, major: Option<u32>) -> Verdict {
        if self.name.starts_with(['\'', '`']) && self.name.trim_start_matches(['\'', '`']).starts_with('-') {
            return Verdict::Ignored;
        }
        if !self.name.starts_with('-') || self.name.contains('$') {
            return Verdict::Taken;
        }
        let known = allowed(&self.name);
        let refusing: Vec<u32> = MAJORS.into_iter().filter(|major| !known.contains(major)).collect();
        if known.is_empty() || major.is_some_and(|major| refusing.contains(&major)) {
            return Verdict::Refused;
        }
        let is_number = |value: &str| value.contains('$') || value.parse::<u64>().is_ok();
        if NUMBERS.contains(&self.name.as_str()) && !self.value.as_deref().is_some_and(is_number) {
            return Verdict::NoNumber;
        }
        match major {
            Some(_) => Verdict::Taken,
            None if refusing.is_empty() => Verdict::Taken,
            None => Verdict::RefusedIn(refusing),
        }
    }
}

/// The versions that allow a flag.
fn allowed(name: &str) -> Vec<u32> {
    let versions = |name: &str| {
        let line = ALLOWED.lines().find(|line| line.split(' ').next() == Some(name))?;
        Some(line.split(' ').skip(1).filter_map(|major| major.parse().ok()).collect())
    };
    // What can be set can be unset (measured with --no-jitless).
    versions(name).or_else(|| versions(&name.replacen("--no-", "--", 1))).unwrap_or_default()
}

/// The heap that a value asks for, and where it says so; of several the last counts.
pub fn heap(text: &Text, limit_bytes: Option<u64>) -> Option<(u64, Range<usize>)> {
    let found = flags(text).into_iter().rev().find_map(|flag| {
        let value = flag.value.as_deref()?;
        let bytes = match flag.name.as_str() {
            HEAP => value.parse::<u64>().ok()?.checked_mul(MIB)?,
            HEAP_SHARE => (limit_bytes? as f64 / 100.0 * value.parse::<f64>().ok()?) as u64,
            _ => return None,
        };
        Some((bytes, flag.range))
    });
    found.filter(|(bytes, _)| *bytes > 0)
}

/// Whether a text sizes a heap, in numbers or in variables that are not known.
pub fn names_heap(text: &str) -> bool {
    text.replace('_', "-").contains(HEAP) || text.contains("--max-heap-size")
}

/// The heap that Node gives itself within a limit: half of it, and from 4 GiB on 2 GiB, as long as the limit is below
/// 16 GiB (measured with Node 20 to 26: 1048 to 1120 MiB at 2 GiB, 2096 to 2240 at 4, 6 and 8 GiB, 4144 to 4288 at 16 GiB).
pub fn default_heap_bytes(limit_bytes: u64) -> u64 {
    match limit_bytes {
        large if large >= 16 * GIB => 4 * GIB,
        small => (small / 2).min(2 * GIB),
    }
}

/// Node's major version in an image's name: `node:20-slim`, `registry/x/node:22.1`.
pub fn major_of_image(image: &str) -> Option<u32> {
    let image = image.split_whitespace().find(|word| !word.starts_with("--"))?;
    let (name, tag) = image.rsplit_once(':')?;
    if name.rsplit('/').next()? != "node" {
        return None;
    }
    let digits: String = tag.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;
    use std::process::Command;

    fn text(value: &str) -> Text {
        Text::plain(Span { file: 0, start: 0, end: value.len() }, value)
    }

    #[test]
    fn verdicts() {
        let check = |value: &str, major: Option<u32>, expect: Verdict| {
            assert_eq!(flags(&text(value))[0].verdict(major), expect, "{value}");
        };
        check("--optimize-for-size", None, Verdict::Refused);
        check("--gc_interval=100", Some(26), Verdict::Refused);
        check("--max_old_space_size=4096", Some(20), Verdict::Taken);
        check("--max-old-space-size=4G", None, Verdict::NoNumber);
        check("--max-old-space-size", None, Verdict::NoNumber);
        check("--max-old-space-size=$HEAP", None, Verdict::Taken);
        check("'--max-old-space-size=1024'", None, Verdict::Ignored);
        check("--max-heap-size=1", Some(20), Verdict::Refused);
        check("--max-heap-size=1", None, Verdict::RefusedIn(vec![18, 20, 22]));
        check("--no-warnings", Some(20), Verdict::Taken);
        check("$NODE_OPTIONS", None, Verdict::Taken);
    }

    /// The list is right where the Node that is here says so; what we say of each example is what it does.
    #[test]
    fn the_real_node_does_what_we_say() {
        let node =
            |options: &str| Command::new("node").args(["-e", "0"]).env("NODE_OPTIONS", options).output().ok();
        let Some(version) = Command::new("node").arg("-p").arg("process.versions.node").output().ok() else {
            eprintln!("skipped: there is no node here");
            return;
        };
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let major: u32 = version.split('.').next().unwrap_or_default().parse().expect("a version");
        if !MAJORS.contains(&major) {
            eprintln!("skipped: node {version} was not asked for its list");
            return;
        }
        let rejected = "--optimize-for-size --gc-interval=100 --lite-mode --single-threaded --memory-reducer \
                        --gc-global --trace-gc --stack-size=900 --no-opt --max-old-space-size=4G \
                        --max-old-space-size --max-heap-size=100 --max-old-space-size-percentage=50 \
                        --nowarnings --expose_gc --jitless --no-jitless --max_old_space_size=512 --no-warnings \
                        --heapsnapshot-near-heap-limit=1 --stack-trace-limit=5 --report-on-fatalerror -r=x \
                        --max-semi-space-size=16 --interpreted-frames-native-stack --v8-pool-size=1";
        for option in rejected.split_whitespace().filter(|option| *option != "-r=x") {
            let code = node(option).and_then(|output| output.status.code());
            let verdict = flags(&text(option))[0].verdict(Some(major));
            let starts = verdict == Verdict::Taken;
            assert_eq!(code, Some(if starts { 0 } else { 9 }), "node {version}: {option}: {verdict:?}");
        }
        let printed = Command::new("node")
            .args(["-p", "[...process.allowedNodeEnvironmentFlags].join(' ')"])
            .output()
            .expect("node");
        for name in String::from_utf8_lossy(&printed.stdout).split_whitespace() {
            assert!(allowed(name).contains(&major), "node {version} allows {name}");
        }
    }

    #[test]
    fn heaps() {
        let check = |value: &str, expect: Option<u64>| {
            assert_eq!(heap(&text(value), Some(1000 * MIB)).map(|(bytes, _)| bytes / MIB), expect, "{value}");
        };
        check("--max-old-space-size=4096", Some(4096));
        check("--max_old_space_size=1 --max-old-space-size=2", Some(2));
        check("--max-old-space-size-percentage=75", Some(750));
        check("--max-old-space-size=$X", None);
        check("--require x", None);
        assert_eq!(default_heap_bytes(2 * GIB), GIB);
        assert_eq!(default_heap_bytes(8 * GIB), 2 * GIB);
        assert_eq!(default_heap_bytes(16 * GIB), 4 * GIB);
        assert_eq!(major_of_image("registry.example.com/x/node:22.1-slim"), Some(22));
        assert_eq!(major_of_image("--platform=linux/amd64 node:20 AS build"), Some(20));
        assert_eq!(major_of_image("node:lts"), None);
    }
}
