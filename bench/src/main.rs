//! The benchmark: real builds under real limits.

fn main() {}
