//! Against servers that send without end: memory stays small. A process of its own, whose highest memory is looked at.

mod common;

use common::frames::{flat_chunk, frame, message};
use common::{Answer, Scripted, packed};
use plimsoll_history::server::access::Access;
use plimsoll_history::server::{Server, Way};
use plimsoll_history::{Labels, Point, Range, Selector, Sink};
use std::time::Duration;

const STREAMED: &str = "application/x-streamed-protobuf";
const LINES: &str = "application/stream+json";
const JSON: &str = "application/json";
const RANGE: Range = Range { from_ms: 0, to_ms: 3_600_000 };
const MIB: u64 = 1 << 20;

/// Counts, and keeps nothing.
#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn series(&mut self, _: &Labels) {}

    fn points(&mut self, points: &[Point]) {
        self.0 += points.len() as u64;
    }
}

/// The highest that this process has had in memory, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Reads for so long at most; the error's first line without the URL, the bytes read, and the points.
fn read(way: Way, seconds: u64, script: impl Fn(&mut Answer) + Send + Sync + 'static) -> (String, u64, u64) {
    let scripted = Scripted::start(move |asked, answer| match (asked.number, way) {
        (0, Way::RemoteRead) => answer.body(STREAMED, ""),
        (0, Way::Export) => answer.body(LINES, ""),
        (0, Way::Query) => answer.body(JSON, r#"{"status":"success","data":{}}"#),
        _ => script(answer),
    });
    let access = Access { timeout_seconds: Some(seconds), ..Access::default() };
    let server = Server::open(&scripted.url, &access, &[way]).unwrap();
    let mut count = Count::default();
    let error = server.read(&[Selector::metric("m")], RANGE, &mut count).unwrap_err().to_string();
    let problem = error.lines().next().unwrap().strip_prefix(&format!("{}: ", scripted.url)).unwrap();
    (problem.to_string(), server.cost().bytes, count.0)
}

#[test]
fn memory_stays_small() {
    let too_slow = "the answer broke off: it takes too long to answer";
    let check = |way: Way, peak_mib: u64, expect: &str, bytes_min: u64, script: fn(&mut Answer)| {
        // What is named as wrong does not wait for the end.
        let seconds = if expect == too_slow { 2 } else { 60 };
        let (problem, bytes, points) = read(way, seconds, script);
        assert!(problem.starts_with(expect), "{problem} after {bytes} bytes");
        assert!(bytes >= bytes_min, "only {bytes} bytes");
        assert!(peak_bytes() < peak_mib * MIB, "{} MiB for {bytes} bytes", peak_bytes() / MIB);
        points
    };
    // The same series again and again.
    let points = check(Way::RemoteRead, 24, too_slow, 32 * MIB, |answer| {
        let chunk = flat_chunk(0, 15_000, 5e8, 120);
        let one = frame(&message(&[("__name__", "m"), ("pod", &"p".repeat(4000))], &chunk));
        answer.endless(STREAMED, &one.repeat(100), Duration::ZERO, usize::MAX);
    });
    assert!(points > 500_000, "{points}");
    let points = check(Way::Export, 24, too_slow, 16 * MIB, |answer| {
        let times = vec!["1000"; 1000].join(",");
        let line = format!(
            r#"{{"metric":{{"__name__":"m"}},"values":[{}],"timestamps":[{times}]}}"#,
            vec!["1.2345678e300"; 1000].join(",")
        ) + "\n";
        answer.endless(LINES, line.repeat(10).as_bytes(), Duration::ZERO, usize::MAX);
    });
    assert!(points > 500_000, "{points}");
    check(Way::Export, 24, "a line of the export is longer than 4194304 bytes", 4 * MIB, |answer| {
        answer.endless(LINES, &[b' '; 1 << 16], Duration::ZERO, usize::MAX);
    });
    // As many messages in a frame as can be: each takes two bytes there, and some fifty in memory.
    check(Way::RemoteRead, 160, "it sent series that were not asked for", 4 * MIB - 1, |answer| {
        answer.body(STREAMED, frame(&[0x0a, 0].repeat((2 << 20) - 4)));
    });
    check(
        Way::Query,
        256,
        "the answer is not what Prometheus gives: 'none' is not what a value looks like",
        56 * MIB,
        |answer| {
            answer.raw("HTTP/1.1 200 OK\r\n\r\n");
            answer.raw(r#"{"status":"success","data":{"result":[{"metric":{},"values":["#);
            for _ in 0..7 << 10 {
                answer.raw(br#"[0,"1"],"#.repeat(1 << 10));
            }
            answer.raw(r#"[0,"none"]]}]}}"#);
        },
    );
    // Packed, these are a thousandth of what comes out of them.
    let too_long = "the answer broke off: more than 67108864 bytes came";
    check(Way::Query, 384, too_long, 64 * MIB, |answer| {
        let bomb = packed(&[b' '; 70 << 20]);
        let length = bomb.len();
        answer.raw(format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n"));
        answer.raw(bomb);
    });
    check(Way::Query, 384, too_long, 64 * MIB, |answer| {
        answer.endless(JSON, &[b' '; 1 << 16], Duration::ZERO, usize::MAX);
    });
}
