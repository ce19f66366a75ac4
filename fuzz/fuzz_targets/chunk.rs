//! Prometheus' XOR chunks: never a panic, never more samples than a chunk can say it has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_history::chunk::xor;

fuzz_target!(|bytes: &[u8]| {
    let mut points = Vec::new();
    let _ = xor::decode(bytes, &mut points);
    assert!(points.len() <= xor::POINTS_MAX);
});
