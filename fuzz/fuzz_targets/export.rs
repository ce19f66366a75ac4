//! Lines of VictoriaMetrics' export: never a panic, nothing that was not asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_history::server::fuzzing::lines;

fuzz_target!(|bytes: &[u8]| lines(bytes));
