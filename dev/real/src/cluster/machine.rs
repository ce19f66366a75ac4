//! A node that is a machine: a QEMU guest with cgroup v2, containerd and a kubelet, made by `dev/kubelet/build`. It needs
//! neither root nor KVM.

use super::tunnel::Tunnel;
use super::{Client, access, node};
use crate::process::{Process, free_port, wait_until_within};
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::slice;
use std::time::Duration;

const QEMU: &str = "qemu-system-x86_64";

/// It took 18 s on two idle cores, and 40 s beside other builds.
const READY_TIMEOUT: Duration = Duration::from_secs(240);

/// Where the guest finds the API server; from there each connection goes on to loopback, and nothing else leaves the guest.
fn apiserver() -> String {
    let (address, port) = Machine::APISERVER;
    format!("{address}:{port}")
}

/// The memory of the guest; some 200 MiB of it are its own.
const MEMORY_MIB: u32 = 1536;

/// A running machine that has joined a cluster as a node; it is killed when this is dropped.
#[derive(Debug)]
pub struct Machine {
    _qemu: Process,
}

impl Machine {
    /// Of the node, and of the machine.
    pub const NAME: &str = "machine";

    /// The image that is there: `eater`, which without arguments waits for ever, and a shell.
    pub const IMAGE: &str = "plimsoll.dev/eater:1";

    /// Where pods find the API server, as there are no services: the address and the port.
    pub const APISERVER: (&str, &str) = ("10.0.2.100", "6443");

    /// Why there can be none here, in a line for whoever runs the tests.
    pub fn obstacle() -> Option<String> {
        let is_missing =
            |program: &&str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err();
        let missing = [QEMU, "apt-get"].into_iter().find(is_missing)?;
        Some(format!("no {missing} here, so nothing was tested on a real kubelet"))
    }

    /// Starts one beside the API server at this URL, and waits until it takes pods. The tunnel leads to its kubelet. What it says on
    /// its console goes to `machine.log`.
    pub(super) fn start(
        folder: &Path,
        url: &str,
        authority: &Path,
        image: Option<&Path>,
        tunnel: &Tunnel,
        admin: &Client,
    ) -> Machine {
        let built = built();
        let given = [
            format!("name=opt/dev.plimsoll/kubeconfig,file={}", kubeconfig(folder).display()),
            format!("name=opt/dev.plimsoll/authority,file={}", authority.display()),
            format!("name=opt/dev.plimsoll/name,string={}", Machine::NAME),
        ];
        let path = folder.join("machine.log");
        let log = File::create(&path).expect("a log");
        let port = free_port();
        let mut qemu = qemu(&built, &network(url, port), &given);
        if let Some(image) = image {
            qemu.args(["-drive", &format!("file={},format=raw,if=virtio,readonly=on", image.display())]);
        }
        // Where it keeps what the guest writes.
        qemu.env("TMPDIR", folder);
        qemu.stdout(log.try_clone().expect("a log")).stderr(log);
        let mut qemu = Process::start(qemu, &format!("{QEMU} (it says why in {})", path.display()));
        tunnel.lead_to(port);
        wait_until_within(READY_TIMEOUT, slice::from_mut(&mut qemu), || node::is_ready(Machine::NAME, admin));
        Machine { _qemu: qemu }
    }
}

/// The folder of its kernel, initramfs and disk, which are made where they are missing.
fn built() -> PathBuf {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kubelet/build");
    let built = Command::new(build).stderr(Stdio::inherit()).output().expect("its build");
    assert!(built.status.success(), "the machine was not made\nget what that needs with make kubelet");
    PathBuf::from(String::from_utf8_lossy(&built.stdout).trim())
}

/// The API server's certificate is for `localhost`.
fn kubeconfig(folder: &Path) -> PathBuf {
    let cluster = json!({
        "server": format!("https://{}", apiserver()),
        "tls-server-name": "localhost",
        "certificate-authority": "/run/authority.pem",
    });
    access::write(folder, Machine::NAME, &cluster, access::MACHINE_TOKEN)
}

/// One way in, to the kubelet, and one out, to the API server.
fn network(url: &str, port: u16) -> String {
    let leads_to = url.rsplit(':').next().expect("its port");
    format!(
        "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:10250,\
         guestfwd=tcp:{}-cmd:/bin/busybox nc 127.0.0.1 {leads_to}",
        apiserver()
    )
}

fn qemu(built: &Path, network: &str, given: &[String]) -> Command {
    let mut command = Command::new(QEMU);
    command.args(["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"]);
    command.args(["-m", &MEMORY_MIB.to_string(), "-nographic", "-monitor", "none", "-no-reboot"]);
    command.arg("-kernel").arg(built.join("vmlinuz")).arg("-initrd").arg(built.join("initramfs"));
    // Debian's kernel counts what waits for memory (PSI) only when it is told so.
    command.args(["-append", "console=ttyS0 quiet panic=-1 psi=1"]);
    // What is written goes elsewhere, and with the guest.
    let disk = format!("file={},format=raw,if=virtio,snapshot=on", built.join("disk").display());
    command.args(["-drive", &disk, "-netdev", network, "-device", "virtio-net-pci,netdev=net"]);
    for given in given {
        command.args(["-fw_cfg", given]);
    }
    command
}
