//! metrics.k8s.io, served to a cluster by ourselves: what metrics-server would have read from kubelets, a function says.
//!
//! The API server is told to find it at a port on loopback and not to look at its certificate; it looks at nobody's either, so
//! it is for tests and benchmarks only.

use super::Cluster;
use crate::certificates::{self, Certificate};
use crate::process::wait_until;
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const API: &str = "/apis/metrics.k8s.io/v1beta1";
const SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";
/// So long one side waits for the other.
const PATIENCE: Duration = Duration::from_secs(20);
const HEADER_LINES_MAX: usize = 100;

/// What a pod's only container uses.
#[derive(Debug, Clone)]
pub struct Use {
    /// The pod's.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The container's name.
    pub container: String,
    /// When it was measured, in seconds since 1970.
    pub at_s: i64,
    /// Memory that cannot be reclaimed at once, in bytes.
    pub memory_bytes: u64,
    /// Thousandths of a CPU.
    pub cpu_millicores: u64,
}

/// Serves what is asked for at each list of pods, of all namespaces or one, until the process ends, and has the cluster know of
/// it. Labels are not looked at: a list by them has the others of the namespace too.
pub fn serve(cluster: &Cluster, used: impl Fn() -> Vec<Use> + Send + Sync + 'static) {
    let authority = certificates::authority(&cluster.folder, "metrics-authority");
    let config = Arc::new(tls(&certificates::signed(&cluster.folder, "metrics", &authority)));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port for metrics");
    let port = listener.local_addr().expect("its address").port();
    let used = Arc::new(used);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, used) = (Arc::clone(&config), Arc::clone(&used));
            // Who hangs up early asks again.
            std::thread::spawn(move || answer(stream, config, used.as_ref()));
        }
    });
    register(cluster, port);
}

fn tls(certificate: &Certificate) -> ServerConfig {
    let chain = vec![CertificateDer::from_pem_file(&certificate.certificate).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .expect("TLS with a certificate of ours")
}

/// The aggregator looks up services; one by an external name needs no endpoints.
fn register(cluster: &Cluster, port: u16) {
    let admin = cluster.admin();
    let (namespace, name) = ("kube-system", "plimsoll-metrics");
    let spec = json!({"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]});
    let service = json!({"metadata": {"name": name}, "spec": spec});
    admin.post(&format!("/api/v1/namespaces/{namespace}/services"), &service).ok();
    let spec = json!({
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "service": {"namespace": namespace, "name": name, "port": port},
        "insecureSkipTLSVerify": true,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    });
    admin.post(SERVICES, &json!({"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": spec})).ok();
    wait_until(&mut [], || admin.get(API).status == 200);
}

/// One request of a connection of its own.
fn answer(stream: TcpStream, config: Arc<ServerConfig>, used: &dyn Fn() -> Vec<Use>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut request = String::new();
    stream.read_line(&mut request)?;
    for _ in 0..HEADER_LINES_MAX {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or("").split('?').next().unwrap_or("");
    let (status, body) = match path {
        API => ("200 OK", kinds()),
        _ => match pods(path) {
            Some(namespace) => ("200 OK", list(&used(), namespace)),
            None => ("404 Not Found", String::new()),
        },
    };
    let mut stream = stream.into_inner();
    let length = body.len();
    let head = "content-type: application/json\r\nconnection: close";
    write!(stream, "HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}")?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Of which namespace a path lists pods; "" is all.
fn pods(path: &str) -> Option<&str> {
    let listed = path.strip_prefix(API)?.strip_suffix("/pods")?;
    if listed.is_empty() { Some(listed) } else { listed.strip_prefix("/namespaces/") }
}

fn kinds() -> String {
    let pods = json!({
        "name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics", "verbs": ["get", "list"],
    });
    let version = "metrics.k8s.io/v1beta1";
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [pods]})
        .to_string()
}

fn list(used: &[Use], namespace: &str) -> String {
    let item = |of: &Use| {
        let usage = json!({"cpu": format!("{}m", of.cpu_millicores), "memory": of.memory_bytes.to_string()});
        json!({
            "metadata": {"namespace": of.namespace, "name": of.pod},
            "timestamp": Timestamp::from_second(of.at_s).expect("a time").to_string(),
            "window": "15s",
            "containers": [{"name": of.container, "usage": usage}],
        })
    };
    let listed = used.iter().filter(|of| namespace.is_empty() || of.namespace == namespace);
    let items: Vec<_> = listed.map(item).collect();
    json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items})
        .to_string()
}
