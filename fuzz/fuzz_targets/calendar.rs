//! Calendars: read or refused with the line, and what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::capacity::booking::ical::{read, write};

fuzz_target!(|bytes: &[u8]| {
    match read(bytes) {
        Ok(events) => {
            let again = read(write(&events, 0).as_bytes()).expect("what was read can be written");
            assert_eq!(again.len(), events.len());
        }
        Err(error) => assert!(error.line > 0),
    }
});
