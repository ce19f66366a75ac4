//! CSV files of series and of jobs: never a panic, never more memory than the file has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_history::table::Format;
use plimsoll_history::{Source, jobs, series};

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("plimsoll-fuzz-{}.csv", std::process::id()));
    std::fs::write(&path, bytes).expect("a temporary file");
    let _ = series::of_file(Format::Csv, &path);
    let _ = jobs::read(&Source::File(Format::Csv, path));
});
