//! Reasons in words: what a size rests on, for the people who have to answer for it.

use super::answer::{Answer, Confidence, Container, LimitWhy, NotYet, RequestWhy};
use super::course::{Course, DaysToLimit};
use super::peak::{Kind, Peak};
use crate::size::human;
use crate::sizing::{DAY_MS, HOUR_MS};

const WEEKDAYS: [&str; 7] =
    ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];

/// Why a limit is what it is: `weekly peak of 1.9 GiB, Mondays 02:00 UTC, last seen 6 days ago; 7 % above it`.
pub fn of_limit(answer: &Answer, now_ms: i64) -> String {
    let peak = answer.peak.map(|peak| peak_words(&peak, now_ms)).unwrap_or_default();
    match &answer.limit_why {
        LimitWhy::Evidence { look_ms, margin, chance, growth_bytes } => {
            let above = match *margin {
                0.0 => format!("the highest of {}", span(*look_ms)),
                margin => format!("{} above the highest of {}", percent(margin), span(*look_ms)),
            };
            let grown = match growth_bytes {
                0 => String::new(),
                bytes => format!(", and {} for growth", human(*bytes)),
            };
            let chance = match chance {
                Some(chance) => format!("passed with a chance of {}", percent(*chance)),
                None => "the usual, as there is nothing to judge by yet".into(),
            };
            format!("{peak}; {above}{grown}, {chance}")
        }
        LimitWhy::Killed(limit, at_ms) => {
            format!(
                "killed at {} {}: it wanted more than that, nobody knows how much",
                human(*limit),
                ago(*at_ms, now_ms)
            )
        }
        LimitWhy::Held(bytes) => format!("{peak}; it has held {} that cannot be reclaimed", human(*bytes)),
        LimitWhy::Leak => format!("{peak}; it leaks: more would only hide that"),
        LimitWhy::Sibling(id, count) => {
            let more = if *count > 1 { format!(", the largest of {count} alike") } else { String::new() };
            format!("new here: as {}/{}/{}{more}", id.namespace, id.workload, id.container)
        }
        LimitWhy::Policy => peak,
        LimitWhy::Floor => format!("{peak}; nothing is limited to less than the floor"),
    }
}

/// Why a request is what it is.
pub fn of_request(answer: &Answer) -> String {
    match answer.request_why {
        RequestWhy::MostDays(bytes) => format!("nine days of ten stay below {}", human(bytes)),
        RequestWhy::AsLimit => "as the limit, so that its class of service stays".into(),
        RequestWhy::Policy => "as the policy has it".into(),
        RequestWhy::Floor => "nothing requests less than the floor".into(),
    }
}

/// What people have to know besides, each in a sentence.
pub fn warnings(container: &Container, answer: &Answer, now_ms: i64) -> Vec<String> {
    let mut warnings = Vec::new();
    match answer.course {
        Course::Leak(rise) => warnings.push(format!(
            "leaks {} a day: it grows with the time since each start{}",
            human(rise.bytes_per_day as u64),
            reaches(answer.to_limit)
        )),
        Course::GrowthOrLeak(rise) => warnings.push(format!(
            "grows {} a day{}; it has not been restarted in all this time, so this may be a leak",
            human(rise.bytes_per_day as u64),
            reaches(answer.to_limit)
        )),
        Course::Growth(rise) => warnings.push(format!(
            "grows {} a day, restarted or not{}",
            human(rise.bytes_per_day as u64),
            reaches(answer.to_limit)
        )),
        Course::Step { from_bytes, to_bytes, at_ms } => warnings.push(format!(
            "went from {} to {} {}",
            human(from_bytes),
            human(to_bytes),
            ago(at_ms, now_ms)
        )),
        Course::Level => {}
    }
    if let Some(kill) = container.profile.oom_kills.last() {
        warnings.push(format!(
            "killed for want of memory {}, the last time {}",
            times(container.profile.oom_kills.len()),
            ago(kill.at_ms, now_ms)
        ));
    }
    if let Some((peak, held)) = answer.peak.zip(container.profile.non_reclaimable_bytes)
        && held * 4 < peak.bytes * 3
    {
        warnings.push(format!(
            "of the highest {}, {} or more is page cache that the kernel can take back",
            human(peak.bytes),
            human(peak.bytes - held)
        ));
    }
    warnings
}

/// Why there is no answer.
pub fn of_not_yet(not_yet: NotYet) -> String {
    match not_yet {
        NotYet::NothingRead => "nothing was read of it".into(),
        NotYet::TooShort(hours) => {
            format!("only {hours} hours of history, and no container like it to learn from")
        }
    }
}

impl Confidence {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Middle => "middle",
            Confidence::High => "high",
        }
    }
}

fn peak_words(peak: &Peak, now_ms: i64) -> String {
    let bytes = human(peak.bytes);
    let seen = format!("last seen {}", ago(peak.last_ms, now_ms));
    match peak.kind {
        Kind::Usual => format!("days are alike, the highest {bytes}"),
        Kind::Daily(hour) => format!("daily peak of {bytes}, about {hour:02}:00 UTC"),
        Kind::Weekly(day, hour) => {
            format!("weekly peak of {bytes}, {} {hour:02}:00 UTC, {seen}", WEEKDAYS[day as usize % 7])
        }
        Kind::Monthly => format!("monthly peak of {bytes}, {seen}"),
        Kind::StartUp => format!("start-up needs {bytes}, then {}", human(peak.usual_bytes)),
        Kind::Once => {
            format!("{bytes} once, {}; else up to {}", ago(peak.last_ms, now_ms), human(peak.usual_bytes))
        }
        Kind::NowAndThen(days) => {
            format!("up to {bytes} on {days} days, {seen}; else up to {}", human(peak.usual_bytes))
        }
    }
}

fn reaches(to_limit: Option<DaysToLimit>) -> String {
    let Some(DaysToLimit { days, earliest, latest }) = to_limit else { return String::new() };
    let latest = latest.map_or("later".to_string(), |days| format!("{days:.1}"));
    format!(", and reaches its limit in {days:.1} days ({earliest:.1} to {latest})")
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        percent if percent >= 9.95 => format!("{percent:.0} %"),
        percent if percent >= 0.095 => format!("{percent:.1} %"),
        percent => format!("{percent:.2} %"),
    }
}

/// A stretch of time in days, hours or minutes.
pub fn span(ms: i64) -> String {
    match ms {
        ms if ms >= 2 * DAY_MS => format!("{:.0} days", ms as f64 / DAY_MS as f64),
        ms if ms >= HOUR_MS => format!("{:.0} hours", ms as f64 / HOUR_MS as f64),
        ms => format!("{:.0} minutes", ms as f64 / 60_000.0),
    }
}

fn ago(at_ms: i64, now_ms: i64) -> String {
    match now_ms - at_ms {
        ms if ms < HOUR_MS => "within the hour".into(),
        ms if ms < 2 * HOUR_MS => "an hour ago".into(),
        ms if ms < 2 * DAY_MS => format!("{} hours ago", ms / HOUR_MS),
        ms => format!("{} days ago", ms / DAY_MS),
    }
}

fn times(count: usize) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        count => format!("{count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_in_words() {
        let check = |kind: Kind, expect: &str| {
            let peak = Peak { bytes: 2_040_109_466, last_ms: 0, usual_bytes: 600 << 20, kind };
            assert_eq!(peak_words(&peak, 6 * DAY_MS), expect);
        };
        check(Kind::Weekly(0, 2), "weekly peak of 1.9 GiB, Mondays 02:00 UTC, last seen 6 days ago");
        check(Kind::Once, "1.9 GiB once, 6 days ago; else up to 600 MiB");
        check(Kind::Daily(9), "daily peak of 1.9 GiB, about 09:00 UTC");
        check(Kind::StartUp, "start-up needs 1.9 GiB, then 600 MiB");
        check(Kind::NowAndThen(3), "up to 1.9 GiB on 3 days, last seen 6 days ago; else up to 600 MiB");
        check(Kind::Usual, "days are alike, the highest 1.9 GiB");
        check(Kind::Monthly, "monthly peak of 1.9 GiB, last seen 6 days ago");
    }

    #[test]
    fn shares_and_spans() {
        assert_eq!([0.15, 0.07, 0.0031, 0.0001].map(percent), ["15 %", "7.0 %", "0.3 %", "0.01 %"]);
        assert_eq!(
            [14 * DAY_MS, 84 * HOUR_MS, 5 * HOUR_MS, 900_000].map(span),
            ["14 days", "4 days", "5 hours", "15 minutes"]
        );
    }
}
