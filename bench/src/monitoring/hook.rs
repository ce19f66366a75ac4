//! Who is told: a receiver of Alertmanager's webhooks, on loopback.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A longer message is none of Alertmanager's, in bytes.
const BODY_MAX_BYTES: u64 = 1 << 20;

/// What came, as Alertmanager writes it.
pub struct Hook {
    pub url: String,
    pub told: Receiver<Value>,
}

impl Hook {
    /// Listens until the program ends.
    pub fn start() -> std::io::Result<Hook> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(message) = take(&stream)
                    && tell.send(message).is_err()
                {
                    return;
                }
            }
        });
        Ok(Hook { url, told })
    }
}

/// Reads one request, and says that it was heard.
fn take(mut stream: &TcpStream) -> Option<Value> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = Vec::new();
    reader.take(BODY_MAX_BYTES.min(length)).read_to_end(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()?;
    serde_json::from_slice(&body).ok()
}
