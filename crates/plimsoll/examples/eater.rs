//! A build step for tests: takes memory at a pace, holds it, ends.
//!
//! `eater MIB [GROW_MS [HOLD_MS]]`

use std::time::Duration;

/// Memory is taken in steps of this size.
const STEP_BYTES: usize = 1 << 20;

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("a number"));
    let mib = args.next().expect("eater MIB [GROW_MS [HOLD_MS]]");
    let grow_ms = args.next().unwrap_or(0);
    let hold_ms = args.next().unwrap_or(0);
    let mut held = Vec::new();
    for _ in 0..mib {
        // Written, not only reserved: pages count when they are touched.
        held.push(vec![1u8; STEP_BYTES]);
        std::thread::sleep(Duration::from_millis(grow_ms) / mib.max(1) as u32);
    }
    std::thread::sleep(Duration::from_millis(hold_ms));
    assert_eq!(held.iter().map(|step| step[0] as u64).sum::<u64>(), mib);
}
