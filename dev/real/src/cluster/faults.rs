//! Faults between a client and an API server: a proxy on loopback that forwards each request, and by a rule of the test refuses it,
//! loses it or breaks its answer off.
//!
//! It speaks HTTP in the clear to the client, one request for each connection, and TLS to the API server.

use super::{Cluster, access};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, IpAddr, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// More bytes of a request's head, and of what it says, are not taken.
const HEAD_MAX_BYTES: usize = 64 << 10;
const BODY_MAX_BYTES: usize = 16 << 20;
/// So often it is looked whether the client is still there, and whether an answer is to be broken off.
const LOOK_EACH: Duration = Duration::from_millis(100);

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `PATCH` ...
    pub method: String,
    /// With its query.
    pub path: String,
}

impl Request {
    /// Its answer goes on until somebody ends it.
    pub fn is_watch(&self) -> bool {
        self.path.contains("watch=true") || self.path.contains("watch=1")
    }

    /// It changes something, and is about more than who may.
    pub fn is_change(&self) -> bool {
        self.method != "GET" && !self.path.contains("/leases") && !self.path.contains("dryRun=")
    }
}

/// What becomes of a request.
pub enum Fate {
    /// It is forwarded and answered.
    Forwarded,
    /// It is answered with this status and not forwarded; 429 asks for a second's pause.
    Refused(u16),
    /// It is forwarded, and answered with this status whatever came of it.
    DoneAndRefused(u16),
    /// It is neither forwarded nor answered.
    Lost,
    /// It is forwarded, and not answered; this is called in between.
    DoneAndLost(Box<dyn FnOnce()>),
    /// It is forwarded, and its answer breaks off after so long.
    CutAfter(Duration),
}

/// Decides; called once for each request, from several threads.
type Rule = Box<dyn Fn(&Request) -> Fate + Send + Sync>;

/// A proxy; it ends when this is dropped.
pub struct Faults {
    /// For clients that read a file: as whom it was made for, by way of the proxy.
    pub kubeconfig: PathBuf,
    port: u16,
    is_over: Arc<AtomicBool>,
}

/// What all connections share.
struct Way {
    rule: Rule,
    server_port: u16,
    tls: Arc<ClientConfig>,
    is_over: Arc<AtomicBool>,
}

impl Cluster {
    /// A proxy for the administrator, whose kubeconfig gets this name.
    pub fn faults(&self, name: &str, rule: impl Fn(&Request) -> Fate + Send + Sync + 'static) -> Faults {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let url = format!("http://127.0.0.1:{port}");
        let kubeconfig = access::kubeconfig(&self.folder, name, &url, &self.authority, &self.admin_token);
        let is_over = Arc::new(AtomicBool::new(false));
        let server_port = self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let way = Arc::new(Way {
            rule: Box::new(rule),
            server_port,
            tls: tls(&self.authority),
            is_over: is_over.clone(),
        });
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if way.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let way = way.clone();
                // A connection that breaks is what is tested.
                std::thread::spawn(move || way.serve(client));
            }
        });
        Faults { kubeconfig, port, is_over }
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // So that it is seen.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn tls(authority: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("a certificate")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.expect("versions of TLS").with_root_certificates(roots).with_no_client_auth())
}

impl Way {
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let (request, whole) = read_request(&mut client, self.server_port)?;
        match (self.rule)(&request) {
            Fate::Forwarded => self.forward(&whole, &mut client, None),
            Fate::CutAfter(after) => self.forward(&whole, &mut client, Some(Instant::now() + after)),
            Fate::Refused(status) => refuse(&mut client, status),
            Fate::DoneAndRefused(status) => {
                self.carry_out(&whole)?;
                refuse(&mut client, status)
            }
            Fate::Lost => Ok(()),
            Fate::DoneAndLost(then) => {
                self.carry_out(&whole)?;
                then();
                Ok(())
            }
        }
    }

    /// Sends a request on.
    fn send(&self, whole: &[u8]) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server_port))?;
        server.set_nodelay(true)?;
        let name = ServerName::IpAddress(IpAddr::from(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let session = ClientConnection::new(self.tls.clone(), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, server);
        stream.write_all(whole)?;
        stream.flush()?;
        Ok(stream)
    }

    /// Until the server has answered, which nobody hears.
    fn carry_out(&self, whole: &[u8]) -> io::Result<()> {
        let mut server = self.send(whole)?;
        server.sock.set_read_timeout(Some(Duration::from_secs(10)))?;
        // It closes without TLS's goodbye.
        let _ = io::copy(&mut server, &mut io::sink());
        Ok(())
    }

    /// Hands the answer on as it comes.
    fn forward(&self, whole: &[u8], client: &mut TcpStream, cut: Option<Instant>) -> io::Result<()> {
        let mut server = self.send(whole)?;
        server.sock.set_read_timeout(Some(LOOK_EACH))?;
        client.set_nodelay(true)?;
        let mut piece = vec![0; 64 << 10];
        while !self.is_over.load(Ordering::Relaxed) && cut.is_none_or(|cut| Instant::now() < cut) {
            match server.read(&mut piece) {
                Ok(0) => break,
                Ok(bytes) => client.write_all(&piece[..bytes])?,
                Err(error) if is_late(&error) => {
                    if is_gone(client) {
                        break;
                    }
                }
                // It closes without TLS's goodbye.
                Err(_) => break,
            }
        }
        client.shutdown(Shutdown::Both)
    }
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The client has closed; it says no more until it has its answer.
fn is_gone(client: &TcpStream) -> bool {
    let mut one = [0];
    let _ = client.set_nonblocking(true);
    let peeked = client.peek(&mut one);
    let _ = client.set_nonblocking(false);
    !matches!(peeked, Err(error) if is_late(&error))
}

/// What is asked for, and the bytes to send on: the server is told to close after its answer.
fn read_request(client: &mut TcpStream, server_port: u16) -> io::Result<(Request, Vec<u8>)> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let mut bytes = Vec::new();
    let head_bytes = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        let mut piece = [0; 4096];
        let more = client.read(&mut piece)?;
        if more == 0 || bytes.len() > HEAD_MAX_BYTES {
            return Err(broken());
        }
        bytes.extend_from_slice(&piece[..more]);
    };
    let mut body = bytes.split_off(head_bytes);
    let head = String::from_utf8(bytes).map_err(|_| broken())?;
    let mut lines = head.trim_end().split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ').map(String::from);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Err(broken()) };
    let mut sent = format!("{first}\r\nhost: 127.0.0.1:{server_port}\r\nconnection: close\r\n");
    let mut body_bytes = 0;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(broken)?;
        match name.to_ascii_lowercase().as_str() {
            "host" | "connection" => continue,
            "content-length" => body_bytes = value.trim().parse().map_err(|_| broken())?,
            "transfer-encoding" => return Err(broken()),
            _ => {}
        }
        sent = format!("{sent}{line}\r\n");
    }
    let missing = usize::checked_sub(body_bytes, body.len()).filter(|_| body_bytes <= BODY_MAX_BYTES);
    let mut rest = vec![0; missing.ok_or_else(broken)?];
    client.read_exact(&mut rest)?;
    body.extend(rest);
    let whole = [format!("{sent}\r\n").as_bytes(), &body].concat();
    Ok((Request { method, path }, whole))
}

/// As an API server refuses.
fn refuse(client: &mut TcpStream, status: u16) -> io::Result<()> {
    let reason = match status {
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        _ => "Unknown",
    };
    let body = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "a fault of the test", "reason": reason, "code": status,
    })
    .to_string();
    let pause = if status == 429 { "retry-after: 1\r\n" } else { "" };
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n{pause}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
