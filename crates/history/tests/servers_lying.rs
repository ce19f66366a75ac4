//! Against servers that lie: what they send is what was asked for, or an error that says what to do.

mod common;

use common::frames::{field, flat_chunk, frame, message, varint};
use common::reading::*;
use common::{Answer, Asked, Scripted};
use plimsoll_history::server::{Server, Way};

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
fn lies_of_http_are_named() {
    let check = |answer: &'static str, length: usize, expect: &str| {
        let (text, requests) = refused(Way::Query, move |_, to| {
            to.raw("HTTP/1.1 200 OK\r\n");
            to.raw(answer.repeat(length));
        });
        assert!(text.starts_with(&format!("URL: {expect}")), "{text}\n{expect}");
        assert!(text.ends_with(&format!("\n{ELSEWHERE}")) && requests == 1, "{requests} {text}");
    };
    let (no_http, broke_off) = ("it does not speak HTTP as it should: ", "the answer broke off: ");
    check("x: y\r\n", 200, no_http);
    check("x", 200_000, no_http);
    check("no header\r\n\r\n", 1, no_http);
    check("transfer-encoding: chunked\r\n\r\nlots\r\n{}", 1, &format!("{broke_off}{no_http}"));
    check("transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}", 1, &format!("{broke_off}{no_http}"));
    check("content-length: -1\r\n\r\n{}", 1, no_http);
    check(
        "content-encoding: gzip\r\n\r\n<html> of 20 bytes",
        1,
        &format!("{broke_off}it cannot be unpacked: "),
    );
    check("content-encoding: br\r\n\r\n<html>", 1, "the answer is not what Prometheus gives: ");
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
        Err("the answer broke off: more than 8388608 bytes came\n\
             read a shorter --window or one --namespace at a time"),
    );
}
