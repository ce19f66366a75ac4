//! Chunks: how Prometheus packs the samples of a series, in its blocks and on the wire.

pub(crate) mod bits;
pub mod xor;

#[cfg(any(test, fuzzing))]
pub mod encode;
