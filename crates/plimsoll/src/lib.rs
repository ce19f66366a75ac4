//! Plimsoll, the program's parts.

pub mod shim;
pub mod sniff;
