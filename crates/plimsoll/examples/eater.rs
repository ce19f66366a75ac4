//! A build step for tests: takes memory at a pace, holds it, ends.
//!
//! `eater MIB [GROW_MS [HOLD_MS [FILE]]]`; with a file, it reads that again and again while it holds.

use std::time::{Duration, Instant};

/// Memory is taken in steps of this size.
const STEP_BYTES: usize = 1 << 20;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args.get(at).map(|arg| arg.parse::<u64>().expect("a number"));
    let mib = number(0).expect("eater MIB [GROW_MS [HOLD_MS [FILE]]]");
    let (grow_ms, hold_ms) = (number(1).unwrap_or(0), number(2).unwrap_or(0));
    let mut held = Vec::new();
    for _ in 0..mib {
        // Written, not only reserved: pages count when they are touched.
        held.push(vec![1u8; STEP_BYTES]);
        std::thread::sleep(Duration::from_millis(grow_ms) / mib.max(1) as u32);
    }
    let (held_at, hold) = (Instant::now(), Duration::from_millis(hold_ms));
    match args.get(3) {
        Some(file) => {
            while held_at.elapsed() < hold {
                std::io::copy(&mut std::fs::File::open(file).expect("the file"), &mut std::io::sink())
                    .expect("read");
            }
        }
        None => std::thread::sleep(hold),
    }
    assert_eq!(held.iter().map(|step| step[0] as u64).sum::<u64>(), mib);
}
