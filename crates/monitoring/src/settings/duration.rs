//! Prometheus' durations, as strictly as Prometheus reads `for`: what promql-parser has for that takes a number without a unit for seconds, panics at
//! one below 0, and leaves out what is too large.

/// Milliseconds of a duration as Prometheus reads it: numbers with units, the largest unit first, each once, at most 292 years.
pub(super) fn parse_millis(text: &str) -> Option<u64> {
    const SECOND: u64 = 1000;
    const DAY: u64 = 24 * 3600 * SECOND;
    const UNITS: [(&str, u64); 7] = [
        ("y", 365 * DAY),
        ("w", 7 * DAY),
        ("d", DAY),
        ("h", 3600 * SECOND),
        ("m", 60 * SECOND),
        ("s", SECOND),
        ("ms", 1),
    ];
    // It counts in nanoseconds.
    const MAX: u64 = i64::MAX as u64 / 1_000_000;
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut sum) = (text, None);
    for (unit, millis) in UNITS {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let Some(next) = after.strip_prefix(unit) else { continue };
        // `m` of `ms` is none.
        if number.is_empty() || (unit == "m" && next.starts_with('s')) {
            continue;
        }
        let part = number.parse::<u64>().ok()?.checked_mul(millis)?;
        sum = Some(part.checked_add(sum.unwrap_or(0)).filter(|sum| *sum <= MAX)?);
        rest = next;
    }
    sum.filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_prometheus_own() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(parse_millis(text), expect, "{text:?}");
        check("0", Some(0));
        check("0s", Some(0));
        check("5m", Some(300_000));
        check("1h30m", Some(5_400_000));
        check("90s", Some(90_000));
        check("250ms", Some(250));
        check("1m1s1ms", Some(61_001));
        check("1d", Some(86_400_000));
        check("1w2d", Some(777_600_000));
        check("1y", Some(31_536_000_000));
        check("292y", Some(9_208_512_000_000));
        for wrong in
            ["", "5", "m", "5 m", "5m5h", "5m5m", "5x", "-5m", "5m ", "1.5h", "293y", "99999999999999999999s"]
        {
            check(wrong, None);
        }
    }
}
