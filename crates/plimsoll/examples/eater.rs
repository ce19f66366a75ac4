//! A build step for tests: takes memory at a pace, holds it, ends.
//!
//! `eater MIB [GROW_MS [HOLD_MS [FILE [here and there]]]]`; with a file, it reads that again and again while it holds, from its
//! beginning to its end or here and there.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// Memory is taken in steps of this size.
const STEP_BYTES: usize = 1 << 20;
const PAGE_BYTES: usize = 4096;

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
        Some(file) if args.len() > 4 => {
            let file = File::open(file).expect("the file");
            let pages = file.metadata().expect("its size").len() / PAGE_BYTES as u64;
            let mut place = 1u64;
            while held_at.elapsed() < hold {
                // Knuth's MMIX generator; its high bits are the good ones.
                place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (place >> 33) % pages * PAGE_BYTES as u64;
                file.read_exact_at(&mut [0; PAGE_BYTES], at).expect("read");
            }
        }
        Some(file) => {
            while held_at.elapsed() < hold {
                std::io::copy(&mut File::open(file).expect("the file"), &mut std::io::sink()).expect("read");
            }
        }
        None => std::thread::sleep(hold),
    }
    assert_eq!(held.iter().map(|step| step[0] as u64).sum::<u64>(), mib);
}
