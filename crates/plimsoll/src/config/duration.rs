//! Durations as people write them: `90s`, `20m`, `1h30m`.

use std::time::Duration;

/// Reads a duration that is longer than nothing.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: Option<jiff::SignedDuration> = text.trim().parse().ok();
    let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("'{text}' is not a duration\nwrite it as 90s, 20m or 1h30m"))
}

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
}
