//! An HTTP/1.1 server that answers as a script says, right or wrong, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// How many came before it.
    pub number: usize,
    /// Path and query.
    pub path: String,
    /// By name, in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Where an answer is written; it ends with the connection. A client that has gone is none of the script's concern.
pub struct Answer(TcpStream);

impl Answer {
    /// Any bytes; `false` when nobody listens any more.
    pub fn raw(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).is_ok()
    }

    /// A whole answer; `headers` as lines, each with its end.
    pub fn status(&mut self, status: u16, headers: &str, body: &str) {
        let length = body.len();
        self.raw(format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}"));
    }

    /// A whole answer with status 200.
    pub fn body(&mut self, kind: &str, body: impl AsRef<[u8]>) {
        self.cut(kind, body.as_ref().len(), body);
    }

    /// Status 200 and a body that claims a length of its own.
    pub fn cut(&mut self, kind: &str, length: usize, body: impl AsRef<[u8]>) {
        self.raw(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"));
        self.raw(body);
    }

    /// Status 200 and `piece` again and again, `pause` between two, until the client has gone or it is enough.
    pub fn endless(&mut self, kind: &str, piece: &[u8], pause: Duration, pieces_max: usize) {
        self.raw(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n"));
        for _ in 0..pieces_max {
            if !self.raw(piece) {
                return;
            }
            std::thread::sleep(pause);
        }
    }
}

/// The server; it is gone when this is dropped.
pub struct Scripted {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    stopped: Arc<AtomicBool>,
}

impl Scripted {
    /// A thread for each connection, a connection for each request.
    pub fn start(script: impl Fn(&Asked, &mut Answer) + Send + Sync + 'static) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, stopped) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let script = Arc::new(script);
        let server = Scripted { url, asked: Arc::clone(&asked), stopped: Arc::clone(&stopped) };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
                std::thread::spawn(move || {
                    let Some(mut request) = request(&stream) else { return };
                    {
                        let mut asked = asked.lock().unwrap();
                        request.number = asked.len();
                        asked.push(request.clone());
                    }
                    script(&request, &mut Answer(stream));
                });
            }
        });
        server
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // It looks up only when somebody comes.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

/// `None` if the client left before it had asked.
fn request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_string();
    let mut asked = Asked { path, ..Asked::default() };
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        asked.headers.insert(name.to_lowercase(), value.trim().to_string());
    }
    let length = asked.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    asked.body.resize(length, 0);
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}
