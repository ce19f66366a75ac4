//! Against servers that are busy, slow or break off: they are asked again where that helps, four requests at a time.

mod common;

use common::frames::frame;
use common::reading::*;
use common::{Answer, Asked, packed};
use plimsoll_history::server::access::Access;
use plimsoll_history::server::{Server, Way};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[test]
fn statuses_say_what_to_do() {
    let check = |status: u16, headers: &'static str, body: &'static str, requests: usize, expect: &str| {
        let refused = refused(Way::RemoteRead, move |_, answer| answer.status(status, headers, body));
        assert_eq!(refused, (format!("URL: {expect}"), requests));
    };
    check(
        401,
        "",
        "Unauthorized\n",
        1,
        "status 401: Unauthorized\ngive a token (--token-file or PLIMSOLL_TOKEN) or a user (--user)",
    );
    check(401, "", "no org id", 1, "status 401: no org id\nname the tenant with --tenant");
    check(403, "", "", 1, "status 403\nask for the right to read there");
    check(
        400,
        "",
        r#"{"status":"error","errorType":"bad_data","error":"invalid\n parameter"}"#,
        1,
        "status 400: invalid parameter\ncheck the URL; Mimir, Cortex and Thanos may want a --tenant",
    );
    check(404, "", "", 1, "remote read is not there any more\ntry again");
    check(422, "", "too many samples", 4, &format!("status 422: too many samples\n{BUSY}"));
    check(503, "", "", 4, &format!("status 503\n{BUSY}"));
    check(500, "", "\u{1b}[31mred\u{7}", 1, &format!("status 500: [31mred\n{BUSY}"));
    check(429, "retry-after: 3600\r\n", "", 1, &format!("status 429\n{BUSY}"));
    check(418, "", "", 1, "status 418\ncheck the URL");
    check(
        302,
        "location: https://login.example/\r\n",
        "<a>",
        1,
        "status 302: it leads to https://login.example/\nuse the URL it leads to",
    );
}

#[test]
fn who_is_busy_is_asked_again() {
    let check = |status: u16, headers: &'static str, refusals: usize, at_least: Duration| {
        let (scripted, server) = opened(Way::RemoteRead, &access(), move |asked, answer| {
            if asked.number < refusals {
                answer.status(status, headers, "busy");
            } else {
                answer.body(STREAMED, good_frame());
            }
        });
        let started = Instant::now();
        is_good(&read(&server).unwrap());
        assert_eq!(scripted.asked().len(), 1 + refusals + 1);
        assert_eq!(server.cost().requests, 1 + refusals as u64 + 1);
        let took = started.elapsed();
        assert!(took >= at_least && took < at_least + Duration::from_secs(3), "{took:?}");
    };
    // The waits double: 2, 4 and 8 ms.
    check(503, "", 3, Duration::from_millis(14));
    check(422, "", 1, Duration::from_millis(2));
    check(429, "retry-after: 1\r\n", 1, Duration::from_secs(1));
    check(429, "retry-after: 0\r\n", 3, Duration::from_millis(14));
    check(429, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n", 1, Duration::from_millis(2));
}

#[test]
fn nobody_listens() {
    let port = plimsoll_real::free_port();
    let started = Instant::now();
    let opened = Server::open(&format!("http://127.0.0.1:{port}"), &Access::default(), &[Way::Query]);
    assert_eq!(
        opened.unwrap_err().to_string(),
        format!(
            "http://127.0.0.1:{port}: Connection refused (os error 111)\n\
             check that it runs and can be reached from here"
        )
    );
    assert!(started.elapsed() < Duration::from_secs(1), "a server that is not there is not waited for");
}

#[test]
fn what_breaks_off_is_read_again() {
    let (scripted, server) = opened(Way::RemoteRead, &access(), |asked, answer| match asked.number {
        0 => {}
        1 => {
            answer.raw("HTTP/1.1 200 OK\r\ncontent-ty");
        }
        // The first frame is whole: its points come twice.
        2 => answer.cut(STREAMED, 2 * good_frame().len(), [good_frame(), good_frame()[..9].into()].concat()),
        _ => answer.body(STREAMED, good_frame()),
    });
    is_good(&read(&server).unwrap());
    assert_eq!((scripted.asked().len(), server.cost().points), (5, 4));

    let broken = format!("URL: the answer broke off: the connection ended early\n{SAME_AGAIN}");
    let check = |way: Way, script: fn(&Asked, &mut Answer)| {
        assert_eq!(refused(way, script), (broken.clone(), 4));
    };
    check(Way::RemoteRead, |_, answer| answer.cut(STREAMED, 100, good_frame()));
    check(Way::Export, |_, answer| answer.cut(LINES, 100, r#"{"metric":{"#));
    check(Way::Query, |_, answer| answer.cut(JSON, 100, r#"{"status":"#));
    check(Way::Query, |_, answer| {
        answer.raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfff\r\n{\"status\":");
    });
    check(Way::Query, |_, answer| {
        let whole = packed(b"whole");
        answer.raw("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n");
        answer.raw(&whole[..whole.len() / 2]);
    });

    // Where an answer ends with its connection, the frame or line tells that it broke off.
    let check = |way: Way, kind: &'static str, body: &'static [u8]| {
        let script = move |_: &Asked, answer: &mut Answer| answer.endless(kind, body, Duration::ZERO, 1);
        assert_eq!(refused(way, script), (broken.clone(), 4));
    };
    check(Way::RemoteRead, STREAMED, b"\x05abc");
    check(Way::RemoteRead, STREAMED, b"\x05abcdxy");
    // Four mebibytes, and ten bytes of them.
    check(Way::RemoteRead, STREAMED, b"\x80\x80\x80\x02abcdabcdef");
    check(Way::Export, LINES, br#"{"metric":{"__name__":"m""#);
}

#[test]
fn slow_servers_are_given_up() {
    let hasty = Access { timeout_seconds: Some(1), ..access() };
    let check = |way: Way, script: fn(&Asked, &mut Answer), expect: &str| {
        let (scripted, server) = opened(way, &hasty, script);
        let started = Instant::now();
        let error = read(&server).map(|all| all.series).unwrap_err();
        assert_eq!(text(&error, &scripted), format!("URL: {expect}\n{SLOW}"));
        assert_eq!(scripted.asked().len(), 2);
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    };
    let broken = "the answer broke off: it takes too long to answer";
    check(Way::RemoteRead, |_, _| std::thread::sleep(Duration::from_secs(3)), "it takes too long to answer");
    let drops: fn(&Asked, &mut Answer) =
        |_, answer| answer.endless(STREAMED, b"\x7f", Duration::from_millis(500), 20);
    check(Way::RemoteRead, drops, broken);
    check(Way::Export, |_, answer| answer.endless(LINES, b" ", Duration::from_millis(500), 20), broken);
    check(Way::Query, |_, answer| answer.endless(JSON, b" ", Duration::from_millis(500), 20), broken);
}

#[test]
fn four_at_once_at_most() {
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let (_scripted, server) = opened(Way::RemoteRead, &access(), move |_, answer| {
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        now.fetch_sub(1, Ordering::SeqCst);
        answer.body(STREAMED, good_frame());
    });
    server.each(&[(); 20], |()| read(&server), &|_| {}).unwrap().iter().for_each(is_good);
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

#[test]
fn the_first_error_stops_the_rest() {
    // The first three would take for ever: one says nothing, one never ends, one waits for its next try.
    let (scripted, server) =
        opened(Way::RemoteRead, &Access::default(), |asked, answer| match asked.number {
            0 => std::thread::sleep(Duration::from_secs(20)),
            1 => answer.endless(STREAMED, &frame(&[]), Duration::from_millis(5), 4000),
            2 => answer.status(503, "retry-after: 30\r\n", ""),
            _ => {
                std::thread::sleep(Duration::from_millis(200));
                answer.status(403, "", "the first error");
            }
        });
    let started = Instant::now();
    let finished = Mutex::new(0);
    let read = server.each(&[(); 20], |()| read(&server), &|done| *finished.lock().unwrap() = done);
    let error = read.map(|sinks| sinks.len()).unwrap_err();
    assert_eq!(text(&error, &scripted), "URL: status 403: the first error\nask for the right to read there");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!((scripted.asked().len(), *finished.lock().unwrap()), (5, 0));
}
