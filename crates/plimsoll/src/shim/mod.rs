//! The shim: the preload that tells every Node of a build the cgroup's truth.

use std::io;
use std::path::{Path, PathBuf};

/// The preload's text: CommonJS for Node from version 16.
pub const PRELOAD: &str = include_str!("preload.cjs");

/// Writes the preload into a folder of this run and returns its path.
pub fn write(dir: &Path) -> io::Result<PathBuf> {
    let path = dir.join("preload.cjs");
    std::fs::write(&path, PRELOAD)?;
    Ok(path)
}
