//! Parse, run, map to one exit code.

fn main() {}
