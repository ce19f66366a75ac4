//! Rules as tables, and what holds for all of them.

use super::*;
use jiff::civil::DateTime;
use proptest::prelude::*;

const FAR: Bounds = Bounds { most: 500, horizon_ms: 4_000_000_000_000 };

fn at(text: &str) -> DateTime {
    parse::civil(text).expect("a time")
}

fn starts(rule: &str, start: &str, zone_name: &str, bounds: Bounds) -> Result<Expansion, Error> {
    let zone = zone(zone_name)?;
    expand(&rule.parse()?, at(start), &zone, &[], bounds)
}

fn shown(starts_ms: &[i64]) -> Vec<String> {
    starts_ms.iter().map(|at_ms| print::utc(*at_ms)).collect()
}

#[test]
fn rules_and_their_days() {
    let check = |rule: &str, start: &str, days: &[&str]| {
        let found = starts(rule, start, "UTC", FAR).expect(rule);
        let found: Vec<String> = shown(&found.starts_ms).iter().map(|it| it[..8].to_string()).collect();
        assert_eq!(found, days, "{rule} from {start}");
    };
    check("FREQ=DAILY;COUNT=3", "20261130T090000", &["20261130", "20261201", "20261202"]);
    check("FREQ=DAILY;INTERVAL=10;COUNT=2", "20261130T090000", &["20261130", "20261210"]);
    check("FREQ=DAILY;BYDAY=SA,SU;COUNT=3", "20261130T090000", &["20261205", "20261206", "20261212"]);
    check("FREQ=WEEKLY;COUNT=2", "20261201T090000", &["20261201", "20261208"]);
    check(
        "FREQ=WEEKLY;BYDAY=FR,MO;COUNT=4",
        "20261202T090000",
        &["20261204", "20261207", "20261211", "20261214"],
    );
    // A week begins on Monday: Sunday is the last of the first one, and Tuesday of it was before the start.
    check(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;COUNT=3",
        "20261202T090000",
        &["20261206", "20261215", "20261220"],
    );
    check("FREQ=MONTHLY;COUNT=3", "20270131T090000", &["20270131", "20270331", "20270531"]);
    check("FREQ=MONTHLY;BYDAY=2TU;COUNT=2", "20261201T090000", &["20261208", "20270112"]);
    check("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", "20261201T090000", &["20261225", "20270129"]);
    check("FREQ=MONTHLY;BYDAY=5MO;COUNT=2", "20261201T090000", &["20270329", "20270531"]);
    check("FREQ=MONTHLY;BYDAY=1MO,-1MO;COUNT=3", "20261210T090000", &["20261228", "20270104", "20270125"]);
    check("FREQ=MONTHLY;INTERVAL=12;COUNT=2", "20240229T090000", &["20240229", "20280229"]);
    check("FREQ=DAILY;UNTIL=20261202T090000Z", "20261201T090000", &["20261201", "20261202"]);
    check("FREQ=DAILY;UNTIL=20261202T085959Z", "20261201T090000", &["20261201"]);
    check("FREQ=DAILY;UNTIL=20261202", "20261201T235900", &["20261201", "20261202"]);
    check("FREQ=DAILY;UNTIL=20200101", "20261201T090000", &[]);
}

#[test]
fn local_times_across_changes_of_the_clock() {
    let check = |zone: &str, rule: &str, start: &str, utc: &[&str]| {
        let found = starts(rule, start, zone, FAR).expect(rule);
        assert_eq!(shown(&found.starts_ms), utc, "{zone} {start}");
    };
    let daily = "FREQ=DAILY;COUNT=3";
    // 09:00 stays 09:00.
    check(
        "Europe/Berlin",
        "FREQ=WEEKLY;COUNT=3",
        "20261016T090000",
        &["20261016T070000Z", "20261023T070000Z", "20261030T080000Z"],
    );
    // 02:30 does not exist on 2026-03-29: read with the offset before, it is 03:30 in summer time.
    check(
        "Europe/Berlin",
        daily,
        "20260328T023000",
        &["20260328T013000Z", "20260329T013000Z", "20260330T003000Z"],
    );
    // 02:30 exists twice on 2026-10-25: the first.
    check(
        "Europe/Berlin",
        daily,
        "20261024T023000",
        &["20261024T003000Z", "20261025T003000Z", "20261026T013000Z"],
    );
    check(
        "America/New_York",
        daily,
        "20260307T023000",
        &["20260307T073000Z", "20260308T073000Z", "20260309T063000Z"],
    );
    check(
        "America/New_York",
        daily,
        "20261031T013000",
        &["20261031T053000Z", "20261101T053000Z", "20261102T063000Z"],
    );
    // Lord Howe moves by half an hour: 10:30 in winter, 11:00 in summer.
    check(
        "Australia/Lord_Howe",
        daily,
        "20261003T021500",
        &["20261002T154500Z", "20261003T154500Z", "20261004T151500Z"],
    );
    check(
        "Australia/Lord_Howe",
        daily,
        "20260404T014500",
        &["20260403T144500Z", "20260404T144500Z", "20260405T151500Z"],
    );
    // Samoa had no 30 December 2011: what falls there is the day after, once.
    check("Pacific/Apia", daily, "20111229T090000", &["20111229T190000Z", "20111230T190000Z"]);
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let check = |rule: &str, reason: &str| {
        let error = rule.parse::<Rule>().expect_err(rule).to_string();
        assert!(error.contains(reason), "{rule}: {error}");
        assert!(error.contains('\n'), "{rule}: says what to do");
    };
    check("FREQ=YEARLY", "FREQ=YEARLY is not supported");
    check("FREQ=HOURLY", "FREQ=HOURLY is not supported");
    check("FREQ=MONTHLY;BYMONTHDAY=1", "BYMONTHDAY is not supported");
    check("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS is not supported");
    check("FREQ=WEEKLY;WKST=SU", "WKST=SU is not supported");
    check("FREQ=WEEKLY;BYDAY=2MO", "BYDAY=2MO has a number");
    check("FREQ=WEEKLY;BYDAY=XX", "BYDAY=\"XX\" is no weekday");
    check("FREQ=MONTHLY;BYDAY=6MO", "is no weekday");
    check("FREQ=MONTHLY;BYDAY=+-1MO", "is no weekday");
    check("FREQ=MONTHLY;BYDAY=", "is no weekday");
    check("FREQ=MONTHLY;BYDAY=ÄMO", "is no weekday");
    check("FREQ=DAILY;COUNT=2;UNTIL=20270101", "exclude each other");
    check("FREQ=DAILY;COUNT=0", "is not a number from 1 to 10000");
    check("FREQ=DAILY;COUNT=+1", "is not a number from 1 to 10000");
    check("FREQ=DAILY;COUNT=99999999999999999999", "is not a number");
    check("FREQ=DAILY;INTERVAL=1001", "is not a number from 1 to 1000");
    check("FREQ=DAILY;UNTIL=20270101T090000", "is neither a day nor a time in UTC");
    check("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice");
    check("COUNT=2", "FREQ is missing");
    check("", "has no value");
    check("FREQ=DAILY;X=1", "\"X\" is no part of a rule");
    check(&format!("FREQ=DAILY;X={}", "1".repeat(1000)), "longer than 512 bytes");
}

#[test]
fn expansion_is_bounded() {
    let check = |rule: &str, start: &str, bounds: Bounds, expect: Result<(usize, bool), Error>| {
        let found = starts(rule, start, "Europe/Berlin", bounds).map(|it| (it.starts_ms.len(), it.is_cut));
        assert_eq!(found, expect, "{rule}");
    };
    let far = Bounds { most: usize::MAX, horizon_ms: i64::MAX };
    let jan = |horizon: &str| Bounds { most: 100, horizon_ms: instant(horizon) };
    check("FREQ=DAILY", "20270101T090000", Bounds { most: 100, ..far }, Err(Error::TooMany(100)));
    check("FREQ=DAILY", "20270101T090000", far, Err(Error::Sparse(10_000)));
    check("FREQ=DAILY", "20270101T090000", jan("20270105T080000"), Ok((4, true)));
    check("FREQ=DAILY;COUNT=4", "20270101T090000", jan("20270105T080000"), Ok((4, false)));
    check("FREQ=DAILY;COUNT=5", "20270101T090000", jan("20270105T080000"), Ok((4, true)));
    check("FREQ=DAILY;UNTIL=20270104", "20270101T090000", jan("20270105T080000"), Ok((4, false)));
    // Each seventh day is a Friday, never a Monday.
    check("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "20270101T090000", far, Err(Error::Sparse(10_000)));
    check("FREQ=DAILY;INTERVAL=1000", "99980101T090000", far, Err(Error::OutOfRange));
    assert_eq!(zone("Mars/Phobos"), Err(Error::UnknownZone("Mars/Phobos".to_string())));
    assert!(zone(&"x".repeat(10_000)).is_err_and(|it| it.to_string().len() < 200));
}

fn instant(utc: &str) -> i64 {
    instant_ms(at(utc), &jiff::tz::TimeZone::UTC).expect("a moment")
}

#[test]
fn exdate_takes_away_and_count_counts_before() {
    let rule = "FREQ=DAILY;COUNT=3".parse().expect("a rule");
    let berlin = zone("Europe/Berlin").expect("a zone");
    let except = [instant("20261202T080000"), instant("20300101T000000")];
    let found = expand(&rule, at("20261201T090000"), &berlin, &except, FAR).expect("found");
    assert_eq!(shown(&found.starts_ms), ["20261201T080000Z", "20261203T080000Z"]);
}

fn rules() -> impl Strategy<Value = Rule> {
    let end = prop_oneof![
        Just(End::Never),
        (1..=30u32).prop_map(End::Count),
        (1_700_000_000i64..1_900_000_000).prop_map(|seconds| End::UntilMs(seconds * 1000)),
        (2024i16..2030, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| End::UntilDay(jiff::civil::date(y, m, d))),
    ];
    let every = prop_oneof![Just(Every::Day), Just(Every::Week), Just(Every::Month)];
    let days = proptest::collection::vec((-5i8..=5, 0usize..7), 0..4);
    (every, 1u32..=60, days, end).prop_map(|(every, interval, days, end)| {
        let nth = |nth| if every == Every::Month { nth } else { 0 };
        let on = |(number, day): (i8, usize)| OnDay { nth: nth(number), weekday: print::WEEKDAYS[day].1 };
        let mut weekdays: Vec<OnDay> = days.into_iter().map(on).collect();
        weekdays.sort_by_key(|day| (day.nth, day.weekday.to_monday_zero_offset()));
        weekdays.dedup();
        Rule { every, interval, weekdays, end }
    })
}

fn moments() -> impl Strategy<Value = DateTime> {
    let time = (0i8..24, prop_oneof![Just(0i8), Just(30), 0i8..60]);
    let date = (2024i16..2028, 1i8..=12, 1i8..=28);
    (date, time).prop_map(|((y, m, d), (hour, minute))| jiff::civil::date(y, m, d).at(hour, minute, 0, 0))
}

proptest! {
    #[test]
    fn what_is_printed_reads_the_same(rule in rules()) {
        prop_assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(RRULE:)?[A-Z=;0-9,Zä+-]{0,60}") {
        if let Ok(rule) = text.parse::<Rule>() {
            prop_assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule));
        }
    }

    #[test]
    fn occurrences_ascend_and_end(
        rule in rules(),
        start in moments(),
        zone_name in prop_oneof![
            Just("Europe/Berlin"), Just("America/New_York"), Just("Australia/Lord_Howe"), Just("UTC")
        ],
        horizon_ms in 1_700_000_000_000i64..1_900_000_000_000,
    ) {
        let zone = zone(zone_name).unwrap();
        let Ok(found) = expand(&rule, start, &zone, &[], Bounds { most: 400, horizon_ms }) else {
            return Ok(());
        };
        prop_assert!(found.starts_ms.is_sorted_by(|one, next| one < next));
        let first_ms = instant_ms(start, &zone).unwrap();
        for at_ms in &found.starts_ms {
            prop_assert!((first_ms..horizon_ms).contains(at_ms));
            let shown = local(*at_ms, &zone).unwrap();
            // The clock on the wall, or what the gap made of it.
            let is_same = shown.time() == start.time();
            prop_assert!(is_same || instant_ms(shown.date().to_datetime(start.time()), &zone).unwrap() == *at_ms);
            if let (false, true) = (rule.weekdays.is_empty(), is_same) {
                prop_assert!(rule.weekdays.iter().any(|on| on.weekday == shown.date().weekday()));
            }
            match rule.end {
                End::UntilMs(until_ms) => prop_assert!(*at_ms <= until_ms),
                End::UntilDay(day) => prop_assert!(!is_same || shown.date() <= day),
                _ => {}
            }
        }
        if let End::Count(count) = rule.end {
            prop_assert!(found.starts_ms.len() <= count as usize);
            prop_assert!(found.is_cut || found.starts_ms.len() == count as usize);
        }
        if rule.end == End::Never {
            prop_assert!(found.is_cut);
        }
    }
}
