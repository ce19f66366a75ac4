//! PromQL that people set: refused, or a selector that no query comes apart by.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_monitoring::form;
use plimsoll_monitoring::settings::Settings;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut settings = Settings::default();
    settings.selectors.agent = text.to_string();
    settings.selectors.containers = text.to_string();
    let Ok(files) = form::files(&settings) else { return };
    for rule in files.iter().flat_map(|(_, groups)| groups).flat_map(|group| &group.rules) {
        promql_parser::parser::parse(rule.expr()).expect("a query that is handed out");
    }
});
