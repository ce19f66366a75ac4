//! Durations as people write them: `90s`, `20m`, `1h30m`, and where days are meant `14d` and `2w`.

use jiff::{Span, SpanRelativeTo, Unit};
use std::time::Duration;

/// Reads a duration that is longer than nothing.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: Option<jiff::SignedDuration> = text.trim().parse().ok();
    let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("'{text}' is not a duration\nwrite it as 90s, 20m or 1h30m"))
}

/// Reads a stretch of history that is longer than nothing, in milliseconds; a day has 24 hours.
pub fn parse_span_ms(text: &str) -> Result<i64, String> {
    let span: Option<Span> = text.trim().parse().ok();
    let total =
        span.and_then(|span| span.total((Unit::Millisecond, SpanRelativeTo::days_are_24_hours())).ok());
    total
        .filter(|ms| (1.0..=SPAN_MS_MAX).contains(ms))
        .map(|ms| ms as i64)
        .ok_or_else(|| format!("'{text}' is not a stretch of time\nwrite it as 14d, 36h or 5m, up to 3650d"))
}

/// Ten years, in milliseconds.
const SPAN_MS_MAX: f64 = 3650.0 * 86_400_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        let check = |text: &str, seconds: Option<u64>| {
            assert_eq!(parse_duration(text).ok(), seconds.map(Duration::from_secs), "{text}");
        };
        check("90s", Some(90));
        check("20m", Some(1200));
        check("1h30m", Some(5400));
        check(" 2h ", Some(7200));
        check("0s", None);
        check("-5m", None);
        check("20", None);
        check("soon", None);
        check("", None);
    }

    #[test]
    fn stretches_have_days() {
        let check = |text: &str, minutes: Option<i64>| {
            assert_eq!(parse_span_ms(text).ok(), minutes.map(|minutes| minutes * 60_000), "{text}");
        };
        check("14d", Some(14 * 24 * 60));
        check("2w", Some(14 * 24 * 60));
        check("1d12h", Some(36 * 60));
        check("5m", Some(5));
        check("0d", None);
        check("-1d", None);
        check("9999d", None);
        check("week", None);
    }
}
