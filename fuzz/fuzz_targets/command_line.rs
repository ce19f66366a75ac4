//! A build's command line: what it starts, how many workers it asks for, and sizes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::input::input_of;
use plimsoll_core::program::{package_scripts, recognise, with_workers, workers_asked};
use plimsoll_core::size::parse_size;

fuzz_target!(|text: &str| {
    let argv: Vec<String> = text.split('\0').map(String::from).collect();
    let shape = recognise(&argv, &[text.to_string()]);
    let _ = (package_scripts(&argv), parse_size(text));
    let tool = shape.tool.unwrap_or("pytest");
    if workers_asked(tool, &argv).is_some() {
        assert_eq!(workers_asked(tool, &with_workers(tool, &argv, 3)), Some(3));
    }
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let _ = input_of(words[0], &words[1..]);
});
