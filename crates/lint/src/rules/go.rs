//! `GOMEMLIMIT` at or above the limit does nothing in time; one that Go does not understand stops the program.

use crate::finding::{Findings, advice};
use crate::project::Project;
use plimsoll_core::program::Runtime;
use plimsoll_core::size::{MIB, human};

pub fn check(project: &Project, findings: &mut Findings) {
    for run in &project.runs {
        for setting in run.effective(&["GOMEMLIMIT"], Runtime::Native) {
            let text = setting.value.as_str();
            let span = setting.value.whole();
            match bytes(text) {
                None if text.contains('$') || matches!(text, "" | "off") => {}
                None => findings.push(
                    span,
                    format!("Go does not understand GOMEMLIMIT={text}: the program stops as it starts"),
                    advice("write it with B, KiB, MiB, GiB or TiB, such as 900MiB"),
                ),
                Some(bytes) => {
                    if let Some(limit) = run.limit.as_ref().filter(|limit| bytes >= limit.bytes) {
                        let message = format!(
                            "{}: GOMEMLIMIT is {}, and the limit {}: the kernel kills before Go collects harder",
                            run.what,
                            human(bytes),
                            limit.shown
                        );
                        let fix =
                            format!("GOMEMLIMIT={}MiB, nine tenths of the limit", limit.bytes / 10 * 9 / MIB);
                        findings.push(span, message, advice(fix));
                    }
                }
            }
        }
    }
}

/// As Go's runtime reads it (<https://pkg.go.dev/runtime#hdr-Environment_Variables>): a whole number, and one of five units.
fn bytes(text: &str) -> Option<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("B", 0), ("", 0)];
    let (number, shift) = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))?;
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_reads_it() {
        let check = |text: &str, expect| assert_eq!(bytes(text), expect, "{text}");
        check("1GiB", Some(1 << 30));
        check("900MiB", Some(900 << 20));
        check("1024", Some(1024));
        check("12B", Some(12));
        check("1GB", None);
        check("1Gi", None);
        check("1.5GiB", None);
        check("", None);
    }

    /// The go command is a program in Go.
    #[test]
    fn the_real_go_does_what_we_say() {
        for text in ["1GiB", "900MiB", "1024", "12B", "1GB", "1Gi", "1.5GiB", "1 GiB", "-1"] {
            let go = std::process::Command::new("go").arg("version").env("GOMEMLIMIT", text).output();
            let Ok(go) = go else { return eprintln!("skipped: there is no go here") };
            assert_eq!(go.status.code(), Some(if bytes(text).is_some() { 0 } else { 2 }), "{text}");
        }
    }
}
