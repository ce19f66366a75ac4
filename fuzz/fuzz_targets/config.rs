//! `plimsoll.yaml`: taken, or refused in words.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = plimsoll::config::parse("plimsoll.yaml", text) {
        assert!(error.to_string().contains("plimsoll.yaml"));
    }
});
