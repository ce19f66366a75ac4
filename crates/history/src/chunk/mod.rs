//! Chunks: how Prometheus packs the samples of a series, in its blocks and on the wire.

mod bits;
pub mod xor;

#[cfg(test)]
pub mod encode;
