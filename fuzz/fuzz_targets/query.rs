//! Answers to queries: never a panic, nothing that was not asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_history::server::fuzzing::answers;

fuzz_target!(|bytes: &[u8]| answers(bytes));
