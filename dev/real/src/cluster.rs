//! A Kubernetes cluster without machines: a real etcd, API server, scheduler and controllers with RBAC, and kwok, which plays
//! the kubelets by the Stages in `dev/controlplane/stages`.
//!
//! Pods are scheduled, resized, evicted and killed as far as the API goes; no container runs, except on a `Machine`.

mod access;
mod audit;
mod client;
mod faults;
mod machine;
pub mod manifests;
pub mod metrics;
mod node;
mod tunnel;
pub mod vpa;

pub use access::User;
pub use audit::Asked;
pub use client::{Answer, Client, Patch};
pub use faults::{Fate, Faults, Request};
pub use machine::Machine;
pub use node::Node;

use crate::certificates::{self, Certificate};
use crate::process::{Process, free_port, wait_until};
use access::kubeconfig;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::slice;
use std::sync::{Mutex, PoisonError};
use tunnel::Tunnel;

/// What a cluster is started with, beyond its nodes.
#[derive(Debug, Default)]
pub struct Options {
    /// Who is let in besides the administrator.
    pub users: Vec<User>,
    /// The API server's port; a free one where there is none.
    pub port: Option<u16>,
    /// Arguments of the API server, after ours.
    pub apiserver: Vec<String>,
    /// With a `Machine` among the nodes, by that name.
    pub machine: bool,
    /// An image that the machine has besides: a tar as `make image` writes it.
    pub image: Option<PathBuf>,
    /// Whether the API server writes down who asked for what: [`Cluster::asked`].
    pub audit: bool,
}

/// A running cluster; all of it is killed when this is dropped, and when we die without that.
#[derive(Debug)]
pub struct Cluster {
    /// For clients that read a file: the administrator's token and the authority, of which nobody else knows.
    pub kubeconfig: PathBuf,
    /// `https://127.0.0.1:PORT`
    pub url: String,
    /// The authority that the API server's certificate is of, in PEM.
    pub authority: PathBuf,
    /// The administrator's, who may do all.
    pub admin_token: String,
    folder: PathBuf,
    programs: PathBuf,
    apiserver_arguments: Vec<String>,
    // Dropped in this order: what talks to the API server before it, and etcd last.
    _machine: Option<Machine>,
    _controllers: Vec<Process>,
    apiserver: Mutex<Process>,
    _tunnel: Option<Tunnel>,
    _etcd: Process,
}

impl Cluster {
    /// Starts one in an empty folder, and waits until all nodes are ready for pods.
    pub fn start(folder: &Path, nodes: &[Node]) -> Cluster {
        Cluster::start_with(folder, nodes, &Options::default())
    }

    /// Starts one with more than nodes.
    pub fn start_with(folder: &Path, nodes: &[Node], options: &Options) -> Cluster {
        // The kubeconfig names files in it.
        let folder = &folder.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let programs = programs(&[]);
        let (etcd, etcd_url) = etcd(folder, &programs);
        let authority = certificates::authority(folder, "authority");
        let port = options.port.unwrap_or_else(free_port);
        let url = format!("https://127.0.0.1:{port}");
        let tokens = access::tokens(folder, &options.users);
        let tunnel = options.machine.then(Tunnel::open);
        let mut apiserver_arguments = apiserver_arguments(folder, &authority, &etcd_url, port, &tokens);
        if let Some(tunnel) = &tunnel {
            let configuration = tunnel.configuration(folder);
            apiserver_arguments.push(format!("--egress-selector-config-file={}", configuration.display()));
        }
        if options.audit {
            apiserver_arguments.extend(audit::arguments(folder));
        }
        apiserver_arguments.extend_from_slice(&options.apiserver);
        let admin_token = access::ADMIN_TOKEN.to_string();
        let admin = Client::new(&url, &authority.certificate, &admin_token);
        let apiserver = apiserver(folder, &programs, &apiserver_arguments, &admin);
        for node in nodes {
            admin.post("/api/v1/nodes", &node.object()).created();
        }
        let write = |name: &str, token: &str| kubeconfig(folder, name, &url, &authority.certificate, token);
        let kubeconfig = write("admin", &admin_token);
        let mut controllers = vec![
            scheduler(folder, &programs, &write("scheduler", access::SCHEDULER_TOKEN)),
            controllers(folder, &programs, &write("controllers", access::CONTROLLERS_TOKEN)),
            kwok(folder, &programs, &kubeconfig),
        ];
        wait_until(&mut controllers, || nodes.iter().all(|node| node.is_ready(&admin)));
        let start = |tunnel: &Tunnel| {
            Machine::start(folder, &url, &authority.certificate, options.image.as_deref(), tunnel, &admin)
        };
        Cluster {
            kubeconfig,
            _machine: tunnel.as_ref().map(start),
            url,
            authority: authority.certificate,
            admin_token,
            folder: folder.clone(),
            programs,
            apiserver_arguments,
            _controllers: controllers,
            apiserver: Mutex::new(apiserver),
            _tunnel: tunnel,
            _etcd: etcd,
        }
    }

    /// A client for the administrator.
    pub fn admin(&self) -> Client {
        self.client(&self.admin_token)
    }

    /// A client for whom a token belongs to.
    pub fn client(&self, token: &str) -> Client {
        Client::new(&self.url, &self.authority, token)
    }

    /// A kubeconfig for somebody.
    pub fn kubeconfig_of(&self, user: &User) -> PathBuf {
        self.kubeconfig_for(&user.name, &user.token)
    }

    /// A kubeconfig of this name for whom a token belongs to.
    pub fn kubeconfig_for(&self, name: &str, token: &str) -> PathBuf {
        kubeconfig(&self.folder, name, &self.url, &self.authority, token)
    }

    /// Kills the API server, starts it again at its port and waits until it is ready. Watches break; etcd keeps all.
    pub fn restart_apiserver(&self) {
        let mut process = self.apiserver.lock().unwrap_or_else(PoisonError::into_inner);
        process.kill();
        *process = apiserver(&self.folder, &self.programs, &self.apiserver_arguments, &self.admin());
    }
}

/// The folder of the programs and of what is needed besides, which are built where they are missing.
fn programs(more: &[&str]) -> PathBuf {
    let mut build = Command::new(controlplane().join("build"));
    let build = build.args(more).stderr(Stdio::inherit()).output().expect("its build");
    assert!(build.status.success(), "the control plane was not built\nbuild it with make controlplane");
    PathBuf::from(String::from_utf8_lossy(&build.stdout).trim())
}

fn controlplane() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../controlplane")
}

/// Starts one of them; what it says goes to `NAME.log`.
fn program(folder: &Path, programs: &Path, name: &str, arguments: &[String]) -> Process {
    let path = folder.join(format!("{name}.log"));
    let log = File::options().create(true).append(true).open(&path).expect("a log");
    let mut command = Command::new(programs.join(name));
    // Nothing of the user's own settings.
    command.args(arguments).env_clear().env("HOME", folder);
    command.stdout(log.try_clone().expect("a log")).stderr(log);
    Process::start(command, &format!("{name} (it says why in {})", path.display()))
}

fn etcd(folder: &Path, programs: &Path) -> (Process, String) {
    let url = format!("http://127.0.0.1:{}", free_port());
    let arguments = [
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        // It has no peers; the port is the kernel's choice.
        "--listen-peer-urls=http://127.0.0.1:0".to_string(),
        "--unsafe-no-fsync".to_string(),
    ];
    let mut process = program(folder, programs, "etcd", &arguments);
    let health = format!("{url}/health");
    wait_until(slice::from_mut(&mut process), || ureq::get(&health).call().is_ok());
    (process, url)
}

fn apiserver_arguments(
    folder: &Path,
    authority: &Certificate,
    etcd_url: &str,
    port: u16,
    tokens: &Path,
) -> Vec<String> {
    let serving = certificates::signed(folder, "apiserver", authority);
    // Nobody is shown it: its key signs the tokens of service accounts.
    let accounts = certificates::authority(folder, "service-accounts");
    vec![
        format!("--etcd-servers={etcd_url}"),
        "--bind-address=127.0.0.1".to_string(),
        "--advertise-address=127.0.0.1".to_string(),
        "--endpoint-reconciler-type=none".to_string(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", serving.certificate.display()),
        format!("--tls-private-key-file={}", serving.key.display()),
        "--service-cluster-ip-range=10.96.0.0/16".to_string(),
        "--service-account-issuer=https://kubernetes.default.svc".to_string(),
        format!("--service-account-signing-key-file={}", accounts.key.display()),
        format!("--service-account-key-file={}", accounts.certificate.display()),
        format!("--token-auth-file={}", tokens.display()),
        "--authorization-mode=Node,RBAC".to_string(),
        // For a machine's kubelet; the name of a node is known to no resolver.
        "--kubelet-preferred-address-types=InternalIP".to_string(),
        format!("--kubelet-client-certificate={}", serving.certificate.display()),
        format!("--kubelet-client-key={}", serving.key.display()),
        // Pods need not wait for the controllers to make their namespace's account, nor mount its token.
        "--disable-admission-plugins=ServiceAccount".to_string(),
    ]
}

fn apiserver(folder: &Path, programs: &Path, arguments: &[String], admin: &Client) -> Process {
    let mut process = program(folder, programs, "kube-apiserver", arguments);
    wait_until(slice::from_mut(&mut process), || admin.get("/readyz").status == 200);
    process
}

fn scheduler(folder: &Path, programs: &Path, kubeconfig: &Path) -> Process {
    let arguments = [
        format!("--kubeconfig={}", kubeconfig.display()),
        "--leader-elect=false".to_string(),
        "--secure-port=0".to_string(),
        // It binds so many pods a second instead of 50.
        "--kube-api-qps=1000".to_string(),
        "--kube-api-burst=1000".to_string(),
    ];
    program(folder, programs, "kube-scheduler", &arguments)
}

fn controllers(folder: &Path, programs: &Path, kubeconfig: &Path) -> Process {
    let arguments = [
        format!("--kubeconfig={}", kubeconfig.display()),
        "--leader-elect=false".to_string(),
        "--secure-port=0".to_string(),
        format!("--service-account-private-key-file={}", folder.join("service-accounts.key").display()),
        format!("--root-ca-file={}", folder.join("authority.pem").display()),
        // Its own account may do almost nothing.
        "--use-service-account-credentials=true".to_string(),
        // It starts in 3 s instead of 5.
        "--kube-api-qps=1000".to_string(),
        "--kube-api-burst=1000".to_string(),
        // Autoscalers look each second instead of each 15.
        "--horizontal-pod-autoscaler-sync-period=1s".to_string(),
        // It makes this folder.
        format!("--flex-volume-plugin-dir={}", folder.join("flexvolume").display()),
    ];
    program(folder, programs, "kube-controller-manager", &arguments)
}

fn kwok(folder: &Path, programs: &Path, kubeconfig: &Path) -> Process {
    let mut arguments = vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--manage-nodes-with-label-selector={}", node::PLAYED.join("=")),
        "--node-ip=10.0.0.1".to_string(),
        "--node-lease-duration-seconds=40".to_string(),
    ];
    let stages = std::fs::read_dir(controlplane().join("stages")).expect("its stages");
    arguments.extend(stages.flatten().map(|file| format!("--config={}", file.path().display())));
    program(folder, programs, "kwok", &arguments)
}
