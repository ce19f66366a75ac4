//! The machine a table was made on, in one line for its readers.

use plimsoll_probe::cgroup::{Layout, Version};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

/// Tools whose version decides what a build takes, each with how it tells it.
const TOOLS: [(&str, &str); 6] = [
    ("node", "--version"),
    ("java", "-version"),
    ("g++", "--version"),
    ("make", "--version"),
    ("rustc", "--version"),
    ("python3", "--version"),
];

/// Cores, memory, kernel, cgroup version and tools.
pub fn describe() -> String {
    let cores = available_parallelism().map_or("unknown".to_string(), |cores| cores.to_string());
    let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory_gib(&text));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cgroup = match Layout::detect(Path::new("/"), std::process::id()).memory {
        Ok(place) if place.version == Version::V1 => "v1",
        Ok(_) => "v2",
        Err(_) => "none",
    };
    let tools: Vec<String> = TOOLS.iter().filter_map(|(tool, flag)| version(tool, flag)).collect();
    format!(
        "{cores} cores, {} GiB, Linux {}, memory cgroup {cgroup}; {}",
        memory.map_or("unknown".to_string(), |gib| format!("{gib:.1}")),
        kernel.trim(),
        tools.join(", "),
    )
}

fn memory_gib(meminfo: &str) -> Option<f64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024.0 / 1024.0)
}

/// The first word with a digit of what a tool says of itself.
fn version(tool: &str, flag: &str) -> Option<String> {
    let output = Command::new(tool).arg(flag).output().ok()?;
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    first_number(&String::from_utf8_lossy(&said)).map(|number| format!("{tool} {number}"))
}

fn first_number(said: &str) -> Option<String> {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_ascii_digit()).to_string();
    said.split_whitespace().map(bare).find(|word| word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found() {
        let check =
            |said: &str, expect: Option<&str>| assert_eq!(first_number(said).as_deref(), expect, "{said}");
        check("v20.20.2\n", Some("20.20.2"));
        check("openjdk version \"17.0.15\" 2025-04-15", Some("17.0.15"));
        check("g++ (Debian 12.2.0-14+deb12u1) 12.2.0", Some("12.2.0-14+deb12u1"));
        check("no such thing", None);
    }

    #[test]
    fn memory_is_read() {
        assert_eq!(memory_gib("MemTotal:        2097152 kB\nMemFree: 1 kB\n"), Some(2.0));
        assert_eq!(memory_gib(""), None);
    }
}
