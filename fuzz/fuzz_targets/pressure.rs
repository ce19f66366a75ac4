//! Pressure files: a share is a share.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_probe::psi::Pressure;

fuzz_target!(|text: &str| {
    if let Some(pressure) = Pressure::parse(text) {
        assert!((0.0..=100.0).contains(&pressure.some.avg10_percent));
    }
});
