//! An end in order: who has asked is answered, who follows is let go.

use crate::served::Served;
use crate::{CONFIG, Place, SCHEDULE, ten};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn connect(served: &Served) -> TcpStream {
    let address = served.url.strip_prefix("http://").expect("an address");
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    stream
}

fn read_until(stream: &mut TcpStream, what: &str) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !String::from_utf8_lossy(&text).contains(what) {
        assert_eq!(stream.read(&mut byte).expect("an answer"), 1, "{}", String::from_utf8_lossy(&text));
        text.push(byte[0]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn who_has_asked_is_answered_before_it_ends() {
    let place = Place::new(CONFIG);
    let mut served = place.serve(&[]);
    let mut follower = connect(&served);
    write!(follower, "GET /api/capacity/events HTTP/1.1\r\nhost: a\r\nlast-event-id: 0\r\n\r\n")
        .expect("sent");
    read_until(&mut follower, "text/event-stream");
    let body = ten(30).to_string();
    let (half, rest) = body.split_at(body.len() / 2);
    let mut asking = connect(&served);
    let head = "host: a\r\ncontent-type: application/json\r\nexpect: 100-continue";
    write!(asking, "POST {SCHEDULE} HTTP/1.1\r\n{head}\r\ncontent-length: {}\r\n\r\n", body.len())
        .expect("sent");
    // It has begun to read the request by then.
    read_until(&mut asking, "100 Continue");
    write!(asking, "{half}").expect("sent");
    served.terminate();
    // Who follows is let go, and that there was an end is seen by it.
    let mut left = Vec::new();
    follower.read_to_end(&mut left).expect("an end");
    write!(asking, "{rest}").expect("it is still there");
    let answer = read_until(&mut asking, "\"reserved\":true");
    assert!(answer.contains(" 201 "), "{answer}");
    assert_eq!(served.exit_code(), Some(0));
    let again = place.serve(&[]);
    assert_eq!(again.get(SCHEDULE).body["reservations"][0]["state"], "confirmed");
}
