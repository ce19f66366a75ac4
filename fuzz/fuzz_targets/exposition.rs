//! Metrics of pods: read or refused with the line, and an observation of them makes sense.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::capacity::observing::{Names, Shown, exposition::read};

fuzz_target!(|bytes: &[u8]| {
    let names = Names::default();
    match read(&String::from_utf8_lossy(bytes), |_| true) {
        Ok(samples) => {
            if let Ok(observation) = Shown::default().observe(&names, "pod", 1_700_000_000_000, &samples) {
                observation.check().expect("it makes sense");
            }
        }
        Err(error) => assert!(error.line > 0),
    }
});
