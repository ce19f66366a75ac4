//! The API server's way into a machine. It does not call kubelets at loopback addresses, and a guest's own address leads nowhere
//! on this machine: so it is told of a proxy, which is this, and has but one destination.

use serde_json::json;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// More than any CONNECT that the API server writes.
const REQUEST_BYTES: u64 = 4096;

/// A proxy that lives as long as we do; its socket goes when this is dropped.
#[derive(Debug)]
pub(super) struct Tunnel {
    /// Where the way leads: the kubelet's port on loopback.
    pub(super) port: u16,
    // A path of its own: the name of a socket may be no longer than 107 bytes.
    folder: tempfile::TempDir,
}

impl Tunnel {
    pub(super) fn open(port: u16) -> Tunnel {
        let tunnel = Tunnel { port, folder: tempfile::tempdir().expect("a folder") };
        let listener = UnixListener::bind(tunnel.socket()).expect("a socket");
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Who hangs up has what they wanted.
                std::thread::spawn(move || serve(client, port));
            }
        });
        tunnel
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

fn serve(mut client: UnixStream, port: u16) -> io::Result<()> {
    read_request(&client)?;
    let mut kubelet = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (kubelet.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    io::copy(&mut client, &mut kubelet)?;
    kubelet.shutdown(Shutdown::Write)
}

/// Up to the empty line and no further; where it wants to go we know.
fn read_request(client: &UnixStream) -> io::Result<()> {
    let mut request = Vec::new();
    for byte in client.take(REQUEST_BYTES).bytes() {
        request.push(byte?);
        if request.ends_with(b"\r\n\r\n") {
            return Ok(());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}
