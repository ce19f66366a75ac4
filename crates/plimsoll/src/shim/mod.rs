//! The shim: the preload that tells every Node of a build the cgroup's truth.

use plimsoll_core::knobs::Knob;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The preload's text: CommonJS for Node from version 16.
pub const PRELOAD: &str = include_str!("preload.cjs");

/// The preload by which a Node process tells an agent its heap: CommonJS for Node from version 16.
pub const HEAP_PRELOAD: &str = include_str!("heap.cjs");

/// Writes the preload into a folder of this run and returns its path.
pub fn write(dir: &Path) -> io::Result<PathBuf> {
    let path = dir.join("preload.cjs");
    std::fs::write(&path, PRELOAD)?;
    Ok(path)
}

/// Writes the numbers of an attempt beside the preload, for Nodes below a tool that takes our variables from their
/// environment (turbo does). Without the file the preload has the variables.
pub fn tell(preload: &Path, knobs: &[Knob]) -> io::Result<()> {
    let facts: BTreeMap<&str, &str> = knobs
        .iter()
        .filter(|knob| knob.name.starts_with("PLIMSOLL_"))
        .map(|knob| (knob.name.as_str(), knob.value.as_str()))
        .collect();
    std::fs::write(preload.with_extension("facts"), serde_json::to_string(&facts)?)
}
