//! Calendars as tables, there and back, and whatever bytes.

use super::*;
use crate::capacity::booking::recurrence::{End, Every, Rule};
use crate::capacity::roles::{Counts, Role};
use jiff::civil::date;
use proptest::prelude::*;

fn calendar(lines: &str) -> String {
    let event = format!("BEGIN:VEVENT\nUID:u1\n{lines}\nEND:VEVENT");
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{event}\nEND:VCALENDAR\n")
}

const HOUR: &str = "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z";

#[test]
fn an_event_of_a_calendar_program() {
    let text = "\u{feff}BEGIN:VCALENDAR\r\nPRODID:x\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\n\
        DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nuid:a@b\r\nDTSTART;TZID=\"Europe/Berlin\":20261201T090000\r\nDURATION:PT1H30M\r\n\
        SUMMARY;LANGUAGE=en:Dyads\\, with \r\n video\\; day\\n1\r\nRRULE:FREQ=WEEKLY;COUNT=4\r\n\
        EXDATE;TZID=Europe/Berlin:20261208T090000,20261215T090000\r\nX-PLIMSOLL-COUNTS:participant_video=20,experimenter=3\
        \r\nX-PLIMSOLL-ROOMS:10\r\nBEGIN:VALARM\r\nDURATION:PT5M\r\nEND:VALARM\r\nLOCATION:here\r\nSTATUS:CONFIRMED\r\n\
        END:VEVENT\r\nEND:VCALENDAR";
    let events = read(text.as_bytes()).expect("events");
    let berlin = |day: i8, hour, minute| Moment {
        local: date(2026, 12, day).at(hour, minute, 0, 0),
        zone: Some("Europe/Berlin".into()),
    };
    let rule = Rule { every: Every::Week, interval: 1, weekdays: vec![], end: End::Count(4) };
    let counts = [(Role::PARTICIPANT_VIDEO, 20), (Role::EXPERIMENTER, 3)];
    let expect = Event {
        uid: "a@b".into(),
        summary: "Dyads, with video; day\n1".into(),
        start: berlin(1, 9, 0),
        end: berlin(1, 10, 30),
        rule: Some(rule),
        except: vec![berlin(8, 9, 0), berlin(15, 9, 0)],
        is_cancelled: false,
        sequence: 0,
        counts: Counts::new(counts.into()).expect("counts"),
        rooms: 10,
        region: None,
        owner: None,
    };
    assert_eq!(events, [expect]);
}

#[test]
fn what_is_refused_says_where_and_why() {
    let check = |text: &str, line: usize, what: &str| {
        let error = read(text.as_bytes()).expect_err(text);
        assert!(error.line == line && error.what.contains(what), "{text}: {error:?}");
        assert!(!error.hint.is_empty());
    };
    let event = |lines: &str, line, what| check(&calendar(lines), line, what);
    event("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261202", 5, "DTSTART is a day without a time");
    event("DTSTART:20261201\nDTEND:20261202", 5, "DTSTART is a day without a time");
    event("DTSTART:20261201T090000\nDTEND:20261201T100000", 5, "DTSTART has no time zone");
    event(
        "DTSTART;TZID=W. Europe Standard Time:20261201T090000",
        5,
        "\"W. Europe Standard Time\" is not known",
    );
    event("DTSTART:20261301T090000Z", 5, "is not a time");
    event(&format!("{HOUR}\nRDATE:20261201T090000Z"), 7, "RDATE is not supported");
    event(&format!("{HOUR}\nEXRULE:FREQ=DAILY"), 7, "EXRULE is not supported");
    event(&format!("{HOUR}\nRECURRENCE-ID:20261201T090000Z"), 7, "RECURRENCE-ID is not supported");
    event(&format!("{HOUR}\nRRULE:FREQ=YEARLY"), 7, "FREQ=YEARLY is not supported");
    event(&format!("{HOUR}\nDURATION:PT1H"), 3, "not one of DTEND and DURATION");
    event("DTSTART:20261201T090000Z", 3, "not one of DTEND and DURATION");
    event("DTSTART:20261201T090000Z\nDTEND:20261201T090000Z", 3, "does not end after it starts");
    event("DTSTART:20261201T090000Z\nDURATION:PT", 6, "not between a second and a year");
    event("DTSTART:20261201T090000Z\nDURATION:-PT1H", 6, "is not a length of time");
    event("DTSTART:20261201T090000Z\nDURATION:P99999999999999999999D", 6, "is not a length of time");
    event("DTSTART:99991231T235959Z\nDURATION:P300D", 3, "out of range");
    event(&format!("{HOUR}\nX-PLIMSOLL-COUNTS:Admin=1"), 7, "is not roles and numbers");
    event(&format!("{HOUR}\nX-PLIMSOLL-COUNTS:admin=1,admin=2"), 7, "a role twice");
    event(&format!("{HOUR}\nX-PLIMSOLL-COUNTS:admin=99999999"), 7, "too many");
    event(&format!("{HOUR}\nX-PLIMSOLL-ROOMS:-1"), 7, "is not a number");
    event(&format!("{HOUR}\nUID:u2"), 7, "UID is there twice");
    event(&format!("{HOUR}\nSUMMARY:{}", "x".repeat(2_001)), 7, "longer than 2000 bytes");
    event("nothing", 5, "it has no value");
    event("=:x", 5, "does not begin with a name");
    event("X;P:x", 5, "a parameter has no value");
    event("X;P=\"x:x", 5, "it has no value");
    check("", 1, "there is no whole calendar");
    check("BEGIN:VCALENDAR\n", 1, "there is no whole calendar");
    check("BEGIN:VEVENT\n", 1, "it begins where it cannot");
    check("X:1\n", 1, "not within a calendar");
    check("BEGIN:VCALENDAR\nEND:VEVENT\n", 2, "ends what did not begin");
    check(&format!("BEGIN:VCALENDAR\n{}", "BEGIN:X\n".repeat(9)), 9, "begins where it cannot");
    check(&format!("BEGIN:VCALENDAR\n{}", " x\n".repeat(20_000)), 16_371, "longer than 16 KiB");
    check(&"x".repeat(MOST_BYTES + 1), 1, "larger than 1 MiB");
    assert_eq!(read(b"\xff\xfe").expect_err("no text").what, "it is not UTF-8");
}

#[test]
fn lengths_are_of_time_not_of_the_clock() {
    let check = |start: &str, length: &str, end: &str| {
        let text = calendar(&format!("DTSTART;TZID=Europe/Berlin:{start}\nDURATION:{length}"));
        let event = read(text.as_bytes()).expect(length).remove(0);
        let text = write(&[event], 0);
        assert!(text.contains(&format!("DTEND{end}")), "{start} {length}: {text}");
        assert!(read(text.as_bytes()).is_ok(), "{text}");
    };
    check("20261201T090000", "PT1H30M", ";TZID=Europe/Berlin:20261201T103000");
    check("20261201T090000", "P1W1DT1S", ";TZID=Europe/Berlin:20261209T090001");
    check("20260329T013000", "PT1H", ";TZID=Europe/Berlin:20260329T033000");
    // 02:30 again: it would be read as the first.
    check("20261025T023000", "PT1H", ":20261025T013000Z");
    check("20261025T023000", "PT2H", ";TZID=Europe/Berlin:20261025T033000");
}

#[test]
fn how_much_there_may_be() {
    let one = format!("BEGIN:VEVENT\nUID:u\n{HOUR}\nEND:VEVENT\n");
    let check = |events: usize, is_fine: bool| {
        let text = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR", one.repeat(events));
        assert_eq!(read(text.as_bytes()).is_ok(), is_fine, "{events}");
    };
    check(1_000, true);
    check(1_001, false);
    let except = "EXDATE:20261201T090000Z\n".repeat(501);
    assert!(read(calendar(&format!("{HOUR}\n{except}X:1")).as_bytes()).is_err());
}

#[test]
fn what_is_written_is_folded_and_has_its_zone() {
    let berlin =
        |hour| Moment { local: date(2026, 12, 1).at(hour, 0, 0, 0), zone: Some("Europe/Berlin".into()) };
    let text = calendar(&format!("{HOUR}\nSUMMARY:{}", "ä".repeat(200)));
    let one = read(text.as_bytes()).expect("events").remove(0);
    let text = write(&[Event { start: berlin(9), end: berlin(10), ..one }], 0);
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    for line in [
        "TZID:Europe/Berlin",
        "BEGIN:DAYLIGHT\r\nDTSTART:20270328T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST",
        "BEGIN:STANDARD\r\nDTSTART:20261025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET",
        "DTSTART;TZID=Europe/Berlin:20261201T090000",
        "DTSTAMP:19700101T000000Z",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let zone = prop_oneof![
        Just(None),
        Just(Some("Europe/Berlin".to_string())),
        Just(Some("Australia/Lord_Howe".to_string()))
    ];
    let text = "[a-zA-Z ,;:\\\\\n\"ß語🎉=]{0,120}";
    let rule = proptest::option::of((1u32..9, 1u32..99).prop_map(|(interval, count)| Rule {
        every: Every::Week,
        interval,
        weekdays: vec![],
        end: End::Count(count),
    }));
    let when = (2024i16..2030, 1i8..=12, 1i8..=28, 0i8..12);
    let ours = (0u64..50, 0u32..5, proptest::option::of("[a-z,;]{1,20}"), any::<bool>());
    let one = ("[a-z@;,.]{1,40}", text, zone, when, rule, ours).prop_map(
        |(uid, summary, zone, (year, month, day, hour), rule, (people, rooms, owner, is_cancelled))| {
            let at = |hour| Moment { local: date(year, month, day).at(hour, 15, 0, 0), zone: zone.clone() };
            let counts = [(Role::EXPERIMENTER, people)].into();
            Event {
                uid,
                summary,
                start: at(hour),
                end: at(hour + 8),
                rule,
                except: vec![at(hour + 1); rooms as usize],
                is_cancelled,
                sequence: rooms,
                counts: Counts::new(counts).expect("counts"),
                rooms,
                region: owner.clone(),
                owner,
            }
        },
    );
    proptest::collection::vec(one, 0..4)
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(events in events(), now_ms in 0i64..4_000_000_000_000) {
        let text = write(&events, now_ms);
        prop_assert_eq!(read(text.as_bytes()), Ok(events));
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 75));
    }

    #[test]
    fn whatever_the_bytes_it_answers(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn whatever_the_lines_it_answers(
        lines in proptest::collection::vec(
            "(BEGIN:|END:|DTSTART|DTEND|DURATION:P|EXDATE|RRULE:FREQ=| |X-PLIMSOLL-COUNTS:)?\
             (VCALENDAR|VEVENT|;TZID=|[0-9TZ:;=,.\"\\\\äMHDW]{0,12})\r?", 0..30)
    ) {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}", lines.join("\n"));
        let _ = read(text.as_bytes());
        let _ = read(calendar(&lines.join("\n")).as_bytes());
    }
}
