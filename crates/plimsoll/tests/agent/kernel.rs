//! A fake kernel in a folder, with cgroup v2 as a kubelet makes it, or with v1 and a v2 hierarchy beside it.

use std::fs;
use std::path::Path;
use tempfile::TempDir;

pub const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub const SANDBOX: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

pub struct Kernel(TempDir);

impl Kernel {
    pub fn new() -> Kernel {
        let kernel = Kernel(tempfile::tempdir().expect("temp dir"));
        kernel.put("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
        kernel.put("sys/fs/cgroup/cgroup.procs", "1\n");
        kernel.put("proc/sys/kernel/random/boot_id", "1b4e28ba-2fa1-11d2-883f-0016d3cca427\n");
        kernel
    }

    /// Where memory is v1.
    pub fn hybrid() -> Kernel {
        let kernel = Kernel(tempfile::tempdir().expect("temp dir"));
        kernel.put("sys/fs/cgroup/memory/memory.usage_in_bytes", "104857600\n");
        kernel.put("sys/fs/cgroup/unified/cgroup.controllers", "\n");
        kernel.put("sys/fs/cgroup/unified/cgroup.procs", "1\n");
        kernel
    }

    /// A v1 cgroup of 100 MiB.
    pub fn group_v1(&self, path: &str) {
        let file = |name: &str, text: &str| self.put(&format!("sys/fs/cgroup/memory/{path}/{name}"), text);
        file("memory.usage_in_bytes", "104857600\n");
        file("memory.stat", "total_cache 52428800\ntotal_rss 41943040\ntotal_inactive_file 31457280\n");
        file("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
        file("cgroup.procs", "77\n");
    }

    /// How long those of a cgroup of the v2 hierarchy have waited for memory.
    pub fn pressure(&self, path: &str, some_us: u64, full_us: u64) {
        let line = |stall: &str, us: u64| format!("{stall} avg10=0.00 avg60=0.00 avg300=0.00 total={us}\n");
        let text = line("some", some_us) + &line("full", full_us);
        self.put(&format!("sys/fs/cgroup/unified/{path}/memory.pressure"), &text);
    }

    pub fn root(&self) -> &str {
        self.0.path().to_str().expect("a path")
    }

    pub fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("make folders");
        fs::write(path, text).expect("write");
    }

    /// A cgroup of 100 MiB with so many kills.
    pub fn group(&self, path: &str, max: &str, kills: u64) {
        let file = |name: &str, text: &str| self.put(&format!("sys/fs/cgroup/{path}/{name}"), text);
        file("memory.current", "104857600\n");
        file("memory.peak", "209715200\n");
        file("memory.max", &format!("{max}\n"));
        file(
            "memory.pressure",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n",
        );
        file(
            "memory.stat",
            "anon 41943040\nfile 52428800\nkernel 4194304\nsock 0\nshmem 10485760\ninactive_anon 52428800\nactive_anon 0\n\
             inactive_file 31457280\nactive_file 10485760\nunevictable 0\nslab_reclaimable 3145728\n\
             workingset_refault_anon 2\nworkingset_refault_file 7\npgmajfault 38\n",
        );
        file("cgroup.procs", "77\n");
        file("cgroup.events", "populated 1\nfrozen 0\n");
        self.kills(path, kills);
    }

    pub fn kills(&self, path: &str, kills: u64) {
        let text = format!("low 0\nhigh 0\nmax 12\noom 1\noom_kill {kills}\noom_group_kill 0\n");
        for name in ["memory.events", "memory.events.local"] {
            self.put(&format!("sys/fs/cgroup/{path}/{name}"), &text);
        }
    }

    pub fn remove(&self, path: &str) {
        fs::remove_dir_all(Path::new(self.root()).join("sys/fs/cgroup").join(path)).expect("removed");
    }
}

/// The path of a pod's cgroup, as systemd has it.
pub fn pod(uid: &str) -> String {
    let uid = uid.replace('-', "_");
    format!("kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid}.slice")
}

/// The path of a container's.
pub fn container(uid: &str, id: &str) -> String {
    format!("{}/cri-containerd-{id}.scope", pod(uid))
}
