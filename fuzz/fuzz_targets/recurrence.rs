//! Rules of recurrence: read or refused, printed as they were read, and expanded within their bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::capacity::booking::recurrence::{Bounds, Rule, expand, local, zone};

fuzz_target!(|text: &str| {
    let Ok(rule) = text.parse::<Rule>() else { return };
    assert_eq!(rule.to_string().parse::<Rule>().as_ref(), Ok(&rule));
    let berlin = zone("Europe/Berlin").expect("a zone");
    let start = local(1_796_000_000_000, &berlin).expect("a time");
    if let Ok(found) = expand(&rule, start, &berlin, &[], Bounds { most: 100, horizon_ms: 1_900_000_000_000 }) {
        assert!(found.starts_ms.len() <= 100);
        assert!(found.starts_ms.is_sorted());
    }
});
