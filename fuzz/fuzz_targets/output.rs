//! What a build prints: the same sightings wherever the pieces are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::signature::Scanner;

fuzz_target!(|bytes: &[u8]| {
    let mut whole = Scanner::new();
    whole.feed(bytes);
    let mut cut = Scanner::new();
    for piece in bytes.chunks(7) {
        cut.feed(piece);
    }
    assert_eq!(whole.finish(), cut.finish());
});
