//! Streams of remote read, and messages in frames as they should be: never a panic, nothing that was not asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_history::server::fuzzing::{message, stream};

fuzz_target!(|bytes: &[u8]| {
    stream(bytes);
    message(bytes);
});
