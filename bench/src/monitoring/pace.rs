//! The rules and routes that are rendered, at a faster pace: seconds pass for minutes, and an hour of leaking for a third of one.

use promql_parser::util::parse_duration;
use std::time::Duration;

/// Ten minutes are three seconds, four hours 72.
const PACE: u32 = 200;
/// What is looked at has a few samples in it, at one a second.
const RANGE_LEAST: Duration = Duration::from_secs(4);
/// An alert stays as it is for so long that somebody can see it.
const STATE_LEAST: Duration = Duration::from_secs(1);

/// Rules, with all that they wait for and look back at.
pub fn rules(text: &str) -> String {
    text.lines().map(|line| rule(line) + "\n").collect()
}

/// Routes, with alerts gathered for a second.
pub fn routes(text: &str) -> String {
    let line = |line: &str| match line.split_once(": ") {
        Some((key, _)) if key.ends_with("group_wait") || key.ends_with("group_interval") => {
            format!("{key}: 1s\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn rule(line: &str) -> String {
    if let Some((key, value)) = line.split_once(": ")
        && matches!(key.trim(), "for" | "keep_firing_for")
    {
        // None at all, `0s`, is no duration to it, and stays.
        return parse_duration(value)
            .map_or_else(|_| line.to_string(), |it| format!("{key}: {}", faster(it, STATE_LEAST)));
    }
    let ranges = each_after(line, "[", RANGE_LEAST);
    each_after(&ranges, "offset ", Duration::ZERO)
}

/// Each duration right after this.
fn each_after(line: &str, before: &str, least: Duration) -> String {
    let mut parts = line.split(before);
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let length = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (duration, rest) = part.split_at(length);
        let duration = parse_duration(duration).map_or_else(|_| duration.to_string(), |it| faster(it, least));
        text += &format!("{before}{duration}{rest}");
    }
    text
}

fn faster(duration: Duration, least: Duration) -> String {
    format!("{}ms", (duration / PACE).max(least).as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_wait_for_and_look_back_at() {
        let check = |line: &str, expect: &str| assert_eq!(rule(line), expect);
        check("    for: 10m", "    for: 3000ms");
        check("    for: 15s", "    for: 1000ms");
        check("    for: 0s", "    for: 0s");
        check("    keep_firing_for: 1h30m", "    keep_firing_for: 27000ms");
        check(
            "min_over_time(x{a=~\"[a-z]+\"}[1h] offset 4h) > 0",
            "min_over_time(x{a=~\"[a-z]+\"}[18000ms] offset 72000ms) > 0",
        );
        check("rate(x[2m]) or y offset 60m + y", "rate(x[4000ms]) or y offset 18000ms + y");
        check("  interval: 1s", "  interval: 1s");
        check("      description: \"of the last 10m.\"", "      description: \"of the last 10m.\"");
    }

    #[test]
    fn alerts_are_gathered_for_a_second() {
        let text = "route:\n  group_wait: 30s\n  routes:\n  - group_wait: 2m\n    repeat_interval: 4h\n";
        assert_eq!(
            routes(text),
            "route:\n  group_wait: 1s\n  routes:\n  - group_wait: 1s\n    repeat_interval: 4h\n"
        );
    }
}
