//! What a run leaves behind: report, metrics, page, and the summary on stderr.

use super::settings::Settings;
use crate::render::report::RunReport;
use crate::render::{html, openmetrics, summary};
use std::path::Path;

/// Writes all that was asked for. A file that cannot be written is said and changes nothing else.
pub fn write(settings: &Settings, report: &RunReport) {
    let json = || serde_json::to_string_pretty(report).map(|text| text + "\n").unwrap_or_default();
    save("--report", settings.report.as_deref(), json);
    save("--metrics", settings.metrics.as_deref(), || openmetrics::openmetrics(report));
    save("--html", settings.html.as_deref(), || html::page(report));
    if !settings.quiet {
        eprint!("{}", summary::summary(report, summary::Style::detect()));
    }
}

fn save(flag: &str, path: Option<&Path>, text: impl FnOnce() -> String) {
    let Some(path) = path else { return };
    if let Err(error) = std::fs::write(path, text()) {
        eprintln!(
            "plimsoll: {flag} {}: {error}\ncheck that the folder exists and can be written to",
            path.display()
        );
    }
}
