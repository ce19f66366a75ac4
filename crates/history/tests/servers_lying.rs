//! Against servers that are busy, broken or lie: each ends in what was asked for or in an error that says what to do.

mod common;

use common::frames::{field, flat_chunk, frame, message, varint};
use common::{All, Answer, Asked, Scripted};
use plimsoll_history::server::access::Access;
use plimsoll_history::server::{Server, Way};
use plimsoll_history::{HistoryError, Range, Selector};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const STREAMED: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";
const LINES: &str = "application/stream+json; charset=utf-8";
const JSON: &str = "application/json";
const HOUR_MS: i64 = 3_600_000;
const RANGE: Range = Range { from_ms: HOUR_MS, to_ms: 3 * HOUR_MS };
const LABELS: [(&str, &str); 3] = [("__name__", "m"), ("container", "app"), ("namespace", "shop")];
const SAME_AGAIN: &str = "try again; if it stays so, read a shorter --window";
const ELSEWHERE: &str = "check that the URL leads to Prometheus, VictoriaMetrics or the like";
const BUSY: &str = "try again later, or read a shorter --window or one --namespace at a time";
const SLOW: &str = "raise --timeout, read a shorter --window or one --namespace at a time";

fn selector() -> Selector {
    Selector::metric("m").equal("namespace", "shop").present("container")
}

/// Tries follow each other quickly.
fn access() -> Access {
    Access { retry_wait_ms: Some(2), timeout_seconds: Some(20), ..Access::default() }
}

/// A server that is what it says until it has been opened; then comes the script, whose first request has number 0.
fn opened(
    way: Way,
    access: &Access,
    script: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static,
) -> (Scripted, Server) {
    let scripted = Scripted::start(move |asked, answer| match (asked.number.checked_sub(1), way) {
        (Some(number), _) => script(&Asked { number, ..asked.clone() }, answer),
        (None, Way::RemoteRead) => answer.body(STREAMED, ""),
        (None, Way::Export) => answer.body(LINES, ""),
        (None, Way::Query) => {
            answer.body(JSON, r#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"1"]}}"#);
        }
    });
    let server = Server::open(&scripted.url, access, &[way]).unwrap();
    (scripted, server)
}

/// The error's text, the server's address being `URL`.
fn text(error: &HistoryError, server: &Scripted) -> String {
    error.to_string().replace(&server.url, "URL")
}

fn read(server: &Server) -> Result<All, HistoryError> {
    let mut all = All::default();
    server.read(&selector(), RANGE, &mut all).map(|()| all)
}

/// The text of the error in which reading ends, and how many requests it took.
fn refused(way: Way, script: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static) -> (String, usize) {
    let (scripted, server) = opened(way, &access(), script);
    match read(&server) {
        Ok(all) => panic!("it was read: {:?}", all.series),
        Err(error) => (text(&error, &scripted), scripted.asked().len() - 1),
    }
}

/// Two samples of one series.
fn good_frame() -> Vec<u8> {
    frame(&message(&LABELS, &flat_chunk(HOUR_MS, 60_000, 5.0, 2)))
}

fn is_good(all: &All) {
    let (key, points) = all.series.first_key_value().unwrap();
    assert_eq!((key.as_str(), all.series.len()), ("__name__=m;container=app;namespace=shop;", 1));
    assert_eq!(points.iter().collect::<Vec<_>>(), [(&HOUR_MS, &5.0), (&(HOUR_MS + 60_000), &5.0)]);
}

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
        assert!(took >= at_least && took < at_least + Duration::from_secs(1), "{took:?}");
    };
    // The waits double: 2, 4 and 8 ms.
    check(503, "", 3, Duration::from_millis(14));
    check(422, "", 1, Duration::from_millis(2));
    check(429, "retry-after: 1\r\n", 1, Duration::from_secs(1));
    check(429, "retry-after: 0\r\n", 3, Duration::from_millis(14));
    check(429, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n", 1, Duration::from_millis(2));
}

#[test]
fn what_is_no_server_is_not_opened() {
    let check = |script: fn(&Asked, &mut Answer), requests: usize, expect: &str| {
        let scripted = Scripted::start(script);
        let opened = Server::open(&scripted.url, &access(), &[Way::RemoteRead, Way::Export, Way::Query]);
        assert_eq!(text(&opened.unwrap_err(), &scripted), format!("URL: {expect}"));
        assert_eq!(scripted.asked().len(), requests, "{expect}");
    };
    let nothing = "neither remote read, export nor queries are answered there\ncheck the URL and its path";
    check(|_, answer| answer.status(404, "", "404 page not found"), 3, nothing);
    check(|_, answer| answer.body("text/html", "<html>Please log in"), 3, nothing);
    check(|_, answer| answer.body(JSON, "{}"), 3, nothing);
    check(|_, answer| answer.body(JSON, r#"{"status":"success"}"#), 3, nothing);
    check(|_, answer| answer.body(JSON, vec![b' '; 2 << 20]), 3, nothing);
    check(
        |_, answer| answer.status(400, "", "Client sent an HTTP request to an HTTPS server."),
        3,
        "status 400: Client sent an HTTP request to an HTTPS server.\n\
         check the URL; Mimir, Cortex and Thanos may want a --tenant",
    );
    check(|_, answer| answer.status(403, "", ""), 3, "status 403\nask for the right to read there");
    // These are no answer to the question which way there is.
    check(|_, answer| answer.status(429, "", ""), 4, &format!("status 429\n{BUSY}"));
    check(
        |_, answer| {
            answer.raw("SSH-2.0-OpenSSH_9.2p1\r\n\r\n");
        },
        1,
        &format!(
            "it does not speak HTTP as it should: protocol: http parse fail: invalid HTTP version\n{ELSEWHERE}"
        ),
    );
    check(|_, _| {}, 4, "the connection ended early\ncheck that it runs and can be reached from here");
}

#[test]
fn a_proxy_may_let_only_queries_through() {
    let (_scripted, server) = opened(Way::Query, &access(), |_, _| {});
    assert_eq!(server.way(), Way::Query);
    for status in [400, 403, 404, 405] {
        let scripted = Scripted::start(move |asked, answer| {
            if asked.path.starts_with("/prometheus/api/v1/query?") {
                answer.body(JSON, r#"{"status":"success","data":{}}"#);
            } else {
                answer.status(status, "", "not for you");
            }
        });
        let url = format!("{}/prometheus/", scripted.url);
        let opened = Server::open(&url, &access(), &[Way::RemoteRead, Way::Export, Way::Query]).unwrap();
        assert_eq!((opened.way(), scripted.asked().len()), (Way::Query, 3));
    }
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
fn lies_of_remote_read_are_named() {
    let check = |kind: &'static str, body: Vec<u8>, expect: &str| {
        let (text, requests) = refused(Way::RemoteRead, move |_, answer| answer.body(kind, &body));
        assert!(text.starts_with(&format!("URL: {expect}")), "{text}\n{expect}");
        assert!(text.ends_with(&format!("\n{ELSEWHERE}")) && text.lines().count() == 2, "{text}");
        assert!(text.len() < 500 && requests == 1, "{requests} {text}");
    };
    check("text/html", "<html>".into(), "remote read answered with 'text/html', not with a stream of chunks");
    let length = |bytes: u64| [varint(bytes), vec![0; 10]].concat();
    check(STREAMED, length(1 << 60), "a frame claims to be 1152921504606846976 bytes long");
    check(STREAMED, length(63 << 20), "a frame claims to be 66060288 bytes long");
    check(STREAMED, vec![0xff; 100], "the length of a frame has no end");
    let mut changed = good_frame();
    *changed.last_mut().unwrap() ^= 1;
    check(STREAMED, changed, "a frame does not match its checksum");
    check(STREAMED, frame(&[0xff; 50]), "a frame is not what remote read sends: ");
    check(
        STREAMED,
        frame(&field(1, &field(1, &field(1, b"\xff")))),
        "a frame is not what remote read sends: ",
    );
    let cut = |bytes: usize| frame(&message(&LABELS, &flat_chunk(0, 1000, 5.0, 100)[..bytes]));
    check(STREAMED, cut(1), "a chunk ends early");
    check(STREAMED, cut(20), "a chunk ends early");
    let of = |labels: &[(&str, &str)]| frame(&message(labels, &flat_chunk(0, 1000, 5.0, 2)));
    let not_asked = "it sent series that were not asked for";
    check(STREAMED, of(&[("__name__", "other"), LABELS[1], LABELS[2]]), not_asked);
    check(STREAMED, of(&LABELS[..2]), not_asked);
    check(STREAMED, of(&[]), not_asked);
    check(STREAMED, [good_frame(), of(&[])].concat(), not_asked);
}

#[test]
fn points_that_were_not_asked_for_are_left_out() {
    let chunk = flat_chunk(0, 20 * 60_000, 5.0, 100);
    let stream = frame(&message(&LABELS, &chunk));
    let line = r#"{"metric":{"__name__":"m","container":"app","namespace":"shop"},"values":[1,2,3,null],
        "timestamps":[-9223372036854775808,3600000,9223372036854775807,3700000]}"#;
    let line = line.replace('\n', "") + "\n";
    let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[{
        "metric":{"container":"app","namespace":"shop"},
        "values":[[-1e300,"1"],[1e300,"1"],[0,"1"],[7200,"2"],[10800,"+Inf"],[10800.001,"NaN"]]}]}}"#;
    let check = |way: Way, kind: &'static str, body: Vec<u8>, expect: &[(i64, f64)]| {
        let (_scripted, server) = opened(way, &access(), move |_, answer| answer.body(kind, &body));
        let all = read(&server).unwrap();
        let points = &all.series["__name__=m;container=app;namespace=shop;"];
        let points: Vec<(i64, f64)> = points.iter().map(|(at_ms, value)| (*at_ms, *value)).collect();
        assert_eq!(points, expect);
    };
    let thirds: Vec<(i64, f64)> = (3..=9).map(|third| (third * HOUR_MS / 3, 5.0)).collect();
    check(Way::RemoteRead, STREAMED, stream, &thirds);
    check(Way::Export, LINES, line.into(), &[(HOUR_MS, 2.0)]);
    check(Way::Query, JSON, matrix.into(), &[(2 * HOUR_MS - 1, 2.0), (3 * HOUR_MS - 1, f64::INFINITY)]);
}

#[test]
fn lies_of_an_export_are_named() {
    let check = |body: &str, expect: &str| {
        let body =
            body.replace("METRIC", r#""metric":{"__name__":"m","container":"app","namespace":"shop"}"#);
        let (text, requests) = refused(Way::Export, move |_, answer| answer.body(LINES, &body));
        assert!(text.starts_with(&format!("URL: {expect}")), "{text}\n{expect}");
        assert!(text.ends_with(&format!("\n{ELSEWHERE}")) && text.lines().count() == 2, "{text}");
        assert!(text.len() < 500 && requests == 1, "{requests} {text}");
    };
    let no_line = "a line is not what an export has: ";
    check("garbage\n", no_line);
    check("\n", no_line);
    check("\u{fffd}\0\u{1b}[2J\n", no_line);
    check("{METRIC}\n", "a line is not what an export has: missing field `values`");
    check("{METRIC,\"values\":[\"1\"],\"timestamps\":[1]}\n", no_line);
    check("{METRIC,\"values\":[1e999],\"timestamps\":[1]}\n", no_line);
    check("{METRIC,\"values\":[1],\"timestamps\":[1e99]}\n", no_line);
    check(&format!("{{METRIC,\"values\":{:?},\"timestamps\":[]}}\n", "x".repeat(100_000)), no_line);
    check(&("[".repeat(100_000) + "\n"), no_line);
    check("{METRIC,\"values\":[1,2],\"timestamps\":[1]}\n", "a line has not as many times as values");
    check("{\"metric\":{},\"values\":[],\"timestamps\":[]}\n", "it sent series that were not asked for");
    check(&"x".repeat(5 << 20), "a line of the export is longer than 4194304 bytes");
}

#[test]
fn lies_of_queries_are_named() {
    let check = |body: &str, expect: &str| {
        let body = body.replace("METRIC", r#""metric":{"container":"app","namespace":"shop"}"#);
        let (text, requests) = refused(Way::Query, move |_, answer| answer.body(JSON, &body));
        assert!(text.starts_with(&format!("URL: {expect}")), "{text}\n{expect}");
        assert!(text.ends_with(&format!("\n{ELSEWHERE}")) && text.lines().count() == 2, "{text}");
        assert!(text.len() < 500 && requests == 1, "{requests} {text}");
    };
    let other = "the answer is not what Prometheus gives: ";
    check("<html>", other);
    check("", other);
    check(&"[".repeat(100_000), other);
    check(r#"{"status":"error","errorType":"x","error":"it\nbroke"}"#, "the query failed: it broke");
    check(r#"{"status":"success"}"#, "the query failed: it does not say why");
    let result = |result: &str| format!(r#"{{"status":"success","data":{{"result":{result}}}}}"#);
    check(&result("7"), other);
    check(&result(&format!("{:?}", "x".repeat(100_000))), other);
    check(&result(r#"[{METRIC,"value":[7200,"1"]}]"#), other);
    check(&result(r#"[{METRIC,"values":[[7200,1]]}]"#), other);
    check(&result(r#"[{METRIC,"values":[["7200","1"]]}]"#), other);
    check(
        &result(r#"[{METRIC,"values":[[7200,"lots"]]}]"#),
        "the answer is not what Prometheus gives: 'lots' is not what a value looks like",
    );
    check(
        &result(r#"[{"metric":{"namespace":"shop"},"values":[]}]"#),
        "it sent series that were not asked for",
    );
}

#[test]
fn names_are_a_list_of_some_length() {
    let check = |body: String, expect: Result<usize, &str>| {
        let (scripted, server) = opened(Way::Query, &access(), move |_, answer| answer.body(JSON, &body));
        let names = server.values("namespace", &selector(), RANGE);
        let names = names.map(|names| names.len()).map_err(|error| text(&error, &scripted));
        assert_eq!(names, expect.map_err(|expect| format!("URL: {expect}")));
        assert_eq!(scripted.asked().len(), 2);
    };
    let names = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("{number:08}")).collect();
        format!(r#"{{"status":"success","data":{names:?}}}"#)
    };
    check(names(3), Ok(3));
    check(r#"{"status":"success","data":[]}"#.into(), Ok(0));
    check(
        names(1 << 20),
        Err(
            "the answer broke off: more than 8388608 bytes came\nread a shorter --window or one --namespace at a time",
        ),
    );
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
    let reads = (0..20).map(|_| (selector(), All::default())).collect();
    server.read_all(reads, RANGE, &|_| {}).unwrap().iter().for_each(is_good);
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
    let reads = (0..20).map(|_| (selector(), All::default())).collect();
    let finished = Mutex::new(0);
    let read = server.read_all(reads, RANGE, &|done| *finished.lock().unwrap() = done);
    let error = read.map(|sinks| sinks.len()).unwrap_err();
    assert_eq!(text(&error, &scripted), "URL: status 403: the first error\nask for the right to read there");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!((scripted.asked().len(), *finished.lock().unwrap()), (5, 0));
}
