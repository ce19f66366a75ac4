//! The API server's way into a machine. It does not call kubelets at loopback addresses, and a guest's own address leads nowhere
//! on this machine: so it is told of a proxy, which is this, and leads to the guest's kubelet. What serves an API of ours on
//! loopback (`metrics`) is called by the same proxy, as `localhost`.

use serde_json::json;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// More than any CONNECT that the API server writes.
const REQUEST_BYTES: u64 = 4096;

/// A proxy that lives as long as we do; its socket goes when this is dropped.
#[derive(Debug)]
pub(super) struct Tunnel {
    // The kubelet's port on loopback; 0 as long as there is none.
    port: Arc<AtomicU16>,
    // A path of its own: the name of a socket may be no longer than 107 bytes.
    folder: tempfile::TempDir,
}

impl Tunnel {
    pub(super) fn open() -> Tunnel {
        let port = Arc::new(AtomicU16::new(0));
        let tunnel = Tunnel { port: port.clone(), folder: tempfile::tempdir().expect("a folder") };
        let listener = UnixListener::bind(tunnel.socket()).expect("a socket");
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let port = port.load(Ordering::Relaxed);
                // Who hangs up has what they wanted.
                std::thread::spawn(move || serve(client, port));
            }
        });
        tunnel
    }

    /// From now on the way leads to this port.
    pub(super) fn lead_to(&self, port: u16) {
        self.port.store(port, Ordering::Relaxed);
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// What the API server is told.
    pub(super) fn configuration(&self, folder: &Path) -> PathBuf {
        let transport = json!({"uds": {"udsName": self.socket()}});
        let connection = json!({"proxyProtocol": "HTTPConnect", "transport": transport});
        let configuration = json!({
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [{"name": "cluster", "connection": connection}],
        });
        let file = folder.join("egress.json");
        std::fs::write(&file, configuration.to_string()).expect("egress.json");
        file
    }
}

fn serve(mut client: UnixStream, kubelet_port: u16) -> io::Result<()> {
    let ours = local_port(&read_request(&client)?);
    let mut server = TcpStream::connect(("127.0.0.1", ours.unwrap_or(kubelet_port)))?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    io::copy(&mut client, &mut server)?;
    server.shutdown(Shutdown::Write)
}

/// Up to the empty line, after which it waits for us: its first line.
fn read_request(client: &UnixStream) -> io::Result<String> {
    let mut first = None;
    for line in BufReader::new(client.take(REQUEST_BYTES)).lines() {
        let line = line?;
        if line.is_empty() {
            return Ok(first.unwrap_or_default());
        }
        first.get_or_insert(line);
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// The port of `CONNECT localhost:PORT HTTP/1.1`; what is elsewhere is the kubelet.
fn local_port(request: &str) -> Option<u16> {
    let (port, _) = request.strip_prefix("CONNECT localhost:")?.split_once(' ')?;
    port.parse().ok()
}
